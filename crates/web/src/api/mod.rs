//! The API: one file per noun, its verbs inside. `admin` is for operators only.

pub(crate) mod admin;
pub(crate) mod command;
pub(crate) mod credits;
pub(crate) mod docs;
mod format;
mod grace_period;
pub(crate) mod health;
mod idempotency;
pub(crate) mod not_found;
pub(crate) mod payments;
pub(crate) mod plain_text;
mod request;
pub(crate) mod stream;
pub(crate) mod webhook_endpoints;

pub(crate) use format::ReportFormat;
pub(crate) use idempotency::{IdempotencyKeyHeader, UnlessDryRun, fingerprint};
pub(crate) use request::{
    CreditsReader, CreditsWriter, EndpointManager, Operator, PathId, PathIds, Query, ReceivedBody, Request,
    Unmatched, body, or_nothing, page,
};
