//! `GET /api/admin/status`: how the service is doing, for whoever must sleep well.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use axum::response::Response;
use serde_json::json;

use crate::answer::rfc3339;
use crate::api::Operator;

/// Backlog, quarantine, and what happened at the webhook since the start.
pub(crate) async fn show(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let health = request.store().health().await?;
            let counters = &request.app.counters;
            let faults: BTreeMap<_, _> = counters.faults().collect();
            Ok(request.meta.data(json!({
                "mode": request.app.mode.as_str(),
                "events": health.events,
                "pending": health.pending,
                "oldest_pending_at": health.oldest_pending.map(rfc3339),
                "last_event_at": health.last_event.map(rfc3339),
                "quarantined": health.quarantined,
                "transactions": health.transactions,
                "since_start": {
                    "accepted": counters.accepted.load(Ordering::Relaxed),
                    "duplicates": counters.duplicates.load(Ordering::Relaxed),
                    "unavailable": counters.unavailable.load(Ordering::Relaxed),
                    "signature_faults": faults,
                },
            })))
        })
        .await
}
