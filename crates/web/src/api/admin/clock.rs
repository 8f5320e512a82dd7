//! `/api/admin/clock`: the time that the service uses, and confirming which time is right. `engine::clock`
//! decides when a clock is in doubt.

use engine::clock::{ClockState, ClockStatus, Doubt, TimeCandidate, remember};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions;
use crate::answer::{Data, Problem, ProblemKind, rfc3339};
use crate::api::{Operator, ReceivedBody, body};
use crate::schema::{ClockReason, ClockStateName, ClockTime};

/// Retrieve the clock
///
/// Shows the time that the service uses. After the machine's clock jumps, the clock is in doubt, and no
/// credits or holds expire until it is known which time is right.
#[utoipa::path(get, path = "/api/admin/clock", operation_id = "show_clock", tag = "Operation",
    responses((status = 200, body = Data<ClockView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Result<Data<ClockView>, Problem> {
    request.query.only(&[])?;
    Ok(Data::of(ClockView::of(&request.app.clock.status())))
}

/// The confirmation of a time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "time": "wall", "reason": "compared with time.nist.gov" }))]
struct ClockConfirmation {
    #[schema(value_type = ClockTime)]
    time: String,
    /// The reason; written to the log with the name of the key.
    reason: String,
}

/// Confirm which time is right
///
/// The clock is then no longer in doubt. Credits and holds whose expiry is before the confirmed time expire
/// at once, so compare it with another clock first. The confirmation is written to the log.
#[utoipa::path(post, path = "/api/admin/clock/confirm", operation_id = "confirm_clock", tag = "Operation",
    request_body = ClockConfirmation,
    responses((status = 200, body = Data<ClockView>), (status = 409, description = "CLOCK_NOT_IN_DOUBT")))]
pub(crate) async fn confirm(
    Operator { request, caller }: Operator,
    received: ReceivedBody,
) -> Result<Data<ClockView>, Problem> {
    request.query.only(&[])?;
    let ClockConfirmation { time, reason } = body(&request, received)?;
    let side = TimeCandidate::from_name(&time).ok_or_else(|| Problem::value("time", "`wall` or `kept`"))?;
    let reason = actions::reason(reason)?;
    let clock = &request.app.clock;
    let status = clock.confirm(side).ok_or_else(|| {
        let message = "The clock is not in doubt, so there is nothing to confirm. Nothing was changed.";
        Problem::new(ProblemKind::ClockNotInDoubt, message)
    })?;
    tracing::warn!(time, by = caller.key.name, reason, "an operator confirmed which time is right");
    if let Err(error) = remember(clock, request.store()).await {
        tracing::warn!(%error, "cannot remember the confirmed time; the next start may ask again");
    }
    Ok(Data::of(ClockView::of(&status)))
}

/// The clock of the service.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "state": "in_doubt", "time": "2026-11-23T12:00:05Z",
    "wall_time": "2026-12-23T12:00:05Z", "kept_time": "2026-11-23T12:00:05Z",
    "difference_seconds": 2_592_000, "reason": "jumped", "since": "2026-11-23T12:00:00Z",
    "message": "The machine's clock jumped. Nothing expires until it is known which time is right." }))]
pub(crate) struct ClockView {
    #[schema(value_type = ClockStateName)]
    state: &'static str,
    /// The time that the service uses.
    #[schema(format = DateTime)]
    time: String,
    /// The machine's clock.
    #[schema(format = DateTime)]
    wall_time: String,
    /// The last trusted time plus the time elapsed since.
    #[schema(format = DateTime)]
    kept_time: String,
    /// Seconds by which the machine's clock is ahead of the kept time; negative if it is behind.
    difference_seconds: i64,
    #[schema(value_type = Option<ClockReason>)]
    reason: Option<&'static str>,
    /// When the clock entered this state; null while it is trusted.
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

/// What is wrong with the clock; None while it is trusted.
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
