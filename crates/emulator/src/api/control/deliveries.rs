//! Deliveries: what was tried, how it went, and once more.
//!
//! Not here: the trying.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, ok, read};
use crate::emulator::Emulator;
use crate::wire::{Params, StripeError};
use crate::world::{Delivery, DeliveryState, Outcome};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 1_000;

/// The newest first, of one endpoint or event or of all.
pub(super) async fn list(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Answered {
    let mut params = Params::parse(query.unwrap_or_default().as_bytes())?;
    let (endpoint, event) = (params.text("endpoint")?, params.text("event")?);
    let limit = params.integer("limit")?.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    params.finish()?;
    let keep = |delivery: &&Delivery| {
        endpoint.as_ref().is_none_or(|id| delivery.endpoint == *id)
            && event.as_ref().is_none_or(|id| delivery.event == *id)
    };
    let data: Vec<Value> = emulator.with(|world| {
        // At most a thousand, so it fits.
        let newest = world.deliveries().rev().filter(keep).take(usize::try_from(limit).unwrap_or_default());
        newest.map(|delivery| render(delivery, world.events.get(&delivery.event))).collect()
    });
    ok(&json!({ "data": data }))
}

fn render(delivery: &Delivery, event: Option<&crate::object::EventRecord>) -> Value {
    let (state, next) = match delivery.state {
        DeliveryState::Waiting { next_ms } => ("waiting", Some(next_ms.div_euclid(1_000))),
        DeliveryState::Delivered => ("delivered", None),
        DeliveryState::Exhausted => ("exhausted", None),
        DeliveryState::Stopped => ("stopped", None),
    };
    let attempts = delivery.attempts.iter().map(|attempt| {
        let (status, answer, error) = match &attempt.outcome {
            Outcome::Answered { status, excerpt } => (Some(status), Some(excerpt), None),
            Outcome::Failed(error) => (None, None, Some(error)),
        };
        let at = attempt.at_ms.div_euclid(1_000);
        json!({ "at": at, "took_ms": attempt.took_ms, "status": status, "answer": answer, "error": error })
    });
    json!({
        "id": delivery.id,
        "event": delivery.event,
        "type": event.map(|event| &event.type_name),
        "endpoint": delivery.endpoint,
        "state": state,
        "next_attempt": next,
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resend {
    endpoint: Option<String>,
}

/// Sends an event again, on top of its schedule.
pub(super) async fn resend(State(emulator): State<Emulator>, Path(id): Path<String>, body: Body) -> Answered {
    let Resend { endpoint } = read(body).await?;
    let count = emulator.with(|world| {
        world.events.get(&id).ok_or_else(|| StripeError::no_such("event", &id, "id"))?;
        if let Some(id) = endpoint.as_ref().filter(|id| world.endpoints.get(id).is_none()) {
            return Err(StripeError::no_such("webhook_endpoint", id, "endpoint"));
        }
        Ok(world.resend(&id, endpoint.as_deref()))
    })?;
    ok(&json!({ "deliveries": count }))
}
