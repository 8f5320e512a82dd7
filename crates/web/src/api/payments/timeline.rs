//! The life of one payment, line by line: what Stripe told us, what became of it, and what it did to credits.

use ledger::{Cause, Credits, Outcome, Timestamp, TransactionKind};
use serde::Serialize;
use store::{EventRow, PurchaseRow, TransactionRow};
use utoipa::ToSchema;

use super::super::credits::BalanceView;
use super::words;
use crate::answer::rfc3339;
use crate::api::text::counted;
use crate::auth::Caller;
use crate::schema::{OutcomeName, TimelineKind};

/// One line of a payment's timeline.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry, example = json!({ "at": "2026-11-23T12:00:00Z", "what": "event",
    "id": "evt_1234567890", 
    "text": "the customer completed the checkout (checkout.session.completed): credits were added",
    "event_type": "checkout.session.completed", "outcome": "granted", "deliveries": 1 }))]
pub(super) struct Entry {
    #[schema(format = DateTime)]
    at: String,
    /// `purchase`, `event` or `transaction`.
    #[schema(value_type = TimelineKind)]
    what: &'static str,
    /// The purchase's or the event's id, or the transaction's number.
    id: String,
    /// In words.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// How often Stripe sent it.
    deliveries: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_after: Option<BalanceView>,
}

/// The line that a payment begins with which was asked for through us.
pub(super) fn opened(purchase: &PurchaseRow) -> Entry {
    let order = &purchase.order;
    Entry {
        at: rfc3339(purchase.created_at),
        what: "purchase",
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

/// Events in order of arrival, each followed by the transactions that it caused; then those of operators.
/// `granted`: what the payment bought, of which a line may take a part.
pub(super) fn of(
    events: &[EventRow],
    transactions: &[TransactionRow],
    granted: Credits,
    caller: &Caller,
) -> Vec<Entry> {
    let mut lines: Vec<(Timestamp, i64, Entry)> = Vec::new();
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
    // Stable: a transaction was pushed after its event, and stays behind it.
    lines.sort_by_key(|(at, place, _)| (*at, *place));
    lines.into_iter().map(|(_, _, line)| line).collect()
}

fn event_line(event: &EventRow) -> Entry {
    let outcome = words::outcome(event.outcome);
    let text = match words::meaning(&event.kind) {
        Some(meaning) => format!("{meaning} ({}): {outcome}", event.kind),
        None => format!("{}: {outcome}", event.kind),
    };
    Entry {
        at: rfc3339(event.received_at),
        what: "event",
        id: event.id.to_string(),
        text,
        event_type: Some(event.kind.clone()),
        outcome: event.outcome.map(Outcome::as_str),
        deliveries: Some(event.deliveries),
        balance_after: None,
    }
}

fn transaction_line(row: &TransactionRow, granted: Credits, caller: &Caller) -> Entry {
    let entry = &row.transaction;
    let credits = counted(entry.credits());
    let part = words::part(entry.credits(), granted);
    let mut text = match entry.kind {
        TransactionKind::Granted => format!("{credits} added"),
        TransactionKind::Revoked => format!("{part} taken back"),
        TransactionKind::Restored => format!("{part} given back"),
        TransactionKind::Frozen => format!("{part} set aside until it is decided"),
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
    if let Some(Cause::Operator { by, reason }) = caller.told(&entry.cause) {
        text.push_str(&format!(", by {by}: {reason}"));
    }
    Entry {
        at: rfc3339(entry.at),
        what: "transaction",
        id: entry.seq.to_string(),
        text,
        event_type: None,
        outcome: None,
        deliveries: None,
        balance_after: Some(entry.balance_after.into()),
    }
}
