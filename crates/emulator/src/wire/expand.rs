//! `expand[]` (docs.stripe.com/expand): ids in an answer are replaced by the objects that they name.
//!
//! Which fields can be expanded is a closed list, by the `object` that they are in, so that a misspelt path
//! is refused as Stripe refuses it. Not here: the objects.

use serde_json::Value;

use super::{Params, StripeError};

/// The most levels of one path (docs.stripe.com/expand).
const MAX_LEVELS: usize = 4;
/// The most paths in one request.
const MAX_PATHS: usize = 20;

/// What the answer to an expansion needs to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpandTarget<'a> {
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
pub enum ResponseShape {
    /// One object; Stripe's name of its kind is in `object`.
    One(&'static str),
    /// A list of such objects.
    List(&'static str),
}

/// What is found in a field: an id in the first place, or nothing before it is asked for (a list).
const FIELDS: &[(&str, &str, ResponseShape)] = &[
    ("charge", "customer", ResponseShape::One("customer")),
    ("charge", "payment_intent", ResponseShape::One("payment_intent")),
    ("charge", "refunds", ResponseShape::List("refund")),
    ("checkout.session", "customer", ResponseShape::One("customer")),
    ("checkout.session", "line_items", ResponseShape::List("item")),
    ("checkout.session", "payment_intent", ResponseShape::One("payment_intent")),
    ("dispute", "charge", ResponseShape::One("charge")),
    ("dispute", "payment_intent", ResponseShape::One("payment_intent")),
    ("item", "price", ResponseShape::One("price")),
    ("payment_intent", "customer", ResponseShape::One("customer")),
    ("payment_intent", "latest_charge", ResponseShape::One("charge")),
    ("price", "product", ResponseShape::One("product")),
    ("product", "default_price", ResponseShape::One("price")),
    ("refund", "charge", ResponseShape::One("charge")),
    ("refund", "payment_intent", ResponseShape::One("payment_intent")),
];

/// The paths that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion(Vec<String>);

impl Expansion {
    /// Reads `expand[]` of a request that will be answered with something of this shape.
    ///
    /// # Errors
    /// When it is not a list of texts, has too many of them, or one of them leads nowhere.
    pub fn read(params: &mut Params, shape: ResponseShape) -> Result<Self, StripeError> {
        let paths = params.texts("expand")?;
        if paths.len() > MAX_PATHS {
            return Err(
                StripeError::unreadable(&format!("expand has more than {MAX_PATHS} paths.")).param("expand")
            );
        }
        paths.iter().try_for_each(|path| check(path, shape))?;
        Ok(Self(paths))
    }

    /// Replaces what the paths name. `resolve` gives the objects, already rendered; an id that it does not
    /// know stays an id.
    pub fn apply(&self, answer: &mut Value, resolve: impl Fn(ExpandTarget<'_>) -> Option<Value>) {
        for path in &self.0 {
            let levels: Vec<&str> = path.split('.').collect();
            descend(answer, &levels, &resolve);
        }
    }
}

/// Whether the path leads anywhere.
fn check(path: &str, shape: ResponseShape) -> Result<(), StripeError> {
    let levels = path.split('.').count();
    if levels > MAX_LEVELS {
        let message =
            format!("You cannot expand more than {MAX_LEVELS} levels of a property. Property: {path}");
        return Err(StripeError::invalid(message).before_anything());
    }
    let mut at = shape;
    for (level, field) in path.split('.').enumerate() {
        at = match at {
            ResponseShape::List(object) if field == "data" => ResponseShape::One(object),
            ResponseShape::List(_) if level == 0 => {
                let message = format!(
                    "This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' \
                     instead."
                );
                return Err(StripeError::invalid(message).before_anything());
            }
            ResponseShape::List(_) => return Err(cannot_expand(path)),
            ResponseShape::One(object) => {
                let known = FIELDS.iter().find(|(of, name, _)| *of == object && *name == field);
                known.ok_or_else(|| cannot_expand(path))?.2
            }
        };
    }
    Ok(())
}

fn cannot_expand(path: &str) -> StripeError {
    StripeError::invalid(format!("This property cannot be expanded ({path}).")).before_anything()
}

fn descend(value: &mut Value, levels: &[&str], resolve: &impl Fn(ExpandTarget<'_>) -> Option<Value>) {
    let [field, rest @ ..] = levels else { return };
    if value["object"] == "list" {
        if let Some(items) = value["data"].as_array_mut() {
            items.iter_mut().for_each(|item| descend(item, rest, resolve));
        }
        return;
    }
    let wanted = match (&value[*field], &value["id"]) {
        (Value::String(id), _) => Some(ExpandTarget::Object(id)),
        (Value::Null, Value::String(owner)) => Some(ExpandTarget::Part { owner, field }),
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
