//! The timeline of one payment: events from Stripe, their results, and the transactions.

use ledger::{Cause, Credits, Outcome, Timestamp, TransactionKind};
use serde::Serialize;
use store::{EventRow, PurchaseRow, TransactionRow};
use utoipa::ToSchema;

use super::super::credits::BalanceView;
use super::descriptions;
use crate::answer::rfc3339;
use crate::api::plain_text::counted;
use crate::auth::Caller;
use crate::schema::{OutcomeName, TimelineKind};

/// An entry of a payment's timeline.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "at": "2026-11-23T12:00:00Z", "type": "event",
    "id": "evt_1234567890", 
    "text": "the customer completed the checkout (checkout.session.completed): credits were added",
    "event_type": "checkout.session.completed", "outcome": "granted", "deliveries": 1 }))]
pub(super) struct TimelineEntry {
    #[schema(format = DateTime)]
    at: String,
    #[serde(rename = "type")]
    #[schema(value_type = TimelineKind)]
    kind: &'static str,
    /// The id of the purchase, event or transaction.
    id: String,
    /// What happened, in words.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The number of times that Stripe delivered it.
    deliveries: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_after: Option<BalanceView>,
}

/// The first entry, for a checkout that this service opened.
pub(super) fn opened(purchase: &PurchaseRow) -> TimelineEntry {
    let order = &purchase.order;
    TimelineEntry {
        at: rfc3339(purchase.created_at),
        kind: "purchase",
        id: order.id.clone(),
        text: format!(
            "checkout was opened by POST /api/credits/purchase: {} for {} minor units of {}, before tax",
            counted(order.credits),
            order.price.0,
            order.currency
        ),
        event_type: None,
        outcome: None,
        deliveries: None,
        balance_after: None,
    }
}

/// Events in order of arrival, each followed by its transactions, then the transactions without an event.
/// `granted`: the credits that the payment bought, of which an entry may concern a part.
pub(super) fn of(
    events: &[EventRow],
    transactions: &[TransactionRow],
    granted: Credits,
    caller: &Caller,
) -> Vec<TimelineEntry> {
    let mut lines: Vec<(Timestamp, i64, TimelineEntry)> = Vec::new();
    for event in events {
        lines.push((event.received_at, event.seq, event_line(event)));
    }
    for row in transactions {
        let entry = &row.transaction;
        let caused_by = match &entry.cause {
            Cause::Event(id) => events.iter().find(|event| event.id == *id),
            Cause::Operator { .. } | Cause::Command(_) | Cause::Clock(_) => None,
        };
        let (at, place) = caused_by.map_or((entry.at, i64::MAX), |event| (event.received_at, event.seq));
        lines.push((at, place, transaction_line(row, granted, caller)));
    }
    // The sort is stable, so a transaction stays after its event.
    lines.sort_by_key(|(at, place, _)| (*at, *place));
    lines.into_iter().map(|(_, _, line)| line).collect()
}

fn event_line(event: &EventRow) -> TimelineEntry {
    let outcome = descriptions::outcome(event.outcome);
    let text = match descriptions::meaning(&event.kind) {
        Some(meaning) => format!("{meaning} ({}): {outcome}", event.kind),
        None => format!("{}: {outcome}", event.kind),
    };
    TimelineEntry {
        at: rfc3339(event.received_at),
        kind: "event",
        id: event.id.to_string(),
        text,
        event_type: Some(event.kind.clone()),
        outcome: event.outcome.map(Outcome::as_str),
        deliveries: Some(event.deliveries),
        balance_after: None,
    }
}

fn transaction_line(row: &TransactionRow, granted: Credits, caller: &Caller) -> TimelineEntry {
    let entry = &row.transaction;
    let credits = counted(entry.credits());
    let part = descriptions::part(entry.credits(), granted);
    let mut text = match entry.kind {
        TransactionKind::Granted => format!("{credits} added"),
        TransactionKind::Revoked => format!("{part} taken back"),
        TransactionKind::Restored => format!("{part} given back"),
        TransactionKind::Frozen => format!("{part} set aside until the refund or dispute ends"),
        TransactionKind::Unfrozen => format!("{part} spendable again"),
        TransactionKind::Reversed => format!("{credits} withdrawn, because they were not this tenant's"),
        TransactionKind::DebtRepaid => format!("{credits} used to repay what was owed"),
        TransactionKind::Spent => format!("{credits} spent"),
        TransactionKind::Held => format!("{credits} set aside by a hold"),
        TransactionKind::Captured => format!("a hold was captured, {credits} of it moved"),
        TransactionKind::Released => format!("a hold was released, {credits} available again"),
        TransactionKind::HoldExpired => format!("a hold expired, {credits} available again"),
        TransactionKind::Adjusted => format!("{credits} adjusted by hand"),
        TransactionKind::Expired => format!("{credits} expired"),
        TransactionKind::WrittenOff => format!("a debt of {credits} was written off"),
    };
    if let Some(Cause::Operator { by, reason }) = caller.visible_cause(&entry.cause) {
        text.push_str(&format!(", by {by}: {reason}"));
    }
    TimelineEntry {
        at: rfc3339(entry.at),
        kind: "transaction",
        id: entry.seq.to_string(),
        text,
        event_type: None,
        outcome: None,
        deliveries: None,
        balance_after: Some(entry.balance_after.into()),
    }
}
