//! The answer to an event type that nobody can write: which ones come near it.

use super::event_names;
use std::fmt;

/// No event of this type can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEventType {
    /// What was asked for.
    pub type_name: String,
    /// Names that hold what was asked for or differ from it by a few letters; failing these, those about the
    /// same object. The nearest first.
    pub near: Vec<&'static str>,
}

impl UnknownEventType {
    pub(super) fn new(type_name: &str) -> Self {
        let asked = type_name.to_lowercase();
        let mut near = names_where(|name| {
            distance(&asked, name) <= 4 || (!asked.is_empty() && name.contains(asked.as_str()))
        });
        if near.is_empty() {
            near = names_where(|name| parent(name).is_some() && parent(name) == parent(&asked));
        }
        near.sort_by_key(|name| distance(&asked, name));
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

/// What the type is about: `checkout.session` of `checkout.session.completed`.
fn parent(type_name: &str) -> Option<&str> {
    type_name.rsplit_once('.').map(|(parent, _)| parent)
}

/// How many letters must be put in, taken out or changed to turn one name into the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
