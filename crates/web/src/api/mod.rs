//! The API: one file per noun, its verbs inside. `credits`, `payments` and `health` are for tenants and
//! operators, `admin` is for operators only.

pub(crate) mod admin;
pub(crate) mod command;
pub(crate) mod credits;
pub(crate) mod description;
pub(crate) mod health;
mod idempotency;
pub(crate) mod missing;
mod overlap;
pub(crate) mod payments;
mod request;
pub(crate) mod stream;
pub(crate) mod text;
pub(crate) mod webhook_endpoints;

pub(crate) use idempotency::{IdempotencyKeyHeader, UnlessDryRun, fingerprint, marked};
pub(crate) use request::{
    Id, Ids, Manager, Operator, Query, Reader, Received, Request, Stray, Writer, body, or_nothing, page,
};
