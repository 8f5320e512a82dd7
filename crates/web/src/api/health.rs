//! `GET /api/health`: whether this instance can take traffic. Open to everyone, so it shows only that and the
//! backlog. It answers 503 only while deliveries cannot be stored: a load balancer that removed an instance
//! for less would stop the whole service.

use std::time::Duration;

use engine::Clock;
use engine::clock::ClockState;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::Request;
use crate::answer::{Data, Problem, ProblemKind};
use crate::schema::{ModeName, name_schemas};
use crate::write_probe::{WriteFailure, WriteResult};

/// How long counting the backlog may take.
const COUNT: Duration = Duration::from_millis(500);

/// Check the health of the instance
///
/// Needs no key, so it shows only the status and the backlog. A degraded instance still accepts traffic. The
/// response is 503 only while deliveries cannot be stored; Stripe then also receives 503, and retries.
#[utoipa::path(get, path = "/api/health", operation_id = "health", tag = "Service", security(()),
    responses((status = 200, body = Data<HealthView>), (status = 503, description = "CANNOT_STORE")))]
pub(crate) async fn show(request: Request) -> Result<Data<HealthView>, Problem> {
    let app = &request.app;
    let mut reasons = reasons(&app.clock);
    if app.write_probe.check(&app.store).await.map_err(cannot_store)? == WriteResult::Slow {
        reasons.push(WRITES_SLOW);
    }
    let counts = timeout(COUNT, app.store.health()).await.ok().and_then(Result::ok);
    match &counts {
        Some(counts) if counts.restore_unconfirmed => reasons.push(RESTORE_UNCONFIRMED),
        Some(_) => {}
        None => reasons.push(COUNTS_UNAVAILABLE),
    }
    Ok(Data::of(HealthView {
        status: if reasons.is_empty() { OK } else { DEGRADED },
        reasons,
        mode: request.app.mode.as_str(),
        version: env!("CARGO_PKG_VERSION"),
        pending: counts.as_ref().map(|counts| counts.pending),
        endpoints_disabled: counts.as_ref().map(|counts| counts.endpoints_disabled),
    }))
}

fn cannot_store(why: WriteFailure) -> Problem {
    let (reason, message) = match why {
        WriteFailure::Failing => (
            "writes_failing",
            "Deliveries cannot be stored: writes fail. Is the disk full? The log says more. Stripe is \
             answered 503 and sends them again.",
        ),
        WriteFailure::Stalled => (
            "writes_stalled",
            "Deliveries cannot be stored: writes do not complete. Stripe gets 503 and sends them \
             again.",
        ),
        WriteFailure::Closed => (
            "database_closed",
            "Deliveries cannot be stored: the database takes no more writes, and this service is stopping. \
             Its last lines say why. Stripe is answered 503 and sends them again.",
        ),
    };
    Problem::new(ProblemKind::CannotStore, message).with_details(json!({ "reasons": [reason] }))
}

const OK: &str = "ok";
const DEGRADED: &str = "degraded";
const CLOCK_IN_DOUBT: &str = "clock_in_doubt";
const WALL_CLOCK_WRONG: &str = "wall_clock_wrong";
const RESTORE_UNCONFIRMED: &str = "restore_unconfirmed";
const WRITES_SLOW: &str = "writes_slow";
const COUNTS_UNAVAILABLE: &str = "counts_unavailable";

/// The values of `status`.
pub(crate) const STATUSES: [&str; 2] = [OK, DEGRADED];
/// The values of `reasons`: the clock is in doubt; the service uses a confirmed time, because the machine's
/// clock is wrong; a restored backup is not confirmed; a write takes longer than a second; or counting the
/// backlog takes too long.
pub const DEGRADED_REASONS: [&str; 5] =
    [CLOCK_IN_DOUBT, WALL_CLOCK_WRONG, RESTORE_UNCONFIRMED, WRITES_SLOW, COUNTS_UNAVAILABLE];

name_schemas! {
    /// The status of an instance.
    HealthStatus: STATUSES.into_iter();
    /// Why the instance is degraded.
    DegradedReason: DEGRADED_REASONS.into_iter();
}

/// Why the instance is degraded, as far as the clock says.
fn reasons(clock: &Clock) -> Vec<&'static str> {
    match clock.status().state {
        ClockState::Trusted => Vec::new(),
        ClockState::InDoubt => vec![CLOCK_IN_DOUBT],
        ClockState::Kept => vec![WALL_CLOCK_WRONG],
    }
}

/// The status of the instance, and its backlog.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "status": "ok", "reasons": [], "mode": "live", "version": "0.1.0", "pending": 0,
    "endpoints_disabled": 0 }))]
pub(crate) struct HealthView {
    /// An instance that cannot accept traffic returns 503 instead.
    #[schema(value_type = HealthStatus)]
    status: &'static str,
    /// Why the instance is degraded; for details see `GET /api/admin/status`.
    #[schema(value_type = Vec<DegradedReason>)]
    reasons: Vec<&'static str>,
    #[schema(value_type = ModeName)]
    mode: &'static str,
    /// The version of the program.
    version: &'static str,
    /// Events that are waiting to be applied; null if they could not be counted in time.
    pending: Option<i64>,
    /// Disabled webhook endpoints; at most 100 are counted. Null if they could not be counted in time.
    endpoints_disabled: Option<i64>,
}
