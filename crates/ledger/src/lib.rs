//! What a payment is worth in credits, and the journal that records it. Pure: no I/O, no clock, no
//! randomness, no JSON. Everything here is a function of its arguments, so every rule can be tested in every
//! order of events.
//!
//! The modules, in reading order:
//! - [`fact`]: what one event tells us, in our terms;
//! - [`knowledge`]: everything known about one payment; facts *join* it, so order and repetition do not
//!   matter;
//! - [`claim`], [`judge`]: what objects claim was bought, and whether the claim is accepted;
//! - [`mod@entitlement`]: how many credits a payment should have granted, revoked and frozen;
//! - [`review`], [`status`]: which payments need a person or wait for something, and where each one stands;
//! - [`mod@decide`]: posts the difference between the entitlement and the postings so far, and names the
//!   [`outcome`];
//! - [`command`], [`mod@execute`]: commands, which may be refused: spend, hold, capture, release, adjust,
//!   write off;
//! - [`hold`]: credits set aside for a later spend;
//! - [`notice`]: notices for other systems;
//! - [`posting`], [`chain`]: balanced transactions and their hash chain;
//! - [`book`]: the part of the ledger that a batch of decisions reads and changes;
//! - [`liability`]: what unspent credits are worth in money;
//! - [`policy`], [`now`]: the deployment's rules, and the time.
//!
//! Stripe's JSON is read by `stripe`, turned into facts by `engine`, and everything is stored by `store`.

pub mod book;
pub mod chain;
pub mod claim;
pub mod command;
pub mod decide;
pub mod entitlement;
pub mod execute;
pub mod fact;
pub mod hold;
pub mod ids;
pub mod judge;
pub mod knowledge;
pub mod liability;
pub mod money;
mod named;
pub mod notice;
mod notify;
pub mod now;
pub mod outcome;
pub mod policy;
pub mod posting;
pub mod review;
mod settle;
pub mod status;
mod transaction_builder;

pub use book::{Book, Changes, Lot, Payment, Tenant};
pub use claim::{Claim, ClaimedTerms};
pub use command::{Command, CommandAction, Execution, Receipt, Refusal};
pub use decide::{Decision, RulingRefused, decide, overdue, rule};
pub use entitlement::{Entitlement, entitlement};
pub use execute::{execute, expire};
pub use fact::Fact;
pub use hold::{Allocation, Hold, HoldState};
pub use ids::{EventId, EventRef, HoldId, LotId, ObjectId, PaymentId, TenantId, Timestamp};
pub use knowledge::Knowledge;
pub use money::{Credits, Minor, Rounding};
pub use notice::{Notice, NoticeKind};
pub use now::Now;
pub use outcome::{Outcome, Reason};
pub use policy::{Catalogue, PackageTerms, Policy, TermsFrom};
pub use posting::{Account, Balance, Cause, CauseKind, Posting, Transaction, TransactionKind};
pub use review::{Wait, review_reason};
pub use status::PaymentStatus;
