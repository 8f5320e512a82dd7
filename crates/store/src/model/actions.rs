//! Operators' actions: the request, its state and its result.

use std::collections::BTreeMap;

use ledger::{
    Balance, Credits, Minor, ObjectId, Outcome, Reason, Refusal, RulingRefused, TenantId, Timestamp, named,
};
use serde::{Deserialize, Serialize};

use super::{KeyRow, PersonRow};

/// The maximum number of quarantine items in one decision. More would block other writes for too long.
pub const MAX_BULK_ITEMS: usize = 500;

named! {
    /// The kind of an operator's action.
    ActionKind {
        /// Added or removed credits.
        Adjustment = "adjustment",
        /// Forgave a debt.
        WriteOff = "write_off",
        /// Resolved quarantine items.
        QuarantineResolve = "quarantine_resolve",
        /// Dismissed quarantine items.
        QuarantineDismiss = "quarantine_dismiss",
        /// Created an API key.
        KeyCreate = "key_create",
        /// Replaced an API key.
        KeyRotate = "key_rotate",
        /// Revoked an API key.
        KeyRevoke = "key_revoke",
        /// Registered a person.
        PersonAdd = "person_add",
        /// Removed a person.
        PersonRemove = "person_remove",
        /// Replaced people who lost access, with the service stopped.
        Recovery = "recovery",
        /// Confirmed a restore from a backup.
        RestoreConfirm = "restore_confirm",
    }
}

named! {
    /// The state of an action.
    ActionState {
        /// It waits for a second person and has had no effect yet.
        Waiting = "waiting",
        /// It was executed.
        Done = "done",
        /// It could not be executed.
        Refused = "refused",
        /// A second person rejected it.
        Rejected = "rejected",
    }
}

/// What an operator requests. The stored request states every figure, so that both people agree on the same
/// figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionRequest {
    /// Add credits, or with a negative number remove available ones.
    Adjustment {
        /// The tenant.
        tenant: TenantId,
        /// The number of credits; not zero.
        credits: i64,
        /// The burn priority of added credits, from 0 to 100; the smallest burns first.
        priority: u8,
        /// When added credits expire.
        expires_at: Option<Timestamp>,
    },
    /// Forgive a debt.
    WriteOff {
        /// The tenant.
        tenant: TenantId,
        /// The amount; `None` for the whole debt. The stored request states the figure at the time of the
        /// request.
        credits: Option<Credits>,
    },
    /// Grant quarantined payments, or apply a quarantined event again.
    QuarantineResolve {
        /// The items.
        items: Items,
        /// The terms, for a single payment.
        terms: GrantTerms,
    },
    /// Grant nothing, and take back what was granted.
    QuarantineDismiss {
        /// The items.
        items: Items,
    },
    /// Create a key.
    KeyCreate {
        /// The key. `created_at` is set when it is created.
        key: KeyRow,
        /// The hash of its secret.
        hash: [u8; 32],
    },
    /// Replace a key with one of the same holder, name and expiry.
    KeyRotate {
        /// The id of the key.
        id: String,
        /// The id of the new one.
        new_id: String,
        /// The hash of its secret.
        hash: [u8; 32],
        /// Seconds for which the old key stays valid after the replacement.
        grace_seconds: i64,
    },
    /// Revoke a key.
    KeyRevoke {
        /// The id of the key.
        id: String,
    },
    /// Register a person, with a first key.
    PersonAdd {
        /// The person.
        person: PersonRow,
        /// Their first key.
        key: KeyRow,
        /// The hash of its secret.
        hash: [u8; 32],
    },
    /// Remove a person and revoke their keys.
    PersonRemove {
        /// The person's id.
        id: String,
    },
    /// Replace people who lost access. Only [`crate::Store::recover`] executes it.
    Recovery {
        /// The ids of the removed people.
        removed: Vec<String>,
        /// The new person.
        person: PersonRow,
    },
    /// Confirm a restore from a backup: the service resumes.
    RestoreConfirm {
        /// When the database was restored.
        restored_at: Timestamp,
        /// The file that was restored.
        source: String,
    },
}

