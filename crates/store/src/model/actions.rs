//! What operators do, as it crosses the border of the store: what they ask for, what became of it, and what
//! it would do.
//! Not here: deciding it (`sqlite/actions`), and the words for people (`web`).

use std::collections::BTreeMap;

use ledger::{
    Balance, Credits, Minor, ObjectId, Outcome, Reason, Refusal, RulingRefused, TenantId, Timestamp, named,
};
use serde::{Deserialize, Serialize};

use super::{KeyRow, PersonRow};

/// Quarantine items that one bulk decision may have. More would keep every other write waiting.
pub const MAX_BULK_ITEMS: usize = 500;

named! {
    /// What an operator did.
    ActionKind {
        /// Gave or took credits by hand.
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
        /// Replaced lost people with the service stopped.
        Recovery = "recovery",
        /// Confirmed that the database was restored from a backup.
        RestoreConfirm = "restore_confirm",
    }
}

named! {
    /// Where an action stands.
    ActionState {
        /// It waits for a second person. Nothing has happened yet.
        Waiting = "waiting",
        /// Done.
        Done = "done",
        /// It could not be done.
        Refused = "refused",
        /// A second person rejected it.
        Rejected = "rejected",
    }
}

/// What an operator asks for. What is kept names every figure, so that two people agree on the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionRequest {
    /// Give credits, or take (negative) available ones.
    Adjustment {
        /// Whose.
        tenant: TenantId,
        /// How many; not zero.
        credits: i64,
        /// Of what is given: its place in the burn order, from 0 to 100.
        priority: u8,
        /// Of what is given: when it ends.
        expires_at: Option<Timestamp>,
    },
    /// Forgive a debt.
    WriteOff {
        /// Whose.
        tenant: TenantId,
        /// How much of it; none for all of it. Kept as the figure that it was when it was asked for.
        credits: Option<Credits>,
    },
    /// Grant what is in quarantine, or read it again where it is an event.
    QuarantineResolve {
        /// Which items.
        items: Items,
        /// What a single one is granted.
        terms: GrantTerms,
    },
    /// Grant nothing, and take back what was granted.
    QuarantineDismiss {
        /// Which items.
        items: Items,
    },
    /// Create a key.
    KeyCreate {
        /// The key; its `created_at` becomes the moment at which it is created.
        key: KeyRow,
        /// The hash of its secret.
        hash: [u8; 32],
    },
    /// Replace a key by one of the same holder, name and end.
    KeyRotate {
        /// The id of the key.
        id: String,
        /// The id of the new one.
        new_id: String,
        /// The hash of its secret.
        hash: [u8; 32],
        /// Seconds for which the old key still works, counted from when it is replaced.
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
    /// Replace lost people. Only [`crate::Store::recover`] does it.
    Recovery {
        /// The ids of those who are removed.
        removed: Vec<String>,
        /// The person who takes their place.
        person: PersonRow,
    },
    /// Confirm a database that was restored from a backup: the service resumes.
    RestoreConfirm {
        /// When it was restored.
        restored_at: Timestamp,
        /// The file that was restored.
        source: String,
    },
}

impl ActionRequest {
    /// Whether it moves credits when it is done.
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

    /// What kind of action it is.
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

/// What a person says of a payment that they grant; where they say nothing, the payment's own word counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantTerms {
    /// Who gets the credits.
    pub tenant: Option<TenantId>,
    /// How many.
    pub credits: Option<Credits>,
    /// What was paid, in minor units.
    pub amount: Option<Minor>,
    /// Three letters, lower case.
    pub currency: Option<String>,
    /// The payment intent behind it, by which refunds and disputes are matched.
    pub payment_intent: Option<ObjectId>,
    /// There is no payment intent: a person takes credits back when money goes back.
    pub refunds_by_hand: bool,
}

