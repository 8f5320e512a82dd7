//! The emulator from outside: payments as tables that read like an account statement, deliveries to a
//! receiver on localhost, and the two control surfaces.
//!
//! Not here: Stripe's API and the HTML of the pages, which have tests beside the code.

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
mod round_trip;
mod scenarios;
mod surfaces;
