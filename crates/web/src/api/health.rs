//! `GET /api/health`: may this instance be sent traffic? Open to everyone, so it tells no more than that and
//! how far behind it is.

use axum::response::Response;
use engine::Clock;
use engine::clock::ClockState;
use serde::Serialize;
use utoipa::ToSchema;

use super::Request;
use crate::answer::Data;
use crate::schema::{DegradedReason, HealthStatus, Mode};

/// May this instance be sent traffic?
///
/// Open to everyone, so it tells no more than that and how far behind it is. A degraded instance takes
/// traffic: a load balancer that removed it would stop everybody.
#[utoipa::path(get, path = "/api/health", operation_id = "health", tag = "Service", security(()),
    responses((status = 200, body = Data<Health>)))]
pub(crate) async fn show(request: Request) -> Response {
    request
        .answer(async |request| {
            let health = request.store().health().await?;
            let reasons = reasons(&request.app.clock);
            Ok(request.meta.data(Health {
                status: if reasons.is_empty() { OK } else { DEGRADED },
                reasons,
                mode: request.app.mode.as_str(),
                version: env!("CARGO_PKG_VERSION"),
                pending: health.pending,
                endpoints_disabled: health.endpoints_disabled,
            }))
        })
        .await
}

const OK: &str = "ok";
const DEGRADED: &str = "degraded";
const CLOCK_IN_DOUBT: &str = "clock_in_doubt";
const WALL_CLOCK_WRONG: &str = "wall_clock_wrong";

/// What health can be.
pub(crate) const STATUSES: [&str; 2] = [OK, DEGRADED];
/// Why it can be degraded: nobody knows what time it is; or the service goes by a confirmed time, and the
/// machine's clock is wrong.
pub const DEGRADED_REASONS: [&str; 2] = [CLOCK_IN_DOUBT, WALL_CLOCK_WRONG];

/// Why the instance is degraded.
fn reasons(clock: &Clock) -> Vec<&'static str> {
    match clock.status().state {
        ClockState::Trusted => Vec::new(),
        ClockState::InDoubt => vec![CLOCK_IN_DOUBT],
        ClockState::Kept => vec![WALL_CLOCK_WRONG],
    }
}

/// That it works, and how far behind it is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "status": "ok", "reasons": [], "mode": "live", "version": "0.1.0", "pending": 0,
    "endpoints_disabled": 0 }))]
struct Health {
    /// What cannot take traffic answers with an error instead.
    #[schema(value_type = HealthStatus)]
    status: &'static str,
    /// Why it is degraded; `GET /api/admin/status` says more.
    #[schema(value_type = Vec<DegradedReason>)]
    reasons: Vec<&'static str>,
    #[schema(value_type = Mode)]
    mode: &'static str,
    /// Of the program.
    version: &'static str,
    /// Events that wait to be applied.
    pending: i64,
    /// Webhook endpoints that are told nothing until somebody enables them; at most 100 are counted.
    endpoints_disabled: i64,
}