/// Which quarantine items a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Items {
    /// One, by its number.
    One(i64),
    /// Every open one that matches.
    Matching {
        /// Which.
        filter: QuarantineFilter,
        /// How many there must be; none where that is not known yet, which only a preview may say.
        expected: Option<i64>,
    },
    /// These: what a bulk decision is kept as.
    Listed(Vec<i64>),
}

/// Which quarantine items to list or to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineFilter {
    /// Closed items too. A decision is about open ones, whatever this says.
    pub all: bool,
    /// Opened for this reason.
    pub reason: Option<Reason>,
    /// About a payment of this tenant.
    pub tenant: Option<TenantId>,
    /// Opened earlier than this.
    pub opened_before: Option<Timestamp>,
}

/// Something that an operator asks for.
#[derive(Clone, Debug)]
pub struct NewAction {
    /// `act_…`.
    pub id: String,
    /// What.
    pub request: ActionRequest,
    /// Why.
    pub reason: String,
    /// The id of the key that asked.
    pub key: String,
    /// The only registered person takes it on themselves.
    pub alone: bool,
    /// The client's `Idempotency-Key` and the fingerprint of what was asked, where the route takes one.
    pub name: Option<(String, [u8; 32])>,
}

/// The credits that one person may move in 24 hours without a second one. Absolute amounts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorLimits {
    /// Of one tenant.
    pub per_tenant: Credits,
    /// Of all tenants together.
    pub total: Credits,
}

/// Who did it: a person, and the key that they used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The key's id; none for a recovery, which needs none.
    pub key: Option<String>,
    /// The key's name.
    pub key_name: Option<String>,
}

/// An action as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// `act_…`.
    pub id: String,
    /// What was asked for.
    pub request: ActionRequest,
    /// The tenant that it is about, where it is about one.
    pub tenant: Option<TenantId>,
    /// Credits that it moved or would move, as absolute amounts: what counts against the limits.
    pub credits: Credits,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: ActionState,
    /// Nobody else was registered who could have decided.
    pub alone: bool,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By whom.
    pub asked_by: Actor,
    /// When a second person decided.
    pub decided_at: Option<Timestamp>,
    /// Who that was.
    pub decided_by: Option<Actor>,
    /// Why it was rejected, or could not be done.
    pub note: Option<String>,
    /// What it did; while it waits, what it would have done when it was asked for.
    pub result: ActionResult,
}

/// What an action did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionResult {
    /// What it means for the credits.
    pub consequences: Consequences,
    /// The transaction that did it; of several, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<i64>,
    /// Why the ledger refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The key of the one payment that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What an action means for the credits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Consequences {
    /// Quarantine items that are decided.
    pub items: i64,
    /// Credits given.
    pub granted: Credits,
    /// Of these, credits that go back at once, because their money has been refunded.
    #[serde(default)]
    pub refunded: Credits,
    /// Credits taken back.
    pub taken_back: Credits,
    /// Of these, credits that are spent or held: other lots or a debt pay for them.
    pub already_used: Credits,
    /// Debt that comes of it.
    pub debt_created: Credits,
    /// The tenants whose balance it changes, before and after. Left out of bulk decisions.
    pub balances: Vec<BalanceChange>,
    /// Credits that it moves of each tenant, as the limits count them. An approval moves no more of any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<TenantId, Credits>,
}

/// What a tenant has and owes, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceChange {
    /// Who.
    pub tenant: TenantId,
    /// Before.
    pub before: Balance,
    /// After.
    pub after: Balance,
}

/// What became of the asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is kept: done, refused by the ledger, or waiting.
    Kept {
        /// As it stands now.
        action: Box<ActionRow>,
        /// It was asked for before, under the same name.
        replayed: bool,
    },
    /// It is not kept, and nothing was changed.
    Refused(ActionRefusal),
}

/// What an action would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What it would do.
    pub result: ActionResult,
    /// Credits that would count against the limits.
    pub credits: Credits,
    /// Whether it would need a second person.
    pub second_person: bool,
}

