//! What crosses the border of the store about telling others: notices, endpoints, deliveries, attempts.
//! Not here: how a notice is rendered and signed, and when it is tried again (`engine`).

use std::collections::HashSet;
use std::fmt;

use ledger::{TenantId, Timestamp, named};

/// What an endpoint's notices are signed with: `whsec_` and base64. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(pub String);

impl SigningSecret {
    /// The secret itself, for its one reader and for signing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

/// Something that others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its place in the order in which things happened.
    pub seq: i64,
    /// `msg_…`, the same in every attempt.
    pub id: String,
    /// Whose.
    pub tenant: TenantId,
    /// Its type, e.g. `credits.granted`.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, as JSON.
    pub data: String,
}

/// Which notices there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoticeRange {
    /// The last one that was pruned; 0 when none was. Notices up to it may be missing.
    pub pruned: i64,
    /// The last one that was written; 0 when none was.
    pub latest: i64,
}

/// Who is told. Without the secrets, which only a delivery needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRow {
    /// `ep_…`.
    pub id: String,
    /// Whose notices; none for those of all tenants.
    pub tenant: Option<TenantId>,
    /// Where to.
    pub url: String,
    /// Which types; `*` is all of them.
    pub types: Vec<String>,
    /// In its owner's words.
    pub description: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when the secret before the current one signs too.
    pub old_secret_until: Option<Timestamp>,
    /// Since when every attempt has failed; none while they succeed.
    pub failing_since: Option<Timestamp>,
    /// Since when nothing is sent to it.
    pub disabled_at: Option<Timestamp>,
    /// Why not, in words.
    pub disabled_reason: Option<String>,
}

impl EndpointRow {
    /// One that is new, and that nothing is said of.
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

/// One endpoint's notices of one tenant: they are first tried in order, one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The endpoint.
    pub endpoint: String,
    /// The tenant.
    pub tenant: TenantId,
}

/// How much may be under way at a time, and what is already. An endpoint that is failing gets one lane; those
/// that are failing or slow come last, and have places of their own, so that they take none of the others'.
#[derive(Clone, Debug, Default)]
pub struct DispatchBudget {
    /// Lanes that are under way: nothing of theirs is taken.
    pub busy: Vec<Lane>,
    /// Endpoints that are slow to answer.
    pub slow: HashSet<String>,
    /// Lanes of endpoints that are neither failing nor slow.
    pub lanes: usize,
    /// Lanes of the others.
    pub late_lanes: usize,
    /// Lanes of one endpoint.
    pub lanes_per_endpoint: usize,
    /// Notices of one lane that are taken at once.
    pub notices_per_lane: usize,
}

/// A delivery that is due.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// Where to.
    pub endpoint: String,
    /// Its address.
    pub url: String,
    /// The secrets to sign with, the current one first.
    pub secrets: Vec<SigningSecret>,
    /// What.
    pub notice: NoticeRow,
    /// Since when it has been due.
    pub due_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
}

impl DueDelivery {
    /// What it must wait for its turn in.
    pub fn lane(&self) -> Lane {
        Lane { endpoint: self.endpoint.clone(), tenant: self.notice.tenant }
    }
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It arrived.
    Delivered,
    /// It is tried again then.
    Again(Timestamp),
    /// It is not tried again, unless somebody asks for it.
    GivenUp,
    /// It is not tried again, and nothing else is sent to this endpoint: it said that it is gone.
    Gone,
}

/// One attempt that was made.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// At this endpoint.
    pub endpoint: String,
    /// Of this notice.
    pub notice: i64,
    /// Since when it had been due, when it was taken.
    pub due_at: Timestamp,
    /// The answer's status, if one came.
    pub status: Option<u16>,
    /// What went wrong, in words; none when it arrived.
    pub error: Option<String>,
    /// What follows, unless the notice was asked for again meanwhile.
    pub fate: AttemptOutcome,
}

/// An endpoint that was just disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// Which.
    pub endpoint: String,
    /// Why, in words.
    pub reason: String,
}

named! {
    /// Where a delivery stands.
    DeliveryState {
        /// It is tried, or tried again.
        Pending = "pending",
        /// It arrived.
        Delivered = "delivered",
        /// It is not tried any more.
        GivenUp = "given_up",
    }
}

/// A delivery as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The notice's place in the order in which things happened.
    pub seq: i64,
    /// The notice.
    pub notice: String,
    /// Its type.
    pub kind: String,
    /// Whose.
    pub tenant: TenantId,
    /// When it happened.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// The last of them.
    pub attempted_at: Option<Timestamp>,
    /// The next one.
    pub due_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<i64>,
    /// What went wrong in the last attempt.
    pub error: Option<String>,
}

/// How telling others is going.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeHealth {
    /// Endpoints that are told.
    pub endpoints: i64,
    /// Of these, those whose every attempt has failed lately.
    pub failing: i64,
    /// Endpoints that are told nothing any more, until somebody enables them.
    pub disabled: Vec<Disabled>,
    /// Deliveries that are not made yet; at most 10,000 are counted.
    pub pending: i64,
    /// The moment at which the next of them is, or should have been, tried.
    pub next_due: Option<Timestamp>,
}
