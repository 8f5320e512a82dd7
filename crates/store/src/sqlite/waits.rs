//! Payments that wait for something which may never come: a checkout session, or the purchase behind a
//! refund.
//! Not here: what they wait for, and what it means that it did not come (`ledger::review`,
//! `ledger::overdue`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Now, Outcome, PaymentId, Policy, Reason, Timestamp, Wait, overdue};
use rusqlite::{Connection, params};

use super::record::Record;
use super::{book, quarantine, settle};
use crate::error::StoreError;
use crate::model::Settled;

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

/// Decides what it means for up to `limit` payments that what they waited for did not come.
pub(super) fn review(
    c: &Connection,
    policy: &Policy,
    now: Now,
    limit: u32,
) -> Result<Vec<Settled>, StoreError> {
    let due: Vec<(i64, String)> = c
        .prepare_cached(
            "SELECT id, waits_for FROM payments WHERE review_at IS NOT NULL AND review_at <= ?1
             ORDER BY review_at, id LIMIT ?2",
        )?
        .query_map((now.at.0, limit), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = due.iter().map(|(id, _)| PaymentId(*id)).collect();
    let mut record = Record::new(book::load_payments(c, &ids, now)?, now.at);
    let mut settled = Vec::with_capacity(due.len());
    for (id, wait) in due {
        let payment = PaymentId(id);
        let wait = Wait::from_name(&wait)
            .ok_or_else(|| StoreError::Corrupt(format!("a payment waits for {wait}")))?;
        let decided = catch_unwind(AssertUnwindSafe(|| overdue(&record.book, payment, wait, policy, now)));
        let Ok(decided) = decided else {
            set(c, payment, None, policy, now.at)?;
            let known = &record.book.payments[&payment].knowledge;
            quarantine::review(c, payment, known, Some(Reason::Panicked), now.at)?;
            continue;
        };
        let Some(decision) = decided else {
            // A changed setting: what it waited for is not waited for any more.
            set(c, payment, None, policy, now.at)?;
            continue;
        };
        let review = settle::add(c, &mut record, &decision, policy, now)?;
        if decision.outcome == Outcome::Granted {
            // The event that claimed the purchase is why there are credits now.
            let claimed = decision.changes.payment.as_ref().and_then(|payment| payment.knowledge.claim());
            if let Some(claim) = claimed {
                c.prepare_cached("UPDATE events SET outcome = ?2 WHERE id = ?1")?
                    .execute((claim.told.event.as_str(), decision.outcome.as_str()))?;
            }
        }
        settled.push(Settled { seq: 0, outcome: decision.outcome, review });
    }
    record.finish(c)?;
    Ok(settled)
}
