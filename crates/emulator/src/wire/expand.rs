//! `expand[]` (docs.stripe.com/expand): ids in an answer are replaced by the objects that they name.
//!
//! Which fields can be expanded is a closed list, by the `object` that they are in, so that a misspelt path
//! is refused as Stripe refuses it. Not here: the objects.

use serde_json::Value;

use super::{Fault, Params};

/// The most levels of one path (docs.stripe.com/expand).
const MOST_LEVELS: usize = 4;
/// The most paths in one request.
const MOST_PATHS: usize = 20;

/// What the answer to an expansion needs to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The object with this id.
    Object(&'a str),
    /// A part that an object only shows when it is asked for: a session's `line_items`, a charge's `refunds`.
    Part {
        /// The id of the object.
        owner: &'a str,
        /// The name of the part.
        field: &'a str,
    },
}

/// What a request will be answered with: one object of this kind, or a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One object; Stripe's name of its kind is in `object`.
    One(&'static str),
    /// A list of such objects.
    List(&'static str),
}

/// What is found in a field: an id in the first place, or nothing before it is asked for (a list).
const FIELDS: &[(&str, &str, Shape)] = &[
    ("charge", "customer", Shape::One("customer")),
    ("charge", "payment_intent", Shape::One("payment_intent")),
    ("charge", "refunds", Shape::List("refund")),
    ("checkout.session", "customer", Shape::One("customer")),
    ("checkout.session", "line_items", Shape::List("item")),
    ("checkout.session", "payment_intent", Shape::One("payment_intent")),
    ("dispute", "charge", Shape::One("charge")),
    ("dispute", "payment_intent", Shape::One("payment_intent")),
    ("item", "price", Shape::One("price")),
    ("payment_intent", "customer", Shape::One("customer")),
    ("payment_intent", "latest_charge", Shape::One("charge")),
    ("price", "product", Shape::One("product")),
    ("product", "default_price", Shape::One("price")),
    ("refund", "charge", Shape::One("charge")),
    ("refund", "payment_intent", Shape::One("payment_intent")),
];

/// The paths that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion(Vec<String>);

impl Expansion {
    /// Reads `expand[]` of a request that will be answered with something of this shape.
    ///
    /// # Errors
    /// When it is not a list of texts, has too many of them, or one of them leads nowhere.
    pub fn read(params: &mut Params, shape: Shape) -> Result<Self, Fault> {
        let paths = params.texts("expand")?;
        if paths.len() > MOST_PATHS {
            return Err(
                Fault::unreadable(&format!("expand has more than {MOST_PATHS} paths.")).param("expand")
            );
        }
        paths.iter().try_for_each(|path| check(path, shape))?;
        Ok(Self(paths))
    }

    /// Replaces what the paths name. `resolve` gives the objects, already rendered; an id that it does not
    /// know stays an id.
    pub fn apply(&self, answer: &mut Value, resolve: impl Fn(Wanted<'_>) -> Option<Value>) {
        for path in &self.0 {
            let levels: Vec<&str> = path.split('.').collect();
            descend(answer, &levels, &resolve);
        }
    }
}

/// Whether the path leads anywhere.
fn check(path: &str, shape: Shape) -> Result<(), Fault> {
    let levels = path.split('.').count();
    if levels > MOST_LEVELS {
        let message =
            format!("You cannot expand more than {MOST_LEVELS} levels of a property. Property: {path}");
        return Err(Fault::invalid(message).before_anything());
    }
    let mut at = shape;
    for (level, field) in path.split('.').enumerate() {
        at = match at {
            Shape::List(object) if field == "data" => Shape::One(object),
            Shape::List(_) if level == 0 => {
                let message = format!(
                    "This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' \
                     instead."
                );
                return Err(Fault::invalid(message).before_anything());
            }
            Shape::List(_) => return Err(cannot_expand(path)),
            Shape::One(object) => {
                let known = FIELDS.iter().find(|(of, name, _)| *of == object && *name == field);
                known.ok_or_else(|| cannot_expand(path))?.2
            }
        };
    }
    Ok(())
}

fn cannot_expand(path: &str) -> Fault {
    Fault::invalid(format!("This property cannot be expanded ({path}).")).before_anything()
}

fn descend(value: &mut Value, levels: &[&str], resolve: &impl Fn(Wanted<'_>) -> Option<Value>) {
    let [field, rest @ ..] = levels else { return };
    if value["object"] == "list" {
        if let Some(items) = value["data"].as_array_mut() {
            items.iter_mut().for_each(|item| descend(item, rest, resolve));
        }
        return;
    }
    let wanted = match (&value[*field], &value["id"]) {
        (Value::String(id), _) => Some(Wanted::Object(id)),
        (Value::Null, Value::String(owner)) => Some(Wanted::Part { owner, field }),
        _ => None,
    };
    if let Some(found) = wanted.and_then(resolve) {
        value[*field] = found;
    }
    if let Some(inner) = value.get_mut(*field).filter(|inner| inner.is_object()) {
        descend(inner, rest, resolve);
    }
}

#[cfg(test)]
mod tests;
