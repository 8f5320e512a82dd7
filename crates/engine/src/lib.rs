//! The loops. [`ingest`] makes a delivery durable before it is acknowledged; [`apply`] turns kept events into
//! decisions, in batches, and tries again what failed. [`read`] says what one event tells us, in the
//! ledger's terms: the one place where Stripe's words become ours.
//!
//! Time and randomness enter here and nowhere else: [`clock`], [`entropy`].
//!
//! Deliberately not here: HTTP (`web`), SQL (`store`), what anything is worth (`ledger`).

pub mod apply;
pub mod clock;
pub mod entropy;
pub mod ingest;
pub mod read;

pub use apply::Applier;
pub use clock::Clock;
pub use ingest::Intake;
pub use read::{MetadataKeys, World, read};
