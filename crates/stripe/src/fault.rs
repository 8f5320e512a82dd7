//! Why a body, though Stripe signed it, cannot be read: one closed list with stable codes.
//!
//! A fault names the field and never quotes what stood there, so that it may go to any log.

/// Why an event, or the object in it, was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReadFault {
    /// The body is not JSON text in UTF-8.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but neither a snapshot event nor a thin one.
    #[error("the body is not an event: `object` is neither \"event\" nor \"v2.core.event\"")]
    NotAnEvent,
    /// A field without which the rest means nothing is absent or null.
    #[error("`{field}` is missing")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A field is of another JSON type than Stripe documents.
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
    /// Not an integer of minor units within bounds.
    #[error("`{field}` is not an amount: an integer of minor units, at most 1,000,000,000,000")]
    Amount {
        /// The field's name.
        field: &'static str,
    },
    /// Not a moment in Unix seconds.
    #[error("`{field}` is not a time in whole Unix seconds")]
    Time {
        /// The field's name.
        field: &'static str,
    },
    /// A string that is no text (half of a surrogate pair), or not a word where a word is expected.
    #[error("`{field}` is not readable text")]
    Text {
        /// The field's name.
        field: &'static str,
    },
    /// A key that we read stands twice in one object: two readers could see two different events.
    #[error("a key of the object is written twice: `{field}`")]
    DuplicateKey {
        /// The key, or the object in which any key may stand.
        field: &'static str,
    },
    /// More than 50 entries of metadata.
    #[error("`metadata` has more than 50 keys")]
    MetadataTooLarge,
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
