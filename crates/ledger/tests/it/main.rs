//! Tests of the ledger's public API: statements with the expected results of every line (`statement`), the
//! same statements in every order (`orders`), random histories against the invariants of double entry
//! (`properties`) and against naive models of the rules (`reference` for events, `execute` and `coin_model`
//! for commands), and stored answers (`answers`). After every step, `audit` and `notice_invariants` check all
//! invariants. Judging claims is tested in `src/judge/tests.rs`, proration in `src/money/tests.rs`.

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
