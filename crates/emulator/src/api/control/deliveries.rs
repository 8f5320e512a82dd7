//! Deliveries: the attempts of each, and sending an event again.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlResult, ok, read};
use crate::act::control::{ControlRefusal, Noun, Resend};
use crate::controller::Controller;
use crate::wire::{Params, StripeError};
use crate::world::{Delivery, DeliveryState, Outcome};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 1_000;

/// The newest first; of one endpoint, of one event, or all.
pub(super) async fn list(State(controller): State<Controller>, RawQuery(query): RawQuery) -> ControlResult {
    let mut params = Params::parse(query.unwrap_or_default().as_bytes())?;
    let (endpoint, event) = (params.text("endpoint")?, params.text("event")?);
    let limit = params.integer("limit")?.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    params.finish()?;
    let keep = |delivery: &&Delivery| {
        endpoint.as_ref().is_none_or(|id| delivery.endpoint == *id)
            && event.as_ref().is_none_or(|id| delivery.event == *id)
    };
    let data: Vec<Value> = controller.read(|world| {
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
struct ResendBody {
    endpoint: Option<String>,
}

/// Sends an event again, outside its retry schedule.
pub(super) async fn resend(
    State(controller): State<Controller>,
    Path(event): Path<String>,
    body: Body,
) -> ControlResult {
    let ResendBody { endpoint } = read(body).await?;
    let count = controller.run(Resend { event, endpoint }).map_err(|refusal| match refusal {
        ControlRefusal::NoSuch { noun: Noun::Endpoint, id } => {
            StripeError::no_such(Noun::Endpoint.as_str(), &id, "endpoint")
        }
        other => other.into(),
    })?;
    ok(&json!({ "deliveries": count }))
}
