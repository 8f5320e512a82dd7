//! Payments that wait for something which may never come: a checkout session, or the purchase behind a
//! refund.
//! Not here: what they wait for, and what it means that it did not come (`ledger::review`,
//! `ledger::overdue`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Now, Outcome, PaymentId, Policy, Reason, Timestamp, Wait, overdue};
use rusqlite::{Connection, params};

use super::record::Record;
use super::{apply, book, quarantine, writer};
use crate::error::StoreError;
use crate::model::{AppliedEvent, PurchaseFigures, Review};

/// When to try again to decide a payment on which that failed. Seconds.
const AGAIN_SECONDS: i64 = 300;

/// Keeps what a payment waits for from now on, and until when.
pub(super) fn set(
    c: &Connection,
    payment: PaymentId,
    wait: Option<Wait>,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), StoreError> {
    let until = wait.map(|wait| now.plus_seconds(wait.seconds(policy)).0);
    c.prepare_cached("UPDATE payments SET waits_for = ?2, review_at = ?3 WHERE id = ?1")?
        .execute(params![payment.0, wait.map(Wait::as_str), until])?;
    Ok(())
}

/// When the next payment has waited long enough, if one waits.
pub(super) fn next(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT min(review_at) FROM payments WHERE review_at IS NOT NULL")?;
    let next: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp))
}

/// Decides what it means for up to `limit` payments that what they waited for did not come. One that cannot
/// be decided is tried again later, and holds up nothing else.
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
    let mut settled = Vec::with_capacity(due.len());
    for (id, wait) in due {
        match writer::isolated(c, |c| review_one(c, PaymentId(id), &wait, policy, now)) {
            Ok(one) => settled.extend(one),
            Err(error) if error.is_about_the_work() => {
                tracing::error!(payment = id, %error, "a payment that waits cannot be decided yet");
                c.prepare_cached("UPDATE payments SET review_at = ?2 WHERE id = ?1")?
                    .execute((id, now.at.plus_seconds(AGAIN_SECONDS).0))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(settled)
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
    let mut record = Record::new(book::load_payments(c, &[payment], now)?, now.at);
    let decided = catch_unwind(AssertUnwindSafe(|| overdue(&record.book, payment, wait, policy, now)));
    let Ok(decided) = decided else {
        set(c, payment, None, policy, now.at)?;
        let known = &record.book.payments[&payment].knowledge;
        quarantine::review(c, payment, known, Some(Reason::Panicked), now.at)?;
        let review = Review {
            reason: Reason::Panicked,
            payment: known.key().map(ToString::to_string),
            purchase: PurchaseFigures::of(known),
        };
        return Ok(Some(AppliedEvent { seq: 0, outcome: Outcome::Quarantined, review: Some(review) }));
    };
    let Some(decision) = decided else {
        // It does not wait for this any more.
        set(c, payment, None, policy, now.at)?;
        return Ok(None);
    };
    let review = apply::add(c, &mut record, &decision, policy, now)?;
    // Also where the settings have changed, so that nothing seemed to be waited for before.
    set(c, payment, decision.waits_for, policy, now.at)?;
    if decision.outcome == Outcome::Granted {
        // The event that claimed the purchase is why there are credits now.
        let claimed = decision.changes.payment.as_ref().and_then(|payment| payment.knowledge.claim());
        if let Some(claim) = claimed {
            c.prepare_cached("UPDATE events SET outcome = ?2 WHERE id = ?1")?
                .execute((claim.first.id.as_str(), decision.outcome.as_str()))?;
        }
    }
    record.finish(c)?;
    Ok(Some(AppliedEvent { seq: 0, outcome: decision.outcome, review }))
}
