//! `metadata` in a request, with Stripe's limits (docs.stripe.com/metadata): 50 keys of up to 40 characters,
//! values of up to 500 characters, texts only.

use std::collections::BTreeMap;

use super::StripeError;

const MAX_KEYS: usize = 50;
const MAX_KEY_CHARACTERS: usize = 40;
const MAX_VALUE_CHARACTERS: usize = 500;

/// What a request does to an object's metadata. An update adds to the existing keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MetadataChange {
    /// It is not mentioned.
    #[default]
    Keep,
    /// `metadata=`: every key is removed.
    Clear,
    /// These keys are set; an empty value removes its key.
    Set(BTreeMap<String, String>),
}

impl MetadataChange {
    pub(super) fn set(entries: BTreeMap<String, String>, place: &str) -> Result<Self, StripeError> {
        for (key, value) in &entries {
            let (length, most, what) = match (key.chars().count(), value.chars().count()) {
                (length, _) if length > MAX_KEY_CHARACTERS => (length, MAX_KEY_CHARACTERS, ("keys", "key")),
                (_, length) if length > MAX_VALUE_CHARACTERS => {
                    (length, MAX_VALUE_CHARACTERS, ("values", "value"))
                }
                _ => continue,
            };
            let (several, one) = what;
            return Err(StripeError::invalid(format!(
                "Metadata {several} can have up to {most} characters, but you passed in a {one} that is \
                 {length} characters. Invalid {one}: {}",
                if one == "key" { key } else { value }
            ))
            .param(format!("{place}[{key}]")));
        }
        Ok(Self::Set(entries))
    }

    /// Applies the change.
    ///
    /// # Errors
    /// When there would be more than 50 keys.
    pub fn apply(self, metadata: &mut BTreeMap<String, String>) -> Result<(), StripeError> {
        match self {
            Self::Keep => {}
            Self::Clear => metadata.clear(),
            Self::Set(entries) => {
                let mut changed = metadata.clone();
                for (key, value) in entries {
                    if value.is_empty() {
                        changed.remove(&key);
                    } else {
                        changed.insert(key, value);
                    }
                }
                if changed.len() > MAX_KEYS {
                    return Err(StripeError::invalid(format!(
                        "Metadata can have up to {MAX_KEYS} keys, and there would be {}.",
                        changed.len()
                    ))
                    .param("metadata"));
                }
                *metadata = changed;
            }
        }
        Ok(())
    }

    /// The metadata of a new object.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn for_new(self) -> Result<BTreeMap<String, String>, StripeError> {
        let mut metadata = BTreeMap::new();
        self.apply(&mut metadata)?;
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests;