impl ActionRequest {
    /// Whether executing it moves credits.
    pub fn moves_credits(&self) -> bool {
        match self {
            Self::Adjustment { .. }
            | Self::WriteOff { .. }
            | Self::QuarantineResolve { .. }
            | Self::QuarantineDismiss { .. } => true,
            Self::KeyCreate { .. }
            | Self::KeyRotate { .. }
            | Self::KeyRevoke { .. }
            | Self::PersonAdd { .. }
            | Self::PersonRemove { .. }
            | Self::Recovery { .. }
            | Self::RestoreConfirm { .. } => false,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Adjustment { .. } => ActionKind::Adjustment,
            Self::WriteOff { .. } => ActionKind::WriteOff,
            Self::QuarantineResolve { .. } => ActionKind::QuarantineResolve,
            Self::QuarantineDismiss { .. } => ActionKind::QuarantineDismiss,
            Self::KeyCreate { .. } => ActionKind::KeyCreate,
            Self::KeyRotate { .. } => ActionKind::KeyRotate,
            Self::KeyRevoke { .. } => ActionKind::KeyRevoke,
            Self::PersonAdd { .. } => ActionKind::PersonAdd,
            Self::PersonRemove { .. } => ActionKind::PersonRemove,
            Self::Recovery { .. } => ActionKind::Recovery,
            Self::RestoreConfirm { .. } => ActionKind::RestoreConfirm,
        }
    }
}

/// Terms that an operator sets for a granted payment. The payment's own terms apply where a field is unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantTerms {
    /// The tenant that receives the credits.
    pub tenant: Option<TenantId>,
    /// The number of credits.
    pub credits: Option<Credits>,
    /// The amount paid, in minor units.
    pub amount: Option<Minor>,
    /// Lower-case ISO 4217 code.
    pub currency: Option<String>,
    /// The payment intent, by which refunds and disputes are matched.
    pub payment_intent: Option<ObjectId>,
    /// There is no payment intent: an operator takes credits back after refunds.
    pub refunds_by_hand: bool,
}

/// The quarantine items that a decision concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Items {
    /// One, by its number.
    One(i64),
    /// All open items that match a filter.
    Matching {
        /// The filter.
        filter: QuarantineFilter,
        /// The expected number of items; only a preview may omit it.
        expected: Option<i64>,
    },
    /// These items. The stored request of a bulk decision has this form.
    Listed(Vec<i64>),
}

/// A filter for quarantine items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineFilter {
    /// Include closed items. Ignored by decisions, which always concern open items.
    pub all: bool,
    /// Only those with this reason.
    pub reason: Option<Reason>,
    /// Only those about payments of this tenant.
    pub tenant: Option<TenantId>,
    /// Only those opened before this time.
    pub opened_before: Option<Timestamp>,
}

/// A requested action.
#[derive(Clone, Debug)]
pub struct NewAction {
    /// `act_…`.
    pub id: String,
    /// What is requested.
    pub request: ActionRequest,
    /// The reason.
    pub reason: String,
    /// The id of the API key that sent the request.
    pub key: String,
    /// The only registered person executes it without a second one.
    pub alone: bool,
    /// The `Idempotency-Key` and the request's fingerprint, if the route accepts a key.
    pub idempotency_key: Option<(String, [u8; 32])>,
}

/// The credits that one person may move within 24 hours without a second person. Amounts count as absolute
/// values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorLimits {
    /// Of one tenant.
    pub per_tenant: Credits,
    /// Of all tenants together.
    pub total: Credits,
}

/// A person and the API key that they used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The key's id; `None` for a recovery, which needs no key.
    pub key: Option<String>,
    /// The key's name.
    pub key_name: Option<String>,
}

/// A stored action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// `act_…`.
    pub id: String,
    /// The request, with every figure.
    pub request: ActionRequest,
    /// The tenant, if it concerns exactly one.
    pub tenant: Option<TenantId>,
    /// Credits that it moved or would move, as absolute values: what counts against the limits.
    pub credits: Credits,
    /// The reason.
    pub reason: String,
    /// Its state.
    pub state: ActionState,
    /// It needed a second person and was executed without one, because nobody else was registered.
    pub alone: bool,
    /// When it was requested.
    pub asked_at: Timestamp,
    /// Who requested it.
    pub asked_by: Actor,
    /// When a second person decided.
    pub decided_at: Option<Timestamp>,
    /// The second person.
    pub decided_by: Option<Actor>,
    /// Why it was rejected or refused.
    pub note: Option<String>,
    /// Its result; while it waits, the result expected when it was requested.
    pub result: ActionResult,
}

/// The result of an action, or the expected result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionResult {
    /// The effects on credits.
    pub consequences: Consequences,
    /// Its first transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<i64>,
    /// Why the ledger refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The payment's key, if exactly one payment was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// The outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// The effects of an action on credits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Consequences {
    /// The number of decided quarantine items.
    pub items: i64,
    /// Credits granted.
    pub granted: Credits,
    /// The part that is taken back immediately because its money was refunded.
    #[serde(default)]
    pub refunded: Credits,
    /// Credits taken back.
    pub taken_back: Credits,
    /// The part that is already spent or held, and is taken from other lots or becomes debt.
    pub already_used: Credits,
    /// Debt that is created.
    pub debt_created: Credits,
    /// The balances that change. Empty for bulk decisions.
    pub balances: Vec<BalanceChange>,
    /// Credits moved of each tenant, as the limits count them. An approval moves no more than this of any
    /// tenant.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<TenantId, Credits>,
}

