//! The objects that only the emulator renders: products, prices, customers, endpoints and events. Sessions,
//! charges and the other objects of a payment are in `stripe::write`.
//!
//! Not here: what changes them (`act`, `api`).

mod catalogue;
mod checkout;
mod endpoint;
mod event;
mod snapshot;

pub use catalogue::{Customer, Price, Product};
pub use checkout::{CheckoutDetails, LineItem};
pub use endpoint::{EndpointSecret, Misbehaviour, WebhookEndpoint};
pub use event::{EventRecord, RequestReference};
pub(crate) use snapshot::ApiObject;
pub use snapshot::Snapshot;

/// Stripe's metadata: at most 50 pairs of text.
pub use stripe::write::MetadataMap;
