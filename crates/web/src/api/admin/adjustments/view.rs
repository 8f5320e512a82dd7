//! How an adjustment is shown.
//! Not here: what it does.

use ledger::{Action, TenantId};
use serde::Serialize;
use store::{AdjustmentRow, Person};
use utoipa::ToSchema;

use crate::answer::rfc3339;

/// How far it has come.
#[derive(ToSchema)]
#[schema(as = AdjustmentState, rename_all = "snake_case")]
#[expect(dead_code, reason = "only the description of the API shows it")]
pub(super) enum State {
    Waiting,
    Approved,
    Done,
    Refused,
    Rejected,
}

/// What it is.
#[derive(ToSchema)]
#[schema(as = AdjustmentType, rename_all = "snake_case")]
#[expect(dead_code, reason = "only the description of the API shows it")]
enum Kind {
    Adjustment,
    WriteOff,
}

/// Credits given, taken or forgiven by hand.
#[derive(Serialize, ToSchema)]
#[schema(as = Adjustment, example = json!({
    "id": "adj_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "type": "adjustment",
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "credits": 5, "reason": "for the outage of Monday",
    "priority": 10, "expires_at": null, "state": "done", "second_person": false,
    "created_at": "2026-11-23T12:00:02Z", "created_by": { "key_id": "key_019c", "name": "Grace" },
    "decided_at": null, "decided_by": null, "note": null, "transaction_id": 7 }))]
pub(super) struct AdjustmentView {
    id: String,
    #[serde(rename = "type")]
    #[schema(value_type = Kind)]
    kind: &'static str,
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    /// Given, or where it is negative taken; of a write-off: forgiven.
    credits: i64,
    reason: String,
    priority: Option<u8>,
    /// When the credits end that it gives.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(value_type = State)]
    state: &'static str,
    /// Whether a second person must decide, or had to.
    second_person: bool,
    #[schema(format = DateTime)]
    created_at: String,
    created_by: PersonView,
    /// When the second person decided.
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    decided_by: Option<PersonView>,
    /// Why it was rejected or refused.
    note: Option<String>,
    /// The line of the history that did it.
    transaction_id: Option<i64>,
}

/// Whoever holds an operator's key.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
struct PersonView {
    key_id: String,
    name: String,
}

impl PersonView {
    fn of(person: &Person) -> Self {
        Self { key_id: person.key.clone(), name: person.name.clone() }
    }
}

impl AdjustmentView {
    pub(super) fn of(row: &AdjustmentRow) -> Self {
        let (kind, credits, priority, expires_at) = match row.action {
            Action::Adjust { credits, priority, expires_at } => {
                ("adjustment", credits, (credits > 0).then_some(priority), expires_at)
            }
            Action::WriteOff { credits } => ("write_off", credits.unwrap_or_default().0, None, None),
            // None of these is ever kept as an adjustment.
            Action::Spend { .. } | Action::Hold { .. } | Action::Capture { .. } | Action::Release { .. } => {
                ("adjustment", 0, None, None)
            }
        };
        Self {
            id: row.id.clone(),
            kind,
            tenant_id: row.tenant,
            credits,
            reason: row.reason.clone(),
            priority,
            expires_at: expires_at.map(rfc3339),
            state: row.state.as_str(),
            second_person: row.waits,
            created_at: rfc3339(row.created_at),
            created_by: PersonView::of(&row.created_by),
            decided_at: row.decided_at.map(rfc3339),
            decided_by: row.decided_by.as_ref().map(PersonView::of),
            note: row.note.clone(),
            transaction_id: row.transaction,
        }
    }

    /// As it was before anybody decided.
    pub(super) fn as_asked_for(row: &AdjustmentRow) -> Self {
        Self {
            state: "waiting",
            decided_at: None,
            decided_by: None,
            note: None,
            transaction_id: None,
            ..Self::of(row)
        }
    }
}
