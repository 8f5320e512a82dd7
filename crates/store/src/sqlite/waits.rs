//! Payments that wait for a checkout session or for the purchase behind a refund, which may never arrive
//! (`ledger::review`, `ledger::overdue`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Now, Outcome, PaymentId, Policy, Reason, Timestamp, Wait, overdue};
use rusqlite::Connection;

use super::write_set::WriteSet;
use super::{book, decisions, quarantine, writer};
use crate::error::StoreError;
use crate::model::{AppliedEvent, PurchaseFigures, Review};

/// The delay before a failed decision about a payment is retried. Seconds.
const RETRY_SECONDS: i64 = 300;

/// When the next wait ends.
pub(super) fn next(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT min(review_at) FROM payments WHERE review_at IS NOT NULL")?;
    let next: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp))
}

/// Decides up to `limit` payments whose wait has ended. One that cannot be decided is retried later and does
/// not block the others.
pub(super) fn review(
    c: &Connection,
    policy: &Policy,
    now: Now,
    limit: u32,
) -> Result<Vec<AppliedEvent>, StoreError> {
    let due: Vec<(i64, String)> = c
        .prepare_cached(
            "SELECT id, waits_for FROM payments WHERE review_at IS NOT NULL AND review_at <= ?1
             ORDER BY review_at, id LIMIT ?2",
        )?
        .query_map((now.at.0, limit), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut applied = Vec::with_capacity(due.len());
    for (id, wait) in due {
        match writer::isolated(c, |c| review_one(c, PaymentId(id), &wait, policy, now)) {
            Ok(one) => applied.extend(one),
            Err(error) if error.is_caused_by_request() => {
                tracing::error!(payment = id, %error, "a waiting payment cannot be decided and is retried");
                c.prepare_cached("UPDATE payments SET review_at = ?2 WHERE id = ?1")?
                    .execute((id, now.at.plus_seconds(RETRY_SECONDS).0))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(applied)
}

fn review_one(
    c: &Connection,
    payment: PaymentId,
    wait: &str,
    policy: &Policy,
    now: Now,
) -> Result<Option<AppliedEvent>, StoreError> {
    let wait =
        Wait::from_name(wait).ok_or_else(|| StoreError::Corrupt(format!("a payment waits for {wait}")))?;
    let mut write_set = WriteSet::new(book::load_payments(c, &[payment], now)?, now.at);
    let decided = catch_unwind(AssertUnwindSafe(|| overdue(&write_set.book, payment, wait, policy, now)));
    let Ok(decided) = decided else {
        decisions::set_wait(c, payment, None, policy, now.at)?;
        let known = &write_set.book.payments[&payment].knowledge;
        quarantine::update_payment_item(c, payment, known, Some(Reason::Panicked), now.at)?;
        let review = Review {
            reason: Reason::Panicked,
            payment: known.key().map(ToString::to_string),
            purchase: PurchaseFigures::of(known),
        };
        return Ok(Some(AppliedEvent { seq: 0, outcome: Outcome::Quarantined, review: Some(review) }));
    };
    let Some(decision) = decided else {
        // The payment no longer waits for this.
        decisions::set_wait(c, payment, None, policy, now.at)?;
        return Ok(None);
    };
    let review = decisions::write(c, &mut write_set, &decision, policy, now)?;
    // Needed if the settings have changed, so that the payment seemed not to be waiting before.
    decisions::set_wait(c, payment, decision.waits_for, policy, now.at)?;
    if decision.outcome == Outcome::Granted {
        // The event that claimed the purchase led to the grant.
        let claimed = decision.changes.payment.as_ref().and_then(|payment| payment.knowledge.claim());
        if let Some(claim) = claimed {
            c.prepare_cached("UPDATE events SET outcome = ?2 WHERE id = ?1")?
                .execute((claim.first.id.as_str(), decision.outcome.as_str()))?;
        }
    }
    write_set.finish(c)?;
    Ok(Some(AppliedEvent { seq: 0, outcome: decision.outcome, review }))
}
