//! HTTP: the webhook, the API, and the accept loop below both. A handler reads the request, calls the store
//! or the engine once, and returns a response; it decides nothing about money.
//!
//! Start at [`routes`]: every route is on that one screen. SQL, Stripe's JSON and money rules are
//! deliberately left to other crates.

pub mod answer;
mod api;
pub mod app;
pub mod auth;
mod csv;
pub mod destination;
pub mod limits;
pub mod openapi;
pub mod rate;
pub mod routes;
mod schema;
pub mod server;
mod stream_slots;
mod webhook;
mod write_probe;

pub use api::health::DEGRADED_REASONS;
pub use app::{App, AppParts};
pub use limits::Limits;
pub use routes::router;
