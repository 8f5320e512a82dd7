//! The life of one payment, line by line: what Stripe told us, what became of it, and what it did to credits.

use ledger::{Cause, Kind, Outcome, Timestamp};
use serde::Serialize;
use store::{EventRow, TransactionRow};

use super::super::credits::BalanceView;
use crate::answer::rfc3339;
use crate::auth::Caller;

/// One line.
#[derive(Serialize)]
pub(super) struct Entry {
    at: String,
    /// `event` or `transaction`.
    what: &'static str,
    /// The event's id, or the transaction's number.
    id: String,
    /// In words.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_after: Option<BalanceView>,
}

/// Events in order of arrival, each followed by the transactions that it caused; then those of operators.
pub(super) fn of(events: &[EventRow], transactions: &[TransactionRow], caller: &Caller) -> Vec<Entry> {
    let mut lines: Vec<(Timestamp, i64, Entry)> = Vec::new();
    for event in events {
        lines.push((event.received_at, event.seq, event_line(event)));
    }
    for row in transactions {
        let entry = &row.transaction;
        let caused_by = match &entry.cause {
            Cause::Event(id) => events.iter().find(|event| event.id == *id),
            Cause::Operator { .. } | Cause::Command(_) => None,
        };
        let (at, place) = caused_by.map_or((entry.at, i64::MAX), |event| (event.received_at, event.seq));
        lines.push((at, place, transaction_line(row, caller)));
    }
    // Stable: a transaction was pushed after its event, and stays behind it.
    lines.sort_by_key(|(at, place, _)| (*at, *place));
    lines.into_iter().map(|(_, _, line)| line).collect()
}

fn event_line(event: &EventRow) -> Entry {
    let outcome = event.outcome.map_or("waiting to be applied", |outcome| match outcome {
        Outcome::Quarantined => "a person must look at it; it moved no credits",
        Outcome::Granted => "credits were added",
        Outcome::Revoked => "credits were taken back",
        Outcome::Restored => "credits were given back",
        Outcome::Frozen => "credits were set aside until it is decided",
        Outcome::Unfrozen => "credits that were set aside are spendable again",
        Outcome::Finalized => "the payment is final",
        Outcome::Declined => "this attempt to pay failed; no credits",
        Outcome::Closed => "the purchase ended without payment; no credits",
        Outcome::AwaitingPayment => "the purchase is complete and its payment is under way",
        Outcome::AwaitingPurchase => "kept until the purchase itself arrives",
        Outcome::Recorded => "noted; it moves no credits",
        Outcome::AlreadyKnown => "everything in it was known already",
        Outcome::Ignored => "not about credits",
    });
    Entry {
        at: rfc3339(event.received_at),
        what: "event",
        id: event.id.to_string(),
        text: format!("{}: {outcome}", event.kind),
        event_type: Some(event.kind.clone()),
        outcome: event.outcome.map(Outcome::as_str),
        deliveries: Some(event.deliveries),
        balance_after: None,
    }
}

fn transaction_line(row: &TransactionRow, caller: &Caller) -> Entry {
    let entry = &row.transaction;
    let credits = match entry.credits().0 {
        1 => "1 credit".to_owned(),
        several => format!("{several} credits"),
    };
    let mut text = match entry.kind {
        Kind::Granted => format!("{credits} added"),
        Kind::Revoked => format!("{credits} taken back"),
        Kind::Restored => format!("{credits} given back"),
        Kind::Frozen => format!("{credits} set aside"),
        Kind::Unfrozen => format!("{credits} spendable again"),
        Kind::Reversed => format!("{credits} withdrawn, because they were not this tenant's"),
        Kind::DebtRepaid => format!("{credits} used to repay what was owed"),
        Kind::Spent => format!("{credits} spent"),
    };
    // What operators write for each other is not for the tenant's eyes.
    if let Cause::Operator { by, reason } = &entry.cause
        && caller.is_operator()
    {
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