/// Why an action is not kept. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionRefusal {
    /// Its name was used for something else before.
    #[error("this Idempotency-Key stands for another action")]
    NameReused,
    /// The key acts for no registered person.
    #[error("this key acts for no registered person")]
    NobodyActs,
    /// A second person is needed, and nobody else is registered.
    #[error("a second person is needed, and nobody else is registered")]
    SecondPersonMissing,
    /// It was to be done alone, and somebody else is registered.
    #[error("somebody else is registered, so nothing is done alone")]
    NotAlone,
    /// The credits that it would give have ended by now.
    #[error("the credits that it would give have ended")]
    Ended,
    /// There is no such quarantine item.
    #[error("there is no such quarantine item")]
    NoSuchItem,
    /// The item was closed already, with this resolution.
    #[error("this item is closed already: {0}")]
    ItemClosed(String),
    /// These items name no tenant or no number of credits that could be granted.
    #[error("the payments of these items name no tenant, or no number of credits: {0:?}")]
    NotGrantable(Vec<i64>),
    /// The payment cannot be granted like this.
    #[error(transparent)]
    Ruling(RulingRefused),
    /// Credits or a tenant were named for an event, which is read again as it is.
    #[error("this item is about an event: resolving it reads the event again, as it is")]
    AboutAnEvent,
    /// Another number of items is open than was expected.
    #[error("{expected} items were expected, and {found} are open")]
    CountDiffers {
        /// Expected.
        expected: i64,
        /// Found.
        found: i64,
    },
    /// More items match than one decision may have.
    #[error("{0} items match, and one decision takes at most {MAX_BULK_ITEMS}")]
    TooManyItems(i64),
    /// There is no such key that works.
    #[error("there is no such key that still works")]
    NoSuchKey,
    /// The key was replaced already.
    #[error("this key was replaced already, and whoever did that has the new one")]
    KeyReplaced,
    /// The key is another person's, and only they may replace it.
    #[error("this key is another person's, and only they may rotate it")]
    NotYourKey,
    /// A working key of this kind, or a registered person, has this name.
    #[error("this name is taken")]
    NameTaken,
    /// There is no such registered person.
    #[error("there is no such registered person")]
    NoSuchPerson,
    /// Nobody else is registered, so this person cannot be removed.
    #[error("nobody else is registered, so this person cannot be removed")]
    LastPerson,
    /// With a second person the machine's key acts for nobody, and whoever asks has no key of their own.
    #[error("whoever asks has no key of their own, and this machine's key acts for one person only")]
    NoKeyOfYourOwn,
    /// This database was not restored since it was last confirmed.
    #[error("there is no restore to confirm")]
    NoRestore,
}

/// A second person's word on an action that waits.
#[derive(Clone, Debug)]
pub enum ActionVerdict {
    /// Do it.
    Approve,
    /// Do not.
    Reject {
        /// Why not.
        reason: String,
    },
}

/// What became of a second person's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionDecided {
    /// It counted: what was approved is done, or refused.
    Counted(Box<ActionRow>),
    /// Whoever asked may not decide. Nothing was changed.
    SamePerson,
    /// The person or their key was registered after the asking. Nothing was changed.
    TooNew,
    /// The key acts for no registered person. Nothing was changed.
    NobodyActs,
    /// The credits that it would give have ended by now. Nothing was changed.
    Ended,
    /// It was decided before, or never waited. Nothing was changed.
    Already(Box<ActionRow>),
}

/// Which actions to list.
#[derive(Clone, Debug, Default)]
pub struct ActionFilter {
    /// Those that stand like this.
    pub state: Option<ActionState>,
    /// Of this kind.
    pub kind: Option<ActionKind>,
    /// Asked for by this person, by their id.
    pub person: Option<String>,
    /// About this tenant.
    pub tenant: Option<TenantId>,
}
