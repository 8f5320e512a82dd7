//! `GET /api/admin/audit`: checks the whole journal.

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Data, Problem};
use crate::api::Operator;

/// Audit the journal
///
/// Recomputes every balance from the postings and reports every difference. Takes minutes for millions of
/// transactions.
#[utoipa::path(get, path = "/api/admin/audit", operation_id = "audit", tag = "Operation",
    responses((status = 200, body = Data<AuditView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Result<Data<AuditView>, Problem> {
    request.query.only(&[])?;
    let audit = request.store().audit().await?;
    Ok(Data::of(AuditView {
        ok: audit.faults.is_empty(),
        transactions: audit.transactions,
        tenants: audit.tenants,
        lots: audit.lots,
        head: audit.head,
        faults: audit.faults,
    }))
}

/// The result of an audit.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "ok": true, "transactions": 1, "tenants": 1, "lots": 1,
    "head": "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de", "faults": [] }))]
pub(crate) struct AuditView {
    /// True if there are no faults.
    ok: bool,
    transactions: i64,
    tenants: i64,
    lots: i64,
    /// The hash of the last transaction. Store it elsewhere to detect a rewritten journal later.
    head: String,
    /// A description of each fault.
    faults: Vec<String>,
}
