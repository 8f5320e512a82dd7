//! How an action is shown: what was asked for, by whom, what became of it, and what it means for the credits.
//! Not here: what it does.

use ledger::{Outcome, TenantId};
use serde::Serialize;
use store::{
    ActionKind, ActionRequest, ActionRow, ActionState, Actor, BalanceChange, Consequences, Items, Preview,
};
use utoipa::ToSchema;

use crate::answer::rfc3339;
use crate::api::credits::BalanceView;
use crate::schema::{ActionKindName, ActionStateName, KeyKindName, OutcomeName};

/// What was done or waits; of a dry run, what would happen.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ActionOrPreview)]
pub(in crate::api::admin) enum Answered {
    CommandAction(Box<ActionView>),
    Preview(PreviewView),
}

/// Something that an operator did, or that waits for a second person.
#[derive(Serialize, ToSchema)]
#[schema(as = CommandAction, example = json!({
    "id": "act_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "kind": "adjustment", "state": "done",
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "credits": 5,
    "request": { "credits": 5, "priority": 10 }, "reason": "for the outage of Monday", "alone": false,
    "asked_at": "2026-11-23T12:00:02Z",
    "asked_by": { "person_id": "person_019c", "name": "Grace", "key_id": "key_019c", "key": "shop-laptop" },
    "decided_at": null, "decided_by": null, "note": null, "transaction_id": 7, "payment": null,
    "outcome": null,
    "consequences": { "items": 0, "granted": 5, "refunded": 0, "taken_back": 0, "already_used": 0,
        "debt_created": 0, "balances": [] } }))]
pub(in crate::api::admin) struct ActionView {
    id: String,
    #[schema(value_type = ActionKindName)]
    kind: &'static str,
    #[schema(value_type = ActionStateName)]
    state: &'static str,
    /// The tenant that it is about, where it is about one.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// Credits that it moved or would move, as an absolute amount: what counts against the limits.
    credits: i64,
    request: RequestView,
    reason: String,
    /// It needed a second person, and nobody else was registered.
    alone: bool,
    #[schema(format = DateTime)]
    asked_at: String,
    asked_by: ActorView,
    /// When the second person decided.
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// The second person.
    decided_by: Option<ActorView>,
    /// Why it was rejected, or could not be done.
    note: Option<String>,
    /// The line of the history that did it; of several, the first.
    transaction_id: Option<i64>,
    /// The payment, where one was decided.
    payment: Option<String>,
    /// What became of that payment.
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<Outcome>,
    /// What it did; while it waits, what it would have done when it was asked for.
    consequences: ConsequencesView,
}

/// What was asked for, every figure named. Which fields there are depends on the kind.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = ActionRequest)]
struct RequestView {
    /// Given, or where it is negative taken; of a write-off: forgiven; of one quarantine item: granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<i64>,
    /// Of what is given: the smallest burns first.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    /// Of credits that are given, or of a key: when they end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Who is granted the credits of one quarantine item.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// What was paid for it, in minor units, where a person says.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    /// In which currency, where a person says.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The payment intent behind it, where a person says.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_intent: Option<String>,
    /// A person takes credits back when money goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    refunds_by_hand: Option<bool>,
    /// Quarantine items, by their numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<i64>>,
    /// The key that is created, rotated or revoked, or a person's first key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    /// The key that replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_key_id: Option<String>,
    /// What kind of key is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<KeyKindName>)]
    key_kind: Option<&'static str>,
    /// The person who is added or removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    person_id: Option<String>,
    /// The name of the key or of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The people whom a recovery removed, by their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Vec<String>>,
    /// The backup that was restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// When it was restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    restored_at: Option<String>,
}

/// A person, and the key that they used.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
struct ActorView {
    person_id: String,
    name: String,
    /// None for a recovery, which needs no key.
    key_id: Option<String>,
    /// The key's name.
    key: Option<String>,
}

/// What an action would do. Nothing was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub(in crate::api::admin) struct PreviewView {
    /// `true`.
    dry_run: bool,
    #[schema(value_type = ActionKindName)]
    kind: &'static str,
    /// Credits that would count against the limits.
    credits: i64,
    /// Whether it would need a second person.
    second_person: bool,
    consequences: ConsequencesView,
}

/// What an action means for the credits.
#[derive(Serialize, ToSchema)]
#[schema(as = Consequences)]
struct ConsequencesView {
    /// Quarantine items that are decided.
    items: i64,
    /// Credits given.
    granted: i64,
    /// Of these, credits that go back at once, because their money has been refunded.
    refunded: i64,
    /// Credits taken back.
    taken_back: i64,
    /// Of these, credits that are spent or held: other credits of the tenant or a debt pay for them.
    already_used: i64,
    /// Debt that comes of it.
    debt_created: i64,
    /// The tenants whose balance changes. Left out of bulk decisions.
    balances: Vec<BalanceChangeView>,
}

/// What a tenant has and owes, before and after.
#[derive(Serialize, ToSchema)]
#[schema(as = BalanceChange)]
struct BalanceChangeView {
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    before: BalanceView,
    after: BalanceView,
}

