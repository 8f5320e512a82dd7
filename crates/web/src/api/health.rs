//! `GET /api/health`: may this instance be sent traffic? Open to everyone, so it tells no more than that and
//! how far behind it is. It says no only where deliveries cannot be stored: a load balancer that removed an
//! instance for less would stop everybody.

use std::time::Duration;

use axum::response::Response;
use engine::Clock;
use engine::clock::ClockState;
use serde::Serialize;
use serde_json::json;
use store::{Store, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use super::Request;
use crate::answer::{Data, Problem, ProblemKind};
use crate::schema::{DegradedReason, HealthStatus, ModeName};

/// How long a write that proves that deliveries can be stored is proof of it.
const PROOF: Duration = Duration::from_secs(1);
/// How long health waits for that write. A load balancer does not wait for much longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// After how long a write that has not come back means that deliveries cannot be stored: they may take as
/// long.
const STALLED: Duration = Duration::from_secs(5);
/// How long counting may take.
const COUNT: Duration = Duration::from_millis(500);

/// May this instance be sent traffic?
///
/// Open to everyone, so it tells no more than that and how far behind it is. A degraded instance takes
/// traffic: a load balancer that removed it would stop everybody. It answers 503 only while deliveries cannot
/// be stored; Stripe is answered 503 then too, and sends them again.
#[utoipa::path(get, path = "/api/health", operation_id = "health", tag = "Service", security(()),
    responses((status = 200, body = Data<Health>), (status = 503, description = "CANNOT_STORE")))]
pub(crate) async fn show(request: Request) -> Response {
    request
        .answer(async |request| {
            let app = &request.app;
            let mut reasons = reasons(&app.clock);
            if app.writes.check(&app.store).await.map_err(cannot_store)? == Written::NotYet {
                reasons.push(WRITES_SLOW);
            }
            let counts = timeout(COUNT, app.store.health()).await.ok().and_then(Result::ok);
            match &counts {
                Some(counts) if counts.restore_unconfirmed => reasons.push(RESTORE_UNCONFIRMED),
                Some(_) => {}
                None => reasons.push(COUNTS_UNAVAILABLE),
            }
            Ok(request.meta.data(Health {
                status: if reasons.is_empty() { OK } else { DEGRADED },
                reasons,
                mode: request.app.mode.as_str(),
                version: env!("CARGO_PKG_VERSION"),
                pending: counts.as_ref().map(|counts| counts.pending),
                endpoints_disabled: counts.as_ref().map(|counts| counts.endpoints_disabled),
            }))
        })
        .await
}

/// Whether deliveries can be stored, found out by storing something. However many ask, there is one write.
#[derive(Debug, Default)]
pub(crate) struct Writes(watch::Sender<Proof>);

/// The last write that came back, and the one that is under way.
#[derive(Clone, Copy, Debug, Default)]
struct Proof {
    last: Option<(Instant, Result<(), CannotStore>)>,
    began: Option<Instant>,
}

/// What a write says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// It is on disk.
    Yes,
    /// It takes longer than usual.
    NotYet,
}

/// Why deliveries cannot be stored.
#[derive(Clone, Copy, Debug)]
enum CannotStore {
    /// A write failed.
    Failing,
    /// A write does not come back.
    Stalled,
    /// The database takes no more writes, and the service is stopping.
    Closed,
}

impl Writes {
    /// Writes, unless that was done within the last second.
    async fn check(&self, store: &Store) -> Result<Written, CannotStore> {
        let fresh = |proof: &Proof| proof.last.filter(|(at, _)| at.elapsed() < PROOF);
        let mut proofs = self.0.subscribe();
        if fresh(&proofs.borrow()).is_none() {
            self.begin(store);
        }
        match timeout(PATIENCE, proofs.wait_for(|proof| fresh(proof).is_some())).await {
            Ok(Ok(proof)) => {
                proof.last.map_or(Ok(Written::NotYet), |(_, result)| result.map(|()| Written::Yes))
            }
            // The sender is ours.
            Ok(Err(_)) => Ok(Written::NotYet),
            Err(_) if self.0.borrow().began.is_some_and(|began| began.elapsed() >= STALLED) => {
                Err(CannotStore::Stalled)
            }
            Err(_) => Ok(Written::NotYet),
        }
    }

    /// Begins a write, unless one is under way. It goes on when whoever asked goes away.
    fn begin(&self, store: &Store) {
        let is_first = self.0.send_if_modified(|proof| {
            proof.began.is_none() && {
                proof.began = Some(Instant::now());
                true
            }
        });
        if !is_first {
            return;
        }
        let (proofs, store) = (self.0.clone(), store.clone());
        tokio::spawn(async move {
            let result = match store.check_writable().await {
                Ok(()) => Ok(()),
                Err(StoreError::Closed | StoreError::FileChanged(_)) => Err(CannotStore::Closed),
                Err(StoreError::Busy) => Err(CannotStore::Stalled),
                Err(error) => {
                    tracing::error!(%error, "health: nothing can be stored, so deliveries are answered 503");
                    Err(CannotStore::Failing)
                }
            };
            proofs.send_replace(Proof { last: Some((Instant::now(), result)), began: None });
        });
    }
}

fn cannot_store(why: CannotStore) -> Problem {
    let (reason, message) = match why {
        CannotStore::Failing => (
            "writes_failing",
            "Deliveries cannot be stored: writes fail. Is the disk full? The log says more. Stripe is \
             answered 503 and sends them again.",
        ),
        CannotStore::Stalled => (
            "writes_stalled",
            "Deliveries cannot be stored: writes do not come back. Stripe is answered 503 and sends them \
             again.",
        ),
        CannotStore::Closed => (
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

/// What health can be.
pub(crate) const STATUSES: [&str; 2] = [OK, DEGRADED];
/// Why it can be degraded: nobody knows what time it is; the service goes by a confirmed time, and the
/// machine's clock is wrong; nobody has confirmed what was restored from a backup; the disk takes longer than
/// a second; or reading takes so long that nobody knows how far behind it is.
pub const DEGRADED_REASONS: [&str; 5] =
    [CLOCK_IN_DOUBT, WALL_CLOCK_WRONG, RESTORE_UNCONFIRMED, WRITES_SLOW, COUNTS_UNAVAILABLE];

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
    /// An instance that cannot take traffic answers 503 instead.
    #[schema(value_type = HealthStatus)]
    status: &'static str,
    /// Why it is degraded; `GET /api/admin/status` says more.
    #[schema(value_type = Vec<DegradedReason>)]
    reasons: Vec<&'static str>,
    #[schema(value_type = ModeName)]
    mode: &'static str,
    /// Of the program.
    version: &'static str,
    /// Events that wait to be applied; null where they could not be counted in time.
    pending: Option<i64>,
    /// Webhook endpoints that are told nothing until somebody enables them; at most 100 are counted. Null
    /// where they could not be counted in time.
    endpoints_disabled: Option<i64>,
}
