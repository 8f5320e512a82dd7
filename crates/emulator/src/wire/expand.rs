//! `expand[]` (docs.stripe.com/expand): replaces ids in a response by the objects that they name.
//!
//! The fields that can be expanded are a closed list by the `object` that contains them, so that a misspelt
//! path is refused as Stripe refuses it.

use serde_json::Value;

use super::{Params, StripeError};

/// The most levels of one path (docs.stripe.com/expand).
const MAX_LEVELS: usize = 4;
/// The most paths in one request.
const MAX_PATHS: usize = 20;

/// What an expansion asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpandTarget<'a> {
    /// The object with this id.
    Object(&'a str),
    /// A part that an object shows only when expanded: a session's `line_items`, a charge's `refunds`.
    Part {
        /// The id of the object.
        owner: &'a str,
        /// The name of the part.
        field: &'a str,
    },
}

/// The shape of a response: one object of a kind, or a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseShape {
    /// One object, with the value of its `object` field.
    One(&'static str),
    /// A list of such objects.
    List(&'static str),
}

/// The fields that can be expanded: the object, the field, and the shape after expansion. A field of shape
/// `List` is absent before.
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

/// The paths to expand in one response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion(Vec<String>);

impl Expansion {
    /// Reads `expand[]` for a response of this shape.
    ///
    /// # Errors
    /// When it is not a list of texts, has too many, or a path cannot be expanded.
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

    /// Expands the paths. `resolve` returns rendered objects; an id that it does not know stays an id.
    pub fn apply(&self, answer: &mut Value, resolve: impl Fn(ExpandTarget<'_>) -> Option<Value>) {
        for path in &self.0 {
            let levels: Vec<&str> = path.split('.').collect();
            descend(answer, &levels, &resolve);
        }
    }
}

/// Checks that the path can be expanded.
fn check(path: &str, shape: ResponseShape) -> Result<(), StripeError> {
    let levels = path.split('.').count();
    if levels > MAX_LEVELS {
        let message =
            format!("You cannot expand more than {MAX_LEVELS} levels of a property. Property: {path}");
        return Err(StripeError::invalid(message).without_execution());
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
                return Err(StripeError::invalid(message).without_execution());
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
    StripeError::invalid(format!("This property cannot be expanded ({path}).")).without_execution()
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
