//! The emulator from outside: what happens to money as tables that read like an account statement, and
//! deliveries to a receiver that listens on localhost.
//!
//! Not here: its API and its pages, and the tables of test numbers (`cards`).

mod agree;
mod attacks;
mod clock;
mod deliveries;
mod disputes;
mod kept;
mod life;
mod misbehaviour;
mod payments;
mod receiver;
mod refunds;
mod surfaces;
