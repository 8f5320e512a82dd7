//! How Stripe's API talks: form parameters in, JSON out, errors, lists, expansion and idempotency keys of one
//! shape.
//!
//! Pure: a request's bytes go in, a value or a [`Fault`] comes out. Not here: HTTP, and what any request
//! does.

pub mod expand;
pub mod fault;
pub mod form;
pub mod idempotency;
pub mod list;
pub mod metadata;

pub use fault::Fault;
pub use form::{Change, Params};
pub use metadata::MetadataChange;
