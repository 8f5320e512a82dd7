//! HTTP: the webhook, the API, the accept loop.

pub mod limits;
pub mod server;
