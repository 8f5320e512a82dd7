//! The ledger from outside, by its public API only. Bank statements with their expected right-hand columns
//! (`statement`), the same statements in every order (`orders`), random histories against the invariants of
//! double entry (`properties`), and against second, naive readings of the rules (`reference` for events,
//! `till` and `coins` for commands); answers that are stored (`answers`). What every step is audited for:
//! `audit`, `told`.
//! Not here: the trust table (`src/judge/tests.rs`) and proration (`src/money/tests.rs`).

mod answers;
mod audit;
mod coin_model;
mod command_syntax;
mod execute;
mod history;
mod knowledge;
mod liability;
mod notice_invariants;
mod orders;
mod properties;
mod reference;
mod statement;
mod step;
mod world;
