//! The error for an unknown event type, with suggestions.

use std::fmt;

use strsim::levenshtein;

use super::event_names;

/// No event of this type can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEventType {
    /// The requested type.
    pub type_name: String,
    /// Similar names, the most similar first: names that contain the requested one or differ from it by at
    /// most four letters; if there are none, names about the same object.
    pub near: Vec<&'static str>,
}

impl UnknownEventType {
    pub(super) fn new(type_name: &str) -> Self {
        let wanted = type_name.to_lowercase();
        let mut near = names_where(|name| {
            levenshtein(&wanted, name) <= 4 || (!wanted.is_empty() && name.contains(wanted.as_str()))
        });
        if near.is_empty() {
            near = names_where(|name| parent(name).is_some() && parent(name) == parent(&wanted));
        }
        near.sort_by_key(|name| levenshtein(&wanted, name));
        Self { type_name: type_name.to_owned(), near }
    }
}

impl fmt::Display for UnknownEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no event type {:?} here", self.type_name)?;
        if !self.near.is_empty() {
            write!(f, "; near it are {}", self.near.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownEventType {}

fn names_where(rule: impl Fn(&str) -> bool) -> Vec<&'static str> {
    event_names().iter().copied().filter(|name| rule(name)).collect()
}

/// The object of a type: `checkout.session` of `checkout.session.completed`.
fn parent(type_name: &str) -> Option<&str> {
    type_name.rsplit_once('.').map(|(parent, _)| parent)
}
