//! Stripe on localhost: its API, its payment page, its events, and signed deliveries that misbehave like the
//! real ones, on a clock that can be turned forward.
//!
//! Deliberately not here: credits. This crate knows Stripe and nothing of what a payment is worth. Nor is
//! live mode: it plays one account in test mode, for whoever can reach its port.

pub mod act;
pub mod api;
pub mod cards;
mod controller;
mod deliver;
mod emulator;
pub mod file;
mod guard;
pub mod object;
pub mod page;
pub mod wire;
pub mod world;

pub use emulator::{API_KEY, Emulator, Options, Wall, Watcher};

/// Everything that the emulator answers: Stripe's API, the pages, and the controls, all behind one guard.
pub fn router(emulator: &Emulator) -> axum::Router {
    let guard = axum::middleware::from_fn_with_state(emulator.clone(), guard::only_from_here);
    page::router(emulator.clone()).merge(api::router(emulator.clone())).layer(guard)
}