impl ActionView {
    pub(in crate::api::admin) fn of(row: &ActionRow) -> Self {
        Self {
            id: row.id.clone(),
            kind: row.request.kind().as_str(),
            state: row.state.as_str(),
            tenant_id: row.tenant,
            credits: row.credits.0,
            request: RequestView::of(&row.request),
            reason: row.reason.clone(),
            alone: row.alone,
            asked_at: rfc3339(row.asked_at),
            asked_by: ActorView::of(&row.asked_by),
            decided_at: row.decided_at.map(rfc3339),
            decided_by: row.decided_by.as_ref().map(ActorView::of),
            note: row.note.clone(),
            transaction_id: row.result.transaction,
            payment: row.result.payment.clone(),
            outcome: row.result.outcome,
            consequences: ConsequencesView::of(&row.result.consequences),
        }
    }

    /// As it was before anybody decided.
    pub(super) fn as_asked_for(row: &ActionRow) -> Self {
        Self {
            state: ActionState::Waiting.as_str(),
            decided_at: None,
            decided_by: None,
            note: None,
            transaction_id: None,
            ..Self::of(row)
        }
    }
}

impl RequestView {
    fn of(request: &ActionRequest) -> Self {
        let nothing = Self::default();
        match request {
            ActionRequest::Adjustment { credits, priority, expires_at, .. } => Self {
                credits: Some(*credits),
                priority: (*credits > 0).then_some(*priority),
                expires_at: expires_at.map(rfc3339),
                ..nothing
            },
            ActionRequest::WriteOff { credits, .. } => {
                Self { credits: credits.map(|credits| credits.0), ..nothing }
            }
            ActionRequest::QuarantineResolve { items, terms } => Self {
                items: Some(numbers(items)),
                tenant_id: terms.tenant,
                credits: terms.credits.map(|credits| credits.0),
                amount: terms.amount.map(|amount| amount.0),
                currency: terms.currency.clone(),
                payment_intent: terms.payment_intent.as_ref().map(ToString::to_string),
                refunds_by_hand: terms.refunds_by_hand.then_some(true),
                ..nothing
            },
            ActionRequest::QuarantineDismiss { items } => Self { items: Some(numbers(items)), ..nothing },
            ActionRequest::KeyCreate { key, .. } => Self {
                key_id: Some(key.id.clone()),
                key_kind: Some(key.kind().as_str()),
                name: Some(key.name.clone()),
                expires_at: key.expires_at.map(rfc3339),
                person_id: match &key.holder {
                    store::KeyHolder::Person(person) => Some(person.clone()),
                    _ => None,
                },
                ..nothing
            },
            ActionRequest::KeyRotate { id, new_id, .. } => {
                Self { key_id: Some(id.clone()), new_key_id: Some(new_id.clone()), ..nothing }
            }
            ActionRequest::KeyRevoke { id } => Self { key_id: Some(id.clone()), ..nothing },
            ActionRequest::PersonAdd { person, key, .. } => Self {
                person_id: Some(person.id.clone()),
                name: Some(person.name.clone()),
                key_id: Some(key.id.clone()),
                ..nothing
            },
            ActionRequest::PersonRemove { id } => Self { person_id: Some(id.clone()), ..nothing },
            ActionRequest::Recovery { removed, person } => Self {
                removed: Some(removed.clone()),
                person_id: Some(person.id.clone()),
                name: Some(person.name.clone()),
                ..nothing
            },
            ActionRequest::RestoreConfirm { restored_at, source } => {
                Self { source: Some(source.clone()), restored_at: Some(rfc3339(*restored_at)), ..nothing }
            }
        }
    }
}

fn numbers(items: &Items) -> Vec<i64> {
    match items {
        Items::One(id) => vec![*id],
        Items::Listed(ids) => ids.clone(),
        Items::Matching { .. } => Vec::new(),
    }
}

impl ActorView {
    fn of(actor: &Actor) -> Self {
        Self {
            person_id: actor.person.clone(),
            name: actor.name.clone(),
            key_id: actor.key.clone(),
            key: actor.key_name.clone(),
        }
    }
}

impl PreviewView {
    pub(in crate::api::admin) fn of(kind: ActionKind, preview: &Preview) -> Self {
        Self {
            dry_run: true,
            kind: kind.as_str(),
            credits: preview.credits.0,
            second_person: preview.second_person,
            consequences: ConsequencesView::of(&preview.result.consequences),
        }
    }
}

impl ConsequencesView {
    fn of(of: &Consequences) -> Self {
        let change = |change: &BalanceChange| BalanceChangeView {
            tenant_id: change.tenant,
            before: change.before.into(),
            after: change.after.into(),
        };
        Self {
            items: of.items,
            granted: of.granted.0,
            refunded: of.refunded.0,
            taken_back: of.taken_back.0,
            already_used: of.already_used.0,
            debt_created: of.debt_created.0,
            balances: of.balances.iter().map(change).collect(),
        }
    }
}
