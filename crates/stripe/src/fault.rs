//! Why a signed body cannot be read: one closed list with stable codes.
//!
//! A fault names the field and never contains its value, so that it can be logged.

/// Why an event, or the object in it, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReadFault {
    /// The body is not JSON text in UTF-8.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but neither a snapshot event nor a thin one.
    #[error("the body is not an event: `object` is neither \"event\" nor \"v2.core.event\"")]
    NotAnEvent,
    /// A required field is absent or null.
    #[error("`{field}` is missing")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A field has another JSON type than Stripe documents.
    #[error("`{field}` is not {expected}")]
    WrongType {
        /// The field's name.
        field: &'static str,
        /// What was expected, with its article.
        expected: &'static str,
    },
    /// Not 1 to 255 letters, digits and underscores.
    #[error("`{field}` is not an id of 1 to 255 letters, digits and underscores")]
    Id {
        /// The field's name.
        field: &'static str,
    },
    /// Not an integer of minor units within the limit.
    #[error("`{field}` is not an amount: an integer of minor units, at most 1,000,000,000,000")]
    Amount {
        /// The field's name.
        field: &'static str,
    },
    /// Not a time in Unix seconds.
    #[error("`{field}` is not a time in whole Unix seconds")]
    Time {
        /// The field's name.
        field: &'static str,
    },
    /// A string with half of a surrogate pair, or not a word where a word is expected.
    #[error("`{field}` is not readable text")]
    Text {
        /// The field's name.
        field: &'static str,
    },
    /// A key occurs twice in one object, so two parsers could read two different events.
    #[error("a key of the object is written twice: `{field}`")]
    DuplicateKey {
        /// The key, or the object if its keys are free.
        field: &'static str,
    },
    /// More than 50 entries of metadata.
    #[error("`metadata` has more than 50 keys")]
    MetadataTooLarge,
}

/// The optional fields of an object that were malformed. Each counts as absent, so that the rest of the
/// object can still be used; the caller decides what that means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<ReadFault>);

impl Faults {
    /// The first, if there is any.
    pub fn first(&self) -> Option<ReadFault> {
        self.0.first().copied()
    }

    /// Adds the faults of an object inside this one.
    pub(crate) fn extend(&mut self, inner: &Faults) {
        self.0.extend(&inner.0);
    }

    /// The value of an optional field; a fault is added, and gives None.
    pub(crate) fn or_none<T>(&mut self, value: Result<Option<T>, ReadFault>) -> Option<T> {
        value.unwrap_or_else(|fault| {
            self.0.push(fault);
            None
        })
    }

    /// The value of an optional part of the object; a fault is added, and gives the default.
    pub(crate) fn or_default<T: Default>(&mut self, value: Result<T, ReadFault>) -> T {
        self.or_none(value.map(Some)).unwrap_or_default()
    }
}

impl ReadFault {
    /// A stable word for logs, metrics and the quarantine.
    pub fn code(self) -> &'static str {
        match self {
            ReadFault::NotJson => "not_json",
            ReadFault::NotAnEvent => "not_an_event",
            ReadFault::Missing { .. } => "field_missing",
            ReadFault::WrongType { .. } => "wrong_type",
            ReadFault::Id { .. } => "id_invalid",
            ReadFault::Amount { .. } => "amount_invalid",
            ReadFault::Time { .. } => "time_invalid",
            ReadFault::Text { .. } => "text_invalid",
            ReadFault::DuplicateKey { .. } => "duplicate_key",
            ReadFault::MetadataTooLarge => "metadata_too_large",
        }
    }
}
