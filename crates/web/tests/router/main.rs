//! The whole service behind its router, with a real database in a temporary folder and a clock that the tests
//! set. Requests take the same path as a client's, except for the socket.
//! `server.rs` tests the accept loop; `engine` and `ledger` test the meaning of events.

mod actions;
mod admin;
mod answer;
mod clock;
mod deployment;
mod directory;
mod document;
mod envelope;
mod errors;
mod holds;
mod hostile;
mod keys;
mod liability;
mod logs;
mod matrix;
mod office;
mod people;
mod purchase;
mod quarantine;
mod rate;
mod restore;
mod spend;
mod statement;
mod stream;
mod tenant_client;
mod tenants;
mod timeline;
mod webhook;
mod webhook_endpoints;

/// The sample event of FairePlace's webhook guide, unchanged.
const GUIDE_SAMPLE: &str = include_str!("../../../stripe/tests/fixtures/guide-sample.json");
/// The sample's tenant.
const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
/// Another tenant.
const OTHER: &str = "650e8400-e29b-41d4-a716-446655440000";
