//! The objects that only the emulator needs to write: those of the catalogue, endpoints, and events around
//! all of them. The objects that carry money are `stripe::write`'s.
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
pub type Metadata = std::collections::BTreeMap<String, String>;
