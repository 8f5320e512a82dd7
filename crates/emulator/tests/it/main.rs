//! The emulator from outside: payments as tables that read like an account statement, deliveries to a
//! receiver on localhost, and the two control surfaces.
//!
//! Stripe's API and the HTML of the pages have tests beside the code.

mod account_file;
mod attacks;
mod clock;
mod deliveries;
mod disputes;
mod life;
mod misbehaviour;
mod payments;
mod receiver;
mod refunds;
mod round_trip;
mod scenarios;
mod surfaces;
