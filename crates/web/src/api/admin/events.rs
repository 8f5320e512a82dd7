//! `/api/admin/events`: what Stripe sent, byte for byte, what became of each event, and replay.

use axum::response::Response;
use ledger::{EventId, Outcome};
use serde::Serialize;
use serde_json::json;
use store::{EventFilter, EventRow, body};

use crate::answer::{Problem, rfc3339};
use crate::api::{Id, Operator, Query, page};

/// `GET /api/admin/events`.
pub(crate) async fn list(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            let query = &request.query;
            query.only(&["type", "outcome", "payment", "pending", "page", "per_page", "sort"])?;
            let payment = match query.get("payment") {
                None => None,
                Some(id) => {
                    let found = request.store().payment(id.to_owned()).await?;
                    Some(found.ok_or_else(|| Problem::not_found("payment"))?.id)
                }
            };
            let filter = EventFilter {
                kind: query.get("type").map(str::to_owned),
                outcome: outcome(query)?,
                payment,
                pending: query.flag("pending")?,
            };
            let page = page(query)?;
            let found = request.store().events(filter, page).await?;
            let rows: Vec<_> = found.rows.iter().map(EventView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// `GET /api/admin/events/{id}`, with its body.
pub(crate) async fn show(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let found = request.store().event(EventId::from(id)).await?;
            let (event, packed) = found.ok_or_else(|| Problem::not_found("event"))?;
            let raw = body::unpack(&packed)?;
            Ok(request.meta.data(json!({
                "event": EventView::of(&event),
                "body": String::from_utf8_lossy(&raw),
            })))
        })
        .await
}

/// `POST /api/admin/events/{id}/replay`: reads it again and decides anew. What was learned before is known
/// already, so this never counts twice.
pub(crate) async fn replay(Operator { request, caller }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let event = EventId::from(id);
            let count = request.store().replay(vec![event.clone()], request.meta.at).await?;
            if count == 0 {
                return Err(Problem::not_found("event"));
            }
            tracing::info!(%event, key = caller.key.id, "an operator replays an event");
            request.app.arrived.notify_one();
            Ok(request.meta.data(json!({ "event": event, "replayed": true })))
        })
        .await
}

fn outcome(query: &Query) -> Result<Option<Outcome>, Problem> {
    let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    let read = |name: &str| {
        Outcome::from_name(name)
            .ok_or_else(|| Problem::value("outcome", &format!("one of {}", names.join(", "))))
    };
    query.get("outcome").map(read).transpose()
}

#[derive(Serialize)]
struct EventView {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    outcome: Option<&'static str>,
    reason: Option<String>,
    payment: Option<String>,
    deliveries: i64,
    attempts: i64,
    livemode: Option<bool>,
    created_at: String,
    received_at: String,
    /// When it is applied next; none once it has an outcome.
    due_at: Option<String>,
}

impl EventView {
    fn of(event: &EventRow) -> Self {
        Self {
            id: event.id.to_string(),
            kind: event.kind.clone(),
            outcome: event.outcome.map(Outcome::as_str),
            reason: event.reason.clone(),
            payment: event.payment.clone(),
            deliveries: event.deliveries,
            attempts: event.attempts,
            livemode: event.livemode,
            created_at: rfc3339(ledger::Timestamp::from_seconds(event.created)),
            received_at: rfc3339(event.received_at),
            due_at: event.due_at.map(rfc3339),
        }
    }
}
