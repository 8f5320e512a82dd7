//! `/api/admin`: the routes for operators. The commands of the binary are clients of these routes, so a
//! program can do whatever the command line can.

use crate::answer::Problem;
use ledger::TenantId;

pub(crate) mod actions;
pub(crate) mod adjustments;
pub(crate) mod audit;
pub(crate) mod clock;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod people;
pub(crate) mod quarantine;
pub(crate) mod reports;
pub(crate) mod restore;
pub(crate) mod status;
pub(crate) mod tenants;

/// Parses a tenant's id.
fn tenant(text: &str) -> Result<TenantId, Problem> {
    TenantId::parse(text).ok_or_else(|| Problem::value("tenant_id", "the tenant's UUID"))
}
