//! `/api/admin/clock`: which time the service goes by, and an operator's word for which one is right.
//! Not here: when a clock is in doubt, and what follows from that (`engine::clock`).

use axum::response::Response;
use engine::clock::{ClockState, ClockStatus, Doubt, TimeCandidate, remember};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions;
use crate::answer::{Data, Problem, ProblemKind, rfc3339};
use crate::api::{Operator, Received, body};
use crate::schema::{ClockReason, ClockStateName, ClockTime};

/// Show the clock
///
/// Which time the service goes by. A wall clock that jumped is in doubt until it is settled which time is
/// right. Meanwhile no credits and no holds expire.
#[utoipa::path(get, path = "/api/admin/clock", operation_id = "show_clock", tag = "Operation",
    responses((status = 200, body = Data<ClockView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            Ok(request.meta.data(ClockView::of(&request.app.clock.status())))
        })
        .await
}

/// Which time is right, and how the operator knows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "time": "wall", "reason": "compared with time.nist.gov" }))]
struct Confirmation {
    #[schema(value_type = ClockTime)]
    time: String,
    /// Written to the log, with the name of the key.
    reason: String,
}

/// Confirm which time is right
///
/// Ends the doubt. Credits and holds whose end has come by the confirmed time expire at once, so compare it
/// with another clock first. The confirmation is written to the log.
#[utoipa::path(post, path = "/api/admin/clock/confirm", operation_id = "confirm_clock", tag = "Operation",
    request_body = Confirmation,
    responses((status = 200, body = Data<ClockView>), (status = 409, description = "CLOCK_NOT_IN_DOUBT")))]
pub(crate) async fn confirm(Operator { request, caller }: Operator, received: Received) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let Confirmation { time, reason } = body(&request, received)?;
            let side =
                TimeCandidate::from_name(&time).ok_or_else(|| Problem::value("time", "`wall` or `kept`"))?;
            let reason = actions::reason(reason)?;
            let clock = &request.app.clock;
            let status = clock.confirm(side).ok_or_else(|| {
                let message =
                    "The clock is not in doubt, so there is nothing to confirm. Nothing was changed.";
                Problem::new(ProblemKind::ClockNotInDoubt, message)
            })?;
            tracing::warn!(time, by = caller.key.name, reason, "an operator confirmed which time is right");
            if let Err(error) = remember(clock, request.store()).await {
                tracing::warn!(%error, "cannot remember the confirmed time; the next start may ask again");
            }
            Ok(request.meta.data(ClockView::of(&status)))
        })
        .await
}

/// Which time the service goes by.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "state": "in_doubt", "time": "2026-11-23T12:00:05Z",
    "wall_time": "2026-12-23T12:00:05Z", "kept_time": "2026-11-23T12:00:05Z",
    "difference_seconds": 2_592_000, "reason": "jumped", "since": "2026-11-23T12:00:00Z",
    "message": "The machine's clock jumped. Nothing expires until it is settled which time is right." }))]
pub(super) struct ClockView {
    #[schema(value_type = ClockStateName)]
    state: &'static str,
    /// The time that the service goes by.
    #[schema(format = DateTime)]
    time: String,
    /// The machine's clock.
    #[schema(format = DateTime)]
    wall_time: String,
    /// The last trusted time, and what has passed since.
    #[schema(format = DateTime)]
    kept_time: String,
    /// How far the machine's clock is ahead of the kept time; negative where it is behind.
    difference_seconds: i64,
    #[schema(value_type = Option<ClockReason>)]
    reason: Option<&'static str>,
    /// Since when the clock is in this state; null while it is trusted.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// What is wrong, what it means, and what to do.
    message: Option<String>,
}

impl ClockView {
    pub(super) fn of(status: &ClockStatus) -> Self {
        Self {
            state: status.state.as_str(),
            time: rfc3339(status.now()),
            wall_time: rfc3339(status.wall),
            kept_time: rfc3339(status.kept),
            difference_seconds: status.difference_seconds(),
            reason: status.why.map(|why| why.as_str()),
            since: status.since.map(rfc3339),
            message: message(status),
        }
    }
}

/// What is wrong with the clock, in words. None while it is trusted.
fn message(status: &ClockStatus) -> Option<String> {
    let doubt = status.why?;
    let why = doubt.in_words();
    let lacks = match doubt {
        Doubt::Jumped | Doubt::JumpedBetweenRuns => "",
        Doubt::BeforeLastWritten | Doubt::FarAfterLastWritten => {
            " The kept time lacks how long the machine was off."
        }
    };
    let difference = status.difference_seconds();
    let apart = difference.unsigned_abs();
    let direction = if difference < 0 { "behind" } else { "ahead of" };
    match status.state {
        ClockState::Trusted => None,
        ClockState::InDoubt => Some(format!(
            "The clock is in doubt: {why}. It is {apart} seconds {direction} the kept time.{lacks} Until it \
             is settled which of the two is right, no credits and no holds expire, and a webhook that fits \
             neither time is answered 503. Set this machine's clock, or confirm a time: \
             `faireplace clock confirm`."
        )),
        ClockState::Kept => Some(format!(
            "This machine's clock is wrong: it is {apart} seconds {direction} the confirmed time, by which \
             the service goes. Set this machine's clock; it is trusted again once it agrees."
        )),
    }
}
