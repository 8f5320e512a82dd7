//! Metadata: at most 50 texts by key, which the merchant sets on an object.
//!
//! It is signed with the event, but anyone with an API key can set it: it is a claim, not a proof.

use crate::fault::ReadFault;
use crate::fields::{self, Fields};

/// Stripe's limit (docs.stripe.com/metadata).
const MAX_KEYS: usize = 50;

/// The metadata of an object, in the order of the JSON; empty if the object has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    entries: Vec<(String, String)>,
}

impl Metadata {
    /// The text under this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Every key with its text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(super) fn read(object: &Fields<'_>) -> Result<Metadata, ReadFault> {
        let mut metadata = Metadata::default();
        let Some(value) = object.get("metadata")? else { return Ok(metadata) };
        for (key, value) in Fields::of_value("metadata", value)?.iter() {
            if metadata.get(key).is_some() {
                return Err(ReadFault::DuplicateKey { field: "metadata" });
            }
            if metadata.entries.len() == MAX_KEYS {
                return Err(ReadFault::MetadataTooLarge);
            }
            metadata.entries.push((key.to_owned(), fields::text("metadata", value)?.into_owned()));
        }
        Ok(metadata)
    }
}
