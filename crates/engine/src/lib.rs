//! The loops. [`ingest`] makes a delivery durable before it is acknowledged; [`apply`] turns kept events into
//! decisions, in batches, and tries again what failed; [`desk`] carries out commands, and [`sweep`] ends
//! what ran out of time; [`deliver`] tells other systems what happened, and [`prune`] forgets it in the end.
//! [`read`] says what one event tells us, in the ledger's terms: the one place where Stripe's words become
//! ours.
//!
//! Time and randomness enter here and nowhere else: [`clock`], [`entropy`].
//!
//! Deliberately not here: HTTP (`web`), SQL (`store`), what anything is worth (`ledger`).

pub mod apply;
pub mod bell;
pub mod clock;
pub mod deliver;
pub mod desk;
pub mod entropy;
pub mod ingest;
mod next;
pub mod notice;
pub mod prune;
pub mod read;
pub mod sweep;

pub use apply::Applier;
pub use bell::Bell;
pub use clock::Clock;
pub use deliver::{Carrier, Deliverer};
pub use desk::Desk;
pub use ingest::Intake;
pub use next::Next;
pub use prune::Pruner;
pub use read::{MetadataKeys, World, read};
pub use sweep::Sweeper;
