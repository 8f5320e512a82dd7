//! HTTP: the webhook, the API, and the accept loop under both. A handler reads the request, asks the store or
//! the engine one thing, and writes the answer; it decides nothing about money.
//!
//! Start at [`routes`]: every route is on that one screen. Deliberately not here: SQL, Stripe's JSON, rules.

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
mod webhook;

pub use api::health::DEGRADED_REASONS;
pub use app::{App, AppParts};
pub use limits::Limits;
pub use routes::router;
