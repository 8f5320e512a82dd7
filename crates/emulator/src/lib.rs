//! Stripe on localhost: its API, its payment page, its events, and signed deliveries that misbehave like the
//! real ones, on a clock that can be advanced.
//!
//! It emulates one account in test mode, for everybody who can reach its port. Not here: credits, and live
//! mode.

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
pub mod scenario;
pub mod wire;
pub mod world;

pub use emulator::{API_KEY, Emulator, Options, Wall, Watcher};

/// All routes of the emulator: Stripe's API, the pages, and the control API, behind one guard.
pub fn router(emulator: &Emulator) -> axum::Router {
    let guard = axum::middleware::from_fn_with_state(emulator.clone(), guard::only_from_here);
    page::router(emulator.clone()).merge(api::router(emulator.clone())).layer(guard)
}
