//! The ledger from outside, by its public API only. Bank statements with their expected right-hand columns
//! (`statement`), the same statements in every order (`orders`), random histories against the invariants of
//! double entry (`properties`) and against a second, naive reading of the rules (`reference`).
//! Not here: the trust table (`src/offer/tests.rs`) and proration (`src/money/tests.rs`).

mod history;
mod knowledge;
mod orders;
mod properties;
mod reference;
mod statement;
mod step;
mod world;
