//! The procedures and the loops. [`ingest`] makes a delivery durable before it is acknowledged; [`apply`]
//! turns stored events into decisions, in batches, and retries what failed; [`command_queue`] executes
//! commands; [`actions`] carries out what operators ask for and [`purchase`] opens checkouts; [`sweep`] ends
//! holds and credits whose time is up; [`notify`] sends notices to other systems, and [`prune`] removes old
//! ones. [`mod@read`] turns one Stripe event into the ledger's terms, and nothing else does.
//!
//! Time and randomness enter here and nowhere else: [`clock`], [`entropy`].
//!
//! Deliberately not here: HTTP (`web`), SQL (`store`), what anything is worth (`ledger`).

pub mod actions;
pub mod apply;
pub mod clock;
pub mod command_queue;
pub mod entropy;
pub mod ingest;
mod next;
pub mod notice;
pub mod notify;
pub mod prune;
pub mod purchase;
pub mod read;
pub mod shop;
pub mod sweep;

pub use actions::OperatorActions;
pub use apply::Applier;
pub use clock::Clock;
pub use command_queue::{CommandQueue, CommandWorker};
pub use ingest::Intake;
pub use next::Next;
pub use notify::{Notifier, Transport};
pub use prune::Pruner;
pub use purchase::Purchases;
pub use read::{DeploymentScope, MetadataKeys, read};
pub use shop::{Package, Shop};
pub use sweep::Sweeper;
