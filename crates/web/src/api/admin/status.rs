//! `GET /api/admin/status`: how the service is doing, for whoever must sleep well.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use axum::response::Response;
use serde::Serialize;
use store::DeliveryHealth;
use utoipa::ToSchema;

use crate::answer::{Data, rfc3339};
use crate::api::Operator;
use crate::api::admin::clock::ClockView;
use crate::api::admin::restore;
use crate::schema::ModeName;

/// How the service is doing
///
/// Backlog, quarantine, the clock, and what happened at the webhook since the start.
#[utoipa::path(get, path = "/api/admin/status", operation_id = "status", tag = "Operation",
    responses((status = 200, body = Data<Status>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let health = request.store().health().await?;
            let notices = request.store().delivery_health().await?;
            let counters = &request.app.counters;
            Ok(request.meta.data(Status {
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
        })
        .await
}

/// How the service is doing.
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
struct Status {
    #[schema(value_type = ModeName)]
    mode: &'static str,
    /// Events that were kept.
    events: i64,
    /// Events that wait to be applied.
    pending: i64,
    #[schema(format = DateTime)]
    oldest_pending_at: Option<String>,
    #[schema(format = DateTime)]
    last_event_at: Option<String>,
    /// Open quarantine items.
    quarantined: i64,
    transactions: i64,
    notices: Notices,
    /// Which time the service goes by.
    clock: ClockView,
    /// The restore that no operator has confirmed; null where there is none.
    restore: Option<UnconfirmedRestore>,
    since_start: SinceStart,
}

/// A restore that no operator has confirmed.
#[derive(Serialize, ToSchema)]
struct UnconfirmedRestore {
    #[schema(format = DateTime)]
    restored_at: String,
    /// What it means, and what to do.
    message: String,
}

/// How telling other systems is going.
#[derive(Serialize, ToSchema)]
struct Notices {
    /// Endpoints that are told.
    endpoints: i64,
    /// Of these, those whose every attempt has failed lately.
    failing: i64,
    /// Deliveries that are not made yet; at most 10,000 are counted.
    pending: i64,
    /// When the next of them is, or should have been, tried. Far in the past, deliveries do not keep up.
    #[schema(format = DateTime)]
    next_due_at: Option<String>,
    /// Endpoints that are told nothing until somebody enables them, the latest first; 100 at most.
    disabled: Vec<DisabledEndpoint>,
}

/// An endpoint that is told nothing any more.
#[derive(Serialize, ToSchema)]
struct DisabledEndpoint {
    id: String,
    /// Why not, in words.
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

/// What happened at the webhook since the start of this process.
#[derive(Serialize, ToSchema)]
struct SinceStart {
    /// Deliveries that were stored and acknowledged.
    accepted: u64,
    /// Of these, deliveries of an event that was there already.
    duplicates: u64,
    /// Deliveries turned away with 503, for Stripe to send again.
    unavailable: u64,
    /// Refused signatures by reason.
    signature_faults: BTreeMap<&'static str, u64>,
    /// Lines that were not written to the log, because nobody read it fast enough.
    log_lines_dropped: u64,
}
