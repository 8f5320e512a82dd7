//! `/api/admin/events`: what Stripe sent, byte for byte, what became of each event, and replay.

use axum::response::Response;
use ledger::{EventId, Outcome};
use serde::Serialize;
use store::{EventFilter, EventRow, body};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::api::{Id, Operator, Query, page};
use crate::schema::{OutcomeName, Paging};

/// What Stripe sent, and what became of it
#[utoipa::path(get, path = "/api/admin/events", operation_id = "list_events", tag = "Events",
    params(Paging,
        ("type" = Option<String>, Query, description = "Only of this type of Stripe's."),
        ("outcome" = Option<OutcomeName>, Query, description = "Only those that ended like this."),
        ("payment" = Option<String>, Query, description = "Only about this payment: any of its Stripe ids."),
        ("pending" = Option<bool>, Query, description = "Only those that wait to be applied.")),
    responses((status = 200, body = PageOf<EventView>)))]
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

/// One event, with its body as Stripe sent it
#[utoipa::path(get, path = "/api/admin/events/{id}", operation_id = "show_event", tag = "Events",
    params(("id" = String, Path, description = "Stripe's id of the event.", example = "evt_1234567890")),
    responses((status = 200, body = Data<EventDetail>)))]
pub(crate) async fn show(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let found = request.store().event(EventId::from(id)).await?;
            let (event, packed) = found.ok_or_else(|| Problem::not_found("event"))?;
            let raw = body::unpack(&packed)?;
            let body = String::from_utf8_lossy(&raw).into_owned();
            Ok(request.meta.data(EventDetail { event: EventView::of(&event), body }))
        })
        .await
}

/// Read an event again and decide anew
///
/// What was learned before is known already, so this never counts twice.
#[utoipa::path(post, path = "/api/admin/events/{id}/replay", operation_id = "replay_event", tag = "Events",
    params(("id" = String, Path, description = "Stripe's id of the event.", example = "evt_1234567890")),
    responses((status = 200, body = Data<Replayed>)))]
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
            Ok(request.meta.data(Replayed { event: event.to_string(), replayed: true }))
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

/// One event, and its body.
#[derive(Serialize, ToSchema)]
struct EventDetail {
    event: EventView,
    /// The very text that Stripe sent.
    body: String,
}

/// It will be read again.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "event": "evt_1234567890", "replayed": true }))]
struct Replayed {
    event: String,
    /// `true`.
    replayed: bool,
}

/// One event, and what became of it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "evt_1234567890", "type": "checkout.session.completed",
    "outcome": "granted", "reason": null, "payment": "cs_live_a1b2c3d4e5f6g7h8", "deliveries": 1,
    "attempts": 1, "livemode": true, "created_at": "2026-11-23T12:00:00Z",
    "received_at": "2026-11-23T12:00:01Z", "due_at": null }))]
struct EventView {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// None while it waits to be applied.
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<&'static str>,
    /// Why a person must look, or why it could not be applied yet.
    reason: Option<String>,
    /// The payment that it is about.
    payment: Option<String>,
    /// How often Stripe sent it.
    deliveries: i64,
    /// How often it was tried to apply it.
    attempts: i64,
    livemode: Option<bool>,
    /// By Stripe's clock.
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    received_at: String,
    /// When it is applied next; none once it has an outcome.
    #[schema(format = DateTime)]
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
