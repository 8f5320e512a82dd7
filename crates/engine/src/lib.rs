//! The loops. [`ingest`] makes a delivery durable before it is acknowledged; [`apply`] turns kept events into
//! decisions, in batches, and tries again what failed; [`command_queue`] carries out commands, and [`sweep`] ends
//! what ran out of time; [`deliver`] tells other systems what happened, and [`prune`] forgets it in the end.
//! [`mod@read`] says what one event tells us, in the ledger's terms: the one place where Stripe's words
//! become ours.
//!
//! Time and randomness enter here and nowhere else: [`clock`], [`entropy`].
//!
//! Deliberately not here: HTTP (`web`), SQL (`store`), what anything is worth (`ledger`).

pub mod apply;
pub mod change_signal;
pub mod clock;
pub mod command_queue;
pub mod deliver;
pub mod entropy;
pub mod ingest;
mod next;
pub mod notice;
pub mod prune;
pub mod read;
pub mod sweep;

pub use apply::Applier;
pub use change_signal::ChangeSignal;
pub use clock::Clock;
pub use command_queue::CommandQueue;
pub use deliver::{Deliverer, Transport};
pub use ingest::Intake;
pub use next::Next;
pub use prune::Pruner;
pub use read::{DeploymentScope, MetadataKeys, read};
pub use sweep::Sweeper;
