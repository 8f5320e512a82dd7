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

/// Fields that hold an id, by the object that they are in.
const REFERENCES: &[(&str, &[&str])] = &[
    (
        "charge",
        &["balance_transaction", "customer", "failure_balance_transaction", "payment_intent", "transfer"],
    ),
    (
        "checkout.session",
        &["customer", "invoice", "payment_intent", "payment_link", "setup_intent", "subscription"],
    ),
    ("customer", &["default_source"]),
    ("dispute", &["charge", "payment_intent"]),
    ("item", &["price"]),
    ("payment_intent", &["customer", "latest_charge", "payment_method", "review"]),
    ("price", &["product"]),
    ("product", &["default_price"]),
    ("radar.early_fraud_warning", &["charge", "payment_intent"]),
    ("refund", &["balance_transaction", "charge", "failure_balance_transaction", "payment_intent"]),
];

/// Fields that are only there when they are asked for.
const PARTS: &[(&str, &[&str])] = &[("charge", &["refunds"]), ("checkout.session", &["line_items"])];

fn listed(table: &[(&str, &[&str])], object: &str, field: &str) -> bool {
    table.iter().any(|(name, fields)| *name == object && fields.contains(&field))
}

/// The paths that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion(Vec<String>);

impl Expansion {
    /// Reads `expand[]`.
    ///
    /// # Errors
    /// When it is not a list of texts, has too many of them, or one has too many levels.
    pub fn read(params: &mut Params) -> Result<Self, Fault> {
        let paths = params.texts("expand")?;
        if paths.len() > MOST_PATHS {
            return Err(
                Fault::unreadable(&format!("expand has more than {MOST_PATHS} paths.")).param("expand")
            );
        }
        match paths.iter().find(|path| path.split('.').count() > MOST_LEVELS) {
            Some(path) => Err(Fault::invalid(format!(
                "You cannot expand more than {MOST_LEVELS} levels of a property. Property: {path}"
            ))),
            None => Ok(Self(paths)),
        }
    }

    /// Replaces what the paths name. `resolve` gives the objects, already rendered.
    ///
    /// # Errors
    /// When a path leads nowhere, or to an object that does not exist in the emulator.
    pub fn apply(
        &self,
        answer: &mut Value,
        resolve: impl Fn(Wanted<'_>) -> Option<Value>,
    ) -> Result<(), Fault> {
        self.0.iter().try_for_each(|path| {
            let levels: Vec<&str> = path.split('.').collect();
            let is_list = answer["object"] == "list";
            match levels[..] {
                ["data", ..] | [] => descend(answer, &levels, &resolve),
                _ if is_list => Err(Stop::Unknown),
                _ => descend(answer, &levels, &resolve),
            }
            .map_err(|stop| stop.fault(path, is_list && levels.first() != Some(&"data")))
        })
    }
}

/// Why a path could not be followed.
enum Stop {
    Unknown,
    NotKept,
}

impl Stop {
    fn fault(self, path: &str, belongs_in_data: bool) -> Fault {
        let mut message = format!("This property cannot be expanded ({path}).");
        match self {
            Self::Unknown if belongs_in_data => {
                message.push_str(&format!(" You may want to try expanding 'data.{path}' instead."));
            }
            Self::Unknown => {}
            Self::NotKept => message.push_str(" FairePlace's emulator has no such object."),
        }
        Fault::invalid(message)
    }
}

fn descend(
    value: &mut Value,
    levels: &[&str],
    resolve: &impl Fn(Wanted<'_>) -> Option<Value>,
) -> Result<(), Stop> {
    let [field, rest @ ..] = levels else { return Ok(()) };
    let object = value["object"].as_str().unwrap_or_default().to_owned();
    if object == "list" && *field == "data" {
        let items = value["data"].as_array_mut().ok_or(Stop::Unknown)?;
        return items.iter_mut().try_for_each(|item| descend(item, rest, resolve));
    }
    if listed(PARTS, &object, field) {
        if value.get(*field).is_none_or(Value::is_null) {
            let owner = value["id"].as_str().unwrap_or_default();
            let part = resolve(Wanted::Part { owner, field }).ok_or(Stop::NotKept)?;
            value[*field] = part;
        }
    } else if !listed(REFERENCES, &object, field) {
        return Err(Stop::Unknown);
    }
    match value.get_mut(*field) {
        // Nothing is referred to: nothing is expanded, whatever follows.
        None | Some(Value::Null) => Ok(()),
        Some(reference) => {
            if let Some(id) = reference.as_str() {
                *reference = resolve(Wanted::Object(id)).ok_or(Stop::NotKept)?;
            }
            descend(reference, rest, resolve)
        }
    }
}

#[cfg(test)]
mod tests;
