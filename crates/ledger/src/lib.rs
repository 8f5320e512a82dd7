//! What a payment is worth in credits, and the journal that says so. Pure: no I/O, no clock, no randomness,
//! no JSON. Everything here is a function of its arguments, so every rule can be tested in every order.
//!
//! The tour, in reading order:
//! - [`fact`]: what one event tells us, in our terms;
//! - [`knowledge`]: everything known about one payment; facts *join* it, so neither order nor number matters;
//! - [`claim`], [`judge`]: what objects claim was bought, and whether that is accepted;
//! - [`review`]: which payments need a person, or wait for something;
//! - [`mod@entitlement`]: knowledge → the credits that should be granted, revoked and frozen;
//! - [`mod@decide`]: entitlement − what is already posted = postings, and one named [`outcome`];
//! - [`command`], [`mod@execute`]: the other kind of decision, which may refuse: spend, hold, adjust;
//! - [`hold`]: credits set aside, and what becomes of them;
//! - [`liability`]: what unspent credits are worth in money;
//! - [`notice`]: what others are told;
//! - [`now`]: the time, and whether it may end credits or holds;
//! - [`posting`], [`chain`]: balanced transactions, and the hash chain they belong to;
//! - [`book`]: the part of the ledger that a batch of decisions reads and changes.
//!
//! Deliberately not here: Stripe's JSON (`stripe`), how facts are read from it (`engine`), memory (`store`).

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
