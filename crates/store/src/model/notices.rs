//! Outgoing webhooks: notices, endpoints, deliveries and attempts. `engine` renders, signs and retries them.

use std::collections::HashSet;
use std::fmt;

use ledger::{TenantId, Timestamp, named};

/// A signing secret: `whsec_` and base64. `Debug` does not reveal it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(pub String);

impl SigningSecret {
    /// The secret, to show it once to its owner and to sign.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

/// A notice of something that happened, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its sequence number.
    pub seq: i64,
    /// `msg_…`, the same in every attempt.
    pub id: String,
    /// The tenant that it concerns.
    pub tenant: TenantId,
    /// Its type, e.g. `credits.granted`.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// The notice's data, as JSON.
    pub data: String,
}

/// The sequence numbers of the stored notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoticeRange {
    /// The last pruned notice; 0 if none was. Notices up to it may be missing.
    pub pruned: i64,
    /// The newest notice; 0 if there was none.
    pub latest: i64,
}

/// A webhook endpoint, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRow {
    /// `ep_…`.
    pub id: String,
    /// The tenant whose notices it receives; `None` for all tenants.
    pub tenant: Option<TenantId>,
    /// The URL.
    pub url: String,
    /// The subscribed types; `*` for all.
    pub types: Vec<String>,
    /// The owner's description.
    pub description: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Until when the previous secret also signs.
    pub old_secret_until: Option<Timestamp>,
    /// Since when every attempt has failed; `None` if the last one succeeded.
    pub failing_since: Option<Timestamp>,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
    /// Why it was disabled.
    pub disabled_reason: Option<String>,
}

impl EndpointRow {
    /// A new endpoint without a description.
    pub fn new(
        id: String,
        tenant: Option<TenantId>,
        url: String,
        types: Vec<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            url,
            types,
            description: String::new(),
            created_at,
            old_secret_until: None,
            failing_since: None,
            disabled_at: None,
            disabled_reason: None,
        }
    }
}

/// The notices of one tenant for one endpoint. First attempts are made in order, one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryQueue {
    /// The endpoint.
    pub endpoint: String,
    /// The tenant.
    pub tenant: TenantId,
}

/// Limits for concurrent deliveries, and what is already in progress. A failing endpoint gets one queue.
/// Endpoints that are failing or slow (degraded) have limits of their own, so that they do not delay the
/// others.
#[derive(Clone, Debug, Default)]
pub struct DispatchBudget {
    /// Queues with deliveries in progress; nothing more is taken from them.
    pub busy: Vec<DeliveryQueue>,
    /// Endpoints that respond slowly.
    pub slow_endpoints: HashSet<String>,
    /// Concurrent queues of endpoints that are not degraded.
    pub max_queues: usize,
    /// Concurrent queues of degraded endpoints.
    pub max_degraded_queues: usize,
    /// Concurrent queues of one endpoint.
    pub max_queues_per_endpoint: usize,
    /// Notices of one queue that are taken at once.
    pub max_notices_per_queue: usize,
}

/// A delivery that is due.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// The endpoint.
    pub endpoint: String,
    /// Its URL.
    pub url: String,
    /// The secrets to sign with, the current one first.
    pub secrets: Vec<SigningSecret>,
    /// The notice.
    pub notice: NoticeRow,
    /// Since when it has been due.
    pub due_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
}

impl DueDelivery {
    /// The queue that it belongs to.
    pub fn queue(&self) -> DeliveryQueue {
        DeliveryQueue { endpoint: self.endpoint.clone(), tenant: self.notice.tenant }
    }
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It was delivered.
    Delivered,
    /// It is retried at this time.
    RetryAt(Timestamp),
    /// No retries are left; it is sent again only on request.
    Exhausted,
    /// The endpoint is gone: it is disabled, and nothing more is sent to it.
    Gone,
}

/// A finished attempt.
#[derive(Clone, Debug)]
pub struct FinishedAttempt {
    /// The endpoint.
    pub endpoint: String,
    /// The notice.
    pub notice: i64,
    /// Since when it had been due when the attempt began.
    pub due_at: Timestamp,
    /// The response's status, if there was a response.
    pub status: Option<u16>,
    /// The error, as text; `None` if it was delivered.
    pub error: Option<String>,
    /// What follows, unless the notice was requested again during the attempt.
    pub outcome: AttemptOutcome,
}

/// An endpoint that was disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// The endpoint.
    pub endpoint: String,
    /// The reason, as text.
    pub reason: String,
}

named! {
    /// The state of a delivery.
    DeliveryState {
        /// It is due now or later.
        Pending = "pending",
        /// It was delivered.
        Delivered = "delivered",
        /// No retries are left.
        GivenUp = "given_up",
    }
}

/// A delivery as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The notice's sequence number.
    pub seq: i64,
    /// The notice.
    pub notice: String,
    /// Its type.
    pub kind: String,
    /// The tenant that it concerns.
    pub tenant: TenantId,
    /// When it happened.
    pub created_at: Timestamp,
    /// Its state.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When the last one was made.
    pub attempted_at: Option<Timestamp>,
    /// When the next one is due.
    pub due_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// The status of the last response.
    pub status: Option<i64>,
    /// The error of the last attempt.
    pub error: Option<String>,
}

/// The state of endpoints and deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryHealth {
    /// Enabled endpoints.
    pub endpoints: i64,
    /// Those of them whose recent attempts have all failed.
    pub failing: i64,
    /// Disabled endpoints, the latest first; at most 100 are listed.
    pub disabled: Vec<Disabled>,
    /// Pending deliveries; at most 10,000 are counted.
    pub pending: i64,
    /// When the next pending delivery is or was due.
    pub next_due: Option<Timestamp>,
}
