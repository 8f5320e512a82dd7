//! `GET /api/admin/status`: the state of the service, for operators and monitoring.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Serialize;
use store::DeliveryHealth;
use utoipa::ToSchema;

use crate::answer::{Data, Problem, rfc3339};
use crate::api::Operator;
use crate::api::admin::clock::ClockView;
use crate::api::admin::restore;
use crate::schema::ModeName;

/// Retrieve the status of the service
///
/// Shows the backlog, the quarantine, the clock, and counts of webhook deliveries since the start.
#[utoipa::path(get, path = "/api/admin/status", operation_id = "status", tag = "Operation",
    responses((status = 200, body = Data<StatusView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Result<Data<StatusView>, Problem> {
    request.query.only(&[])?;
    let health = request.store().health().await?;
    let notices = request.store().delivery_health().await?;
    let counters = &request.app.counters;
    Ok(Data::of(StatusView {
        mode: request.app.mode.as_str(),
        events: health.events,
        pending: health.pending,
        oldest_pending_at: health.oldest_pending.map(rfc3339),
        last_event_at: health.last_event.map(rfc3339),
        quarantined: health.quarantined,
        transactions: health.transactions,
        notices: Notices::of(notices),
        clock: ClockView::of(&request.app.clock.status()),
        restore: request.store().unconfirmed_restore().await?.map(|restore| UnconfirmedRestore {
            restored_at: rfc3339(restore.restored_at),
            message: restore::message(&restore),
        }),
        since_start: SinceStart {
            accepted: counters.accepted.load(Ordering::Relaxed),
            duplicates: counters.duplicates.load(Ordering::Relaxed),
            unavailable: counters.unavailable.load(Ordering::Relaxed),
            signature_faults: counters.faults().collect(),
            log_lines_dropped: request.app.log_lines_dropped.load(Ordering::Relaxed),
        },
    }))
}

/// The status of the service.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "mode": "live", "events": 1, "pending": 0, "oldest_pending_at": null,
    "last_event_at": "2026-11-23T12:00:00Z", "quarantined": 0, "transactions": 1,
    "notices": { "endpoints": 1, "failing": 0, "pending": 0, "next_due_at": null, "disabled": [] },
    "clock": { "state": "trusted", "time": "2026-11-23T12:00:02Z", "wall_time": "2026-11-23T12:00:02Z",
        "kept_time": "2026-11-23T12:00:02Z", "difference_seconds": 0, "reason": null, "since": null,
        "message": null },
    "restore": null,
    "since_start": { "accepted": 1, "duplicates": 0, "unavailable": 0,
        "signature_faults": { "missing": 0, "malformed": 0, "no_v1": 0, "mismatch": 0, "stale": 0,
            "future": 0 }, "log_lines_dropped": 0 } }))]
pub(crate) struct StatusView {
    #[schema(value_type = ModeName)]
    mode: &'static str,
    /// Events stored.
    events: i64,
    /// Events that are waiting to be applied.
    pending: i64,
    #[schema(format = DateTime)]
    oldest_pending_at: Option<String>,
    #[schema(format = DateTime)]
    last_event_at: Option<String>,
    /// Open quarantine items.
    quarantined: i64,
    transactions: i64,
    notices: Notices,
    /// The clock of the service.
    clock: ClockView,
    /// The restore that awaits confirmation; null if there is none.
    restore: Option<UnconfirmedRestore>,
    since_start: SinceStart,
}

/// A restore that awaits confirmation.
#[derive(Serialize, ToSchema)]
struct UnconfirmedRestore {
    #[schema(format = DateTime)]
    restored_at: String,
    /// What it means, and what to do.
    message: String,
}

/// The state of webhook endpoints and deliveries.
#[derive(Serialize, ToSchema)]
struct Notices {
    /// Enabled endpoints.
    endpoints: i64,
    /// Enabled endpoints whose recent attempts have all failed.
    failing: i64,
    /// Pending deliveries; at most 10,000 are counted.
    pending: i64,
    /// When the next pending delivery is or was due. If this is far in the past, deliveries are late.
    #[schema(format = DateTime)]
    next_due_at: Option<String>,
    /// Disabled endpoints, latest first; at most 100.
    disabled: Vec<DisabledEndpoint>,
}

/// A disabled endpoint.
#[derive(Serialize, ToSchema)]
struct DisabledEndpoint {
    id: String,
    /// Why it was disabled, in words.
    reason: String,
}

impl Notices {
    fn of(health: DeliveryHealth) -> Self {
        let disabled = health.disabled.into_iter();
        Self {
            endpoints: health.endpoints,
            failing: health.failing,
            pending: health.pending,
            next_due_at: health.next_due.map(rfc3339),
            disabled: disabled.map(|one| DisabledEndpoint { id: one.endpoint, reason: one.reason }).collect(),
        }
    }
}

/// Counts of webhook deliveries since this process started.
#[derive(Serialize, ToSchema)]
struct SinceStart {
    /// Deliveries stored and acknowledged.
    accepted: u64,
    /// Of these, deliveries of a known event.
    duplicates: u64,
    /// Deliveries that received 503; Stripe retries them.
    unavailable: u64,
    /// Refused signatures, by reason.
    signature_faults: BTreeMap<&'static str, u64>,
    /// Log lines dropped, because nothing read the log fast enough.
    log_lines_dropped: u64,
}
