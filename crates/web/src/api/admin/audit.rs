//! `GET /api/admin/audit`: reads the whole journal and says whether it adds up.

use axum::response::Response;
use serde_json::json;

use crate::api::Operator;

/// Runs the audit. It reads everything: minutes for millions of transactions.
pub(crate) async fn show(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let audit = request.store().audit().await?;
            Ok(request.meta.data(json!({
                "ok": audit.faults.is_empty(),
                "transactions": audit.transactions,
                "tenants": audit.tenants,
                "lots": audit.lots,
                "head": audit.head,
                "faults": audit.faults,
            })))
        })
        .await
}
