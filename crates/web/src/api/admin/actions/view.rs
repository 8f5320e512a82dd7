//! The view of an action: the request, the people, the result, and the consequences for credits.

use ledger::{Outcome, TenantId};
use serde::Serialize;
use store::{
    ActionKind, ActionRequest, ActionRow, ActionState, Actor, BalanceChange, Consequences, Items, Preview,
};
use utoipa::ToSchema;

use crate::answer::rfc3339;
use crate::api::credits::BalanceView;
use crate::schema::{ActionKindName, ActionStateName, KeyKindName, OutcomeName};

/// An action, or the preview of a dry run.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ActionOrPreview)]
pub(in crate::api::admin) enum ActionResponse {
    Action(Box<ActionView>),
    Preview(PreviewView),
}

/// An action of an operator: executed, refused, or waiting for a second person.
#[derive(Serialize, ToSchema)]
#[schema(as = Action, example = json!({
    "id": "act_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "kind": "adjustment", "state": "done",
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "credits": 5,
    "request": { "credits": 5, "priority": 10 }, "reason": "for the outage of Monday", "alone": false,
    "asked_at": "2026-11-23T12:00:02Z",
    "asked_by": { "person_id": "person_019c", "name": "Grace", "key_id": "key_019c", "key": "shop-laptop" },
    "decided_at": null, "decided_by": null, "note": null, "transaction_id": 7, "payment": null,
    "outcome": null,
    "consequences": { "items": 0, "granted": 5, "refunded": 0, "taken_back": 0, "already_used": 0,
        "debt_created": 0, "balances": [] } }))]
pub(crate) struct ActionView {
    id: String,
    #[schema(value_type = ActionKindName)]
    kind: &'static str,
    #[schema(value_type = ActionStateName)]
    state: &'static str,
    /// The tenant that it is about, if there is one.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// The credits that it moved or would move, as an absolute amount. They count against the limits.
    credits: i64,
    request: RequestView,
    reason: String,
    /// It needed a second person, but nobody else was registered.
    alone: bool,
    #[schema(format = DateTime)]
    asked_at: String,
    asked_by: ActorView,
    /// When the second person decided.
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// The second person.
    decided_by: Option<ActorView>,
    /// Why it was rejected, or could not be executed.
    note: Option<String>,
    /// The transaction; the first, if there are several.
    transaction_id: Option<i64>,
    /// The payment that was decided, if there is one.
    payment: Option<String>,
    /// The result for that payment.
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<Outcome>,
    /// The consequences; while the action waits, as computed when it was requested.
    consequences: ConsequencesView,
}

/// The request. Its fields depend on the kind of action.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = ActionRequest)]
struct RequestView {
    /// Adjustment: granted, or if negative removed. Write-off: forgiven. Quarantine item: granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<i64>,
    /// For granted credits: lots with the lowest number are spent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    /// When the granted credits or the key expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The tenant that receives the credits of a quarantine item.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// The amount paid in minor units, if a person specified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    /// The currency, if a person specified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The payment intent, if a person specified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_intent: Option<String>,
    /// A person revokes credits after refunds.
    #[serde(skip_serializing_if = "Option::is_none")]
    refunds_by_hand: Option<bool>,
    /// The ids of the quarantine items.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<i64>>,
    /// The key that is created, rotated or revoked, or the first key of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    /// The new key of a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_key_id: Option<String>,
    /// The kind of the new key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<KeyKindName>)]
    key_kind: Option<&'static str>,
    /// The person who is added or removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    person_id: Option<String>,
    /// The name of the key or of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The ids of the people whom a recovery removed.
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
    /// Null for a recovery, which needs no key.
    key_id: Option<String>,
    /// The key's name.
    key: Option<String>,
}

/// The preview of an action. Nothing was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub(in crate::api::admin) struct PreviewView {
    /// `true`.
    dry_run: bool,
    #[schema(value_type = ActionKindName)]
    kind: &'static str,
    /// The credits that would count against the limits.
    credits: i64,
    /// Whether it would need a second person.
    second_person: bool,
    consequences: ConsequencesView,
}

/// The consequences of an action for credits.
#[derive(Serialize, ToSchema)]
#[schema(as = Consequences)]
struct ConsequencesView {
    /// Number of quarantine items decided.
    items: i64,
    /// Credits granted.
    granted: i64,
    /// Of these, revoked at once because their money was already refunded.
    refunded: i64,
    /// Credits revoked.
    taken_back: i64,
    /// Revoked credits that were already spent or held; other credits of the tenant are taken instead, or
    /// become debt.
    already_used: i64,
    /// Debt created.
    debt_created: i64,
    /// The balances that change. Empty for bulk decisions.
    balances: Vec<BalanceChangeView>,
}

/// The balance of a tenant before and after.
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

    /// The action as it was before the decision.
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
