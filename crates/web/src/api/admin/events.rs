//! `/api/admin/events`: the events from Stripe, byte for byte, the result of each, and replay.

use ledger::{EventId, Outcome};
use serde::Serialize;
use store::{EventFilter, EventRow, body};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::api::{Operator, PathId, Query, page};
use crate::schema::{OutcomeName, PageParameters};

/// List events
#[utoipa::path(get, path = "/api/admin/events", operation_id = "list_events", tag = "Events",
    params(PageParameters,
        ("type" = Option<String>, Query, description = "Only events of this Stripe type."),
        ("outcome" = Option<OutcomeName>, Query, description = "Only events with this result."),
        ("payment" = Option<String>, Query,
            description = "Only events about this payment: any of its Stripe ids."),
        ("pending" = Option<bool>, Query, description = "Only events that are waiting to be applied.")),
    responses((status = 200, body = PageOf<StripeEventView>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Result<PageOf<StripeEventView>, Problem> {
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
    Ok(PageOf::of(&found, page, StripeEventView::of))
}

/// Retrieve an event
#[utoipa::path(get, path = "/api/admin/events/{id}", operation_id = "show_event", tag = "Events",
    params(("id" = String, Path, description = "The event's id at Stripe.", example = "evt_1234567890")),
    responses((status = 200, body = Data<EventDetail>)))]
pub(crate) async fn show(
    Operator { request, .. }: Operator,
    PathId(id): PathId,
) -> Result<Data<EventDetail>, Problem> {
    request.query.only(&[])?;
    let found = request.store().event(EventId::from(id)).await?;
    let (event, packed) = found.ok_or_else(|| Problem::not_found("event"))?;
    let raw = body::unpack(&packed)?;
    let body = String::from_utf8_lossy(&raw).into_owned();
    Ok(Data::of(EventDetail { event: StripeEventView::of(&event), body }))
}

/// Replay an event
///
/// Applies the event again. Nothing is counted twice.
#[utoipa::path(post, path = "/api/admin/events/{id}/replay", operation_id = "replay_event", tag = "Events",
    params(("id" = String, Path, description = "The event's id at Stripe.", example = "evt_1234567890")),
    responses((status = 200, body = Data<Replayed>)))]
pub(crate) async fn replay(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
) -> Result<Data<Replayed>, Problem> {
    request.query.only(&[])?;
    let event = EventId::from(id);
    let count = request.store().replay(vec![event.clone()], request.now).await?;
    if count == 0 {
        return Err(Problem::not_found("event"));
    }
    tracing::info!(%event, key = caller.key.id, "an operator replays an event");
    Ok(Data::of(Replayed { event: event.to_string(), replayed: true }))
}

fn outcome(query: &Query) -> Result<Option<Outcome>, Problem> {
    let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    let read = |name: &str| {
        Outcome::from_name(name)
            .ok_or_else(|| Problem::value("outcome", &format!("one of {}", names.join(", "))))
    };
    query.get("outcome").map(read).transpose()
}

/// An event and its body.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventDetail {
    event: StripeEventView,
    /// The body exactly as Stripe sent it.
    body: String,
}

/// The event will be applied again.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "event": "evt_1234567890", "replayed": true }))]
pub(crate) struct Replayed {
    event: String,
    /// `true`.
    replayed: bool,
}

/// An event and its result.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "evt_1234567890", "type": "checkout.session.completed",
    "outcome": "granted", "reason": null, "payment": "cs_live_a1b2c3d4e5f6g7h8", "deliveries": 1,
    "attempts": 1, "livemode": true, "created_at": "2026-11-23T12:00:00Z",
    "received_at": "2026-11-23T12:00:01Z", "due_at": null }))]
pub(crate) struct StripeEventView {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// Null while it is waiting to be applied.
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<&'static str>,
    /// Why a person must review it, or why it could not be applied yet.
    reason: Option<String>,
    /// The payment that it is about.
    payment: Option<String>,
    /// The number of times that Stripe delivered it.
    deliveries: i64,
    /// The number of attempts to apply it.
    attempts: i64,
    livemode: Option<bool>,
    /// By Stripe's clock.
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    received_at: String,
    /// When the next attempt to apply it is due; null once it has a result.
    #[schema(format = DateTime)]
    due_at: Option<String>,
}

impl StripeEventView {
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
