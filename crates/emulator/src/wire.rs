//! How Stripe's API talks: form parameters in, JSON out, errors, lists, expansion and idempotency keys of one
//! shape.
//!
//! Pure: a request's bytes go in, a value or a [`StripeError`] comes out. Not here: HTTP, and the effects of
//! requests.

pub mod error;
pub mod expand;
pub mod form;
pub mod idempotency;
pub mod list;
pub mod metadata;

pub use error::StripeError;
pub use form::{FieldChange, Params};
pub use metadata::MetadataChange;
