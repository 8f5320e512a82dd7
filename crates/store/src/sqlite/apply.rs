//! Applying events: load what a batch touches, decide each event in memory, and write the decisions in one
//! commit (design section 4, rules 1 and 2).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Decision, Fact, Now, Outcome, PaymentId, Policy, Reason, Timestamp, decide};
use rusqlite::{Connection, OptionalExtension, params};

use super::write_set::WriteSet;
use super::{book, decisions, quarantine};
use crate::error::StoreError;
use crate::model::{AppliedEvent, EventToApply, PurchaseFigures, Reading, Review};

/// Applies a batch of events. Events that are no longer due are skipped. If deciding an event panics, that
/// event is quarantined and the others are applied.
pub(super) fn apply_events(
    c: &Connection,
    batch: &[EventToApply],
    policy: &Policy,
    now: Now,
) -> Result<Vec<AppliedEvent>, StoreError> {
    let facts = batch.iter().filter_map(|item| match &item.reading {
        Reading::Fact(fact) | Reading::Partial { fact, .. } => Some(&**fact),
        Reading::Ignored | Reading::Quarantined { .. } => None,
    });
    let mut write_set = WriteSet::new(book::load(c, facts, now)?, now.at);
    let mut applied = Vec::with_capacity(batch.len());
    for item in batch {
        let due: Option<Option<String>> = c
            .prepare_cached("SELECT outcome FROM events WHERE seq = ?1 AND due_at IS NOT NULL")?
            .query_row([item.seq], |row| row.get(0))
            .optional()?;
        let Some(previous) = due else { continue };
        let previous = previous.as_deref().and_then(Outcome::from_name);
        applied.push(apply_one(c, &mut write_set, item, previous, policy, now)?);
    }
    write_set.finish(c)?;
    Ok(applied)
}

fn apply_one(
    c: &Connection,
    write_set: &mut WriteSet,
    item: &EventToApply,
    previous: Option<Outcome>,
    policy: &Policy,
    now: Now,
) -> Result<AppliedEvent, StoreError> {
    let seq = item.seq;
    match &item.reading {
        Reading::Fact(fact) => match decide_one(write_set, fact, policy, now) {
            Some(decision) => {
                let review = decisions::write(c, write_set, &decision, policy, now)?;
                let payment = decision.changes.payment.as_ref().map(|payment| payment.id);
                finish(c, seq, previous, decision.outcome, decision.review_reason, payment, now.at)?;
                Ok(AppliedEvent { seq, outcome: decision.outcome, review })
            }
            None => quarantine_event(c, seq, Reason::Panicked, PANICKED, now),
        },
        Reading::Partial { fact, detail } => match decide_one(write_set, fact, policy, now) {
            Some(decision) => {
                decisions::write(c, write_set, &decision, policy, now)?;
                let payment = decision.changes.payment.as_ref().map(|payment| payment.id.0);
                c.prepare_cached("UPDATE events SET payment = ?2 WHERE seq = ?1")?.execute((seq, payment))?;
                quarantine_event(c, seq, Reason::Unreadable, detail, now)
            }
            None => quarantine_event(c, seq, Reason::Panicked, PANICKED, now),
        },
        Reading::Ignored => {
            finish(c, seq, previous, Outcome::Ignored, None, None, now.at)?;
            Ok(AppliedEvent { seq, outcome: Outcome::Ignored, review: None })
        }
        Reading::Quarantined { reason, detail } => quarantine_event(c, seq, *reason, detail, now),
    }
}

const PANICKED: &str = "The ledger's rules panicked on this event. Nothing was granted or taken.";

/// `None` if deciding panics.
fn decide_one(write_set: &WriteSet, fact: &Fact, policy: &Policy, now: Now) -> Option<Decision> {
    catch_unwind(AssertUnwindSafe(|| decide(&write_set.book, fact, policy, now))).ok()
}

fn quarantine_event(
    c: &Connection,
    seq: i64,
    reason: Reason,
    detail: &str,
    now: Now,
) -> Result<AppliedEvent, StoreError> {
    quarantine::quarantine_event(c, seq, reason, detail, now.at)?;
    let review = Review { reason, payment: None, purchase: PurchaseFigures::default() };
    Ok(AppliedEvent { seq, outcome: Outcome::Quarantined, review: Some(review) })
}

/// Stores an event's outcome. If a replay finds nothing new, the event keeps its first outcome, unless the
/// event itself was quarantined.
fn finish(
    c: &Connection,
    seq: i64,
    previous: Option<Outcome>,
    outcome: Outcome,
    reason: Option<Reason>,
    payment: Option<PaymentId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let cleared = previous == Some(Outcome::Quarantined) && quarantine::clear_event(c, seq, now)?;
    if outcome == Outcome::AlreadyKnown && previous.is_some() && !cleared {
        // The reason is the error of a failed attempt, which no longer applies.
        let reason = reason.filter(|_| previous == Some(Outcome::Quarantined));
        c.prepare_cached(
            "UPDATE events SET due_at = NULL, applied_at = ?2,
                 reason = CASE attempts WHEN 0 THEN reason ELSE ?3 END WHERE seq = ?1",
        )?
        .execute((seq, now.0, reason.map(Reason::as_str)))?;
        return Ok(());
    }
    let reason = reason.filter(|_| outcome == Outcome::Quarantined).map(Reason::as_str);
    c.prepare_cached(
        "UPDATE events SET due_at = NULL, outcome = ?2, reason = ?3, payment = ?4, applied_at = ?5
         WHERE seq = ?1",
    )?
    .execute(params![seq, outcome.as_str(), reason, payment.map(|payment| payment.0), now.0])?;
    Ok(())
}
