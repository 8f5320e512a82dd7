//! The whole service behind its router, with a real database in a folder of its own and a clock that tests
//! set: every request of these tests goes the way that a client's goes, but for the socket.
//! Not here: the accept loop (`server.rs`), and what events mean (the tests of `engine` and `ledger`).

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

/// The sample of FairePlace's webhook guide, as it stands there.
const GUIDE_SAMPLE: &str = include_str!("../../../stripe/tests/fixtures/guide-sample.json");
/// Its tenant.
const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
/// Somebody else.
const OTHER: &str = "650e8400-e29b-41d4-a716-446655440000";