/// A tenant's balance before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceChange {
    /// The tenant.
    pub tenant: TenantId,
    /// The balance before.
    pub before: Balance,
    /// The balance after.
    pub after: Balance,
}

/// The result of requesting an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedAction {
    /// It was recorded: executed, refused by the ledger, or waiting.
    Recorded {
        /// Its current state.
        action: Box<ActionRow>,
        /// It was recorded earlier under the same idempotency key.
        replayed: bool,
    },
    /// It was not recorded, and nothing was changed.
    Refused(ActionRefusal),
}

/// The expected effects of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The expected result.
    pub result: ActionResult,
    /// Credits that would count against the limits.
    pub credits: Credits,
    /// Whether it would need a second person.
    pub second_person: bool,
}

/// Why an action was not recorded. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionRefusal {
    /// Its idempotency key was used for another request.
    #[error("this Idempotency-Key was used for another action")]
    IdempotencyKeyReused,
    /// The key acts for no registered person.
    #[error("this key acts for no registered person")]
    NoRegisteredPerson,
    /// A second person is needed, and nobody else is registered.
    #[error("a second person is needed, and nobody else is registered")]
    SecondPersonMissing,
    /// It was to be executed without a second person, but somebody else is registered.
    #[error("somebody else is registered, so a second person must approve")]
    NotAlone,
    /// The credits that it would add have already expired.
    #[error("the credits that it would add have already expired")]
    GrantExpired,
    /// There is no such quarantine item.
    #[error("there is no such quarantine item")]
    NoSuchItem,
    /// The item is already closed, with this resolution.
    #[error("this item is already closed: {0}")]
    ItemClosed(String),
    /// The payments of these items have no tenant or no number of credits to grant.
    #[error("the payments of these items have no tenant or no number of credits: {0:?}")]
    NotGrantable(Vec<i64>),
    /// The ledger refuses to grant the payment on these terms.
    #[error(transparent)]
    Ruling(RulingRefused),
    /// Terms were given for an item about an event, which is applied again as it is.
    #[error("this item is about an event: resolving it applies the event again and accepts no terms")]
    ItemIsEvent,
    /// The number of open items differs from the expected number.
    #[error("{expected} items were expected, and {found} are open")]
    CountDiffers {
        /// Expected.
        expected: i64,
        /// Found.
        found: i64,
    },
    /// More items match than one decision may contain.
    #[error("{0} items match; one decision may contain at most {MAX_BULK_ITEMS}")]
    TooManyItems(i64),
    /// There is no such valid key.
    #[error("there is no such valid key")]
    NoSuchKey,
    /// The key was already replaced.
    #[error("this key was already replaced")]
    KeyReplaced,
    /// The key belongs to another person; only they may rotate it.
    #[error("this key belongs to another person; only they may rotate it")]
    NotYourKey,
    /// A valid key of this kind, or a registered person, already has this name.
    #[error("this name is taken")]
    NameTaken,
    /// There is no such registered person.
    #[error("there is no such registered person")]
    NoSuchPerson,
    /// The person is the only one registered.
    #[error("nobody else is registered, so this person cannot be removed")]
    LastPerson,
    /// The requester has no key of their own. The machine's key stops acting for anybody once a second person
    /// is registered.
    #[error("the requester needs a key of their own: the machine's key acts for a single person only")]
    OwnKeyRequired,
    /// There is no unconfirmed restore.
    #[error("there is no restore to confirm")]
    NoRestore,
}

/// A second person's decision about a waiting action.
#[derive(Clone, Debug)]
pub enum ActionVerdict {
    /// Execute it.
    Approve,
    /// Do not execute it.
    Reject {
        /// The reason.
        reason: String,
    },
}

/// The result of a second person's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecidedAction {
    /// The decision was recorded: the action was executed, refused or rejected.
    Decided(Box<ActionRow>),
    /// The requester may not decide. Nothing was changed.
    SamePerson,
    /// The person or their key was registered after the request. Nothing was changed.
    TooNew,
    /// The key acts for no registered person. Nothing was changed.
    NoRegisteredPerson,
    /// The credits that it would add have already expired. Nothing was changed.
    GrantExpired,
    /// It was already decided, or never waited. Nothing was changed.
    AlreadyDecided(Box<ActionRow>),
}

/// A filter for actions.
#[derive(Clone, Debug, Default)]
pub struct ActionFilter {
    /// Only this state.
    pub state: Option<ActionState>,
    /// Only this kind.
    pub kind: Option<ActionKind>,
    /// Only those requested by this person.
    pub person: Option<String>,
    /// Only those about this tenant.
    pub tenant: Option<TenantId>,
}
