//! The API: one file per noun, its verbs inside. `credits`, `payments` and `health` are for tenants and
//! operators, `admin` is for operators only.

pub(crate) mod admin;
pub(crate) mod credits;
pub(crate) mod health;
pub(crate) mod missing;
pub(crate) mod payments;
mod request;

pub(crate) use request::{Id, Operator, Query, Reader, Received, Request, body, page};
