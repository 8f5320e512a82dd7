//! `GET /api/admin/audit`: reads the whole journal and says whether it adds up.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Data;
use crate::api::Operator;

/// Work everything out again from the postings, and say whether it adds up
///
/// It reads the whole journal: minutes for millions of transactions.
#[utoipa::path(get, path = "/api/admin/audit", operation_id = "audit", tag = "Operation",
    responses((status = 200, body = Data<Audit>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let audit = request.store().audit().await?;
            Ok(request.meta.data(Audit {
                ok: audit.faults.is_empty(),
                transactions: audit.transactions,
                tenants: audit.tenants,
                lots: audit.lots,
                head: audit.head,
                faults: audit.faults,
            }))
        })
        .await
}

/// Whether the books add up.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "ok": true, "transactions": 1, "tenants": 1, "lots": 1,
    "head": "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de", "faults": [] }))]
struct Audit {
    /// Whether no fault was found.
    ok: bool,
    transactions: i64,
    tenants: i64,
    lots: i64,
    /// The hash of the last transaction: write it down elsewhere, and nobody can rewrite the past unseen.
    head: String,
    /// What does not add up, in words.
    faults: Vec<String>,
}
