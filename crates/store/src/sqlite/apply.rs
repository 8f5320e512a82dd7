//! Events: load what a batch touches, decide each item in turn in memory, write what was decided, in one
//! commit (design section 4, rules 1 and 2).
//! Not here: commands, which may refuse (`commands`), a person's word (`actions::review`), and how a decision
//! is written (`record`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::review::{review_reason, waits_for};
use ledger::{Decision, Fact, Now, Outcome, PaymentId, Policy, Reason, Timestamp, decide};
use rusqlite::{Connection, OptionalExtension, params};

use super::record::Record;
use super::{book, quarantine, waits};
use crate::error::StoreError;
use crate::model::{AppliedEvent, EventToApply, PurchaseFigures, Reading, Review};

/// Settles a batch of events. An event that was settled meanwhile is left alone; one on which deciding
/// panics is quarantined, and its neighbours go on.
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
    let mut record = Record::new(book::load(c, facts, now)?, now.at);
    let mut settled = Vec::with_capacity(batch.len());
    for item in batch {
        let due: Option<Option<String>> = c
            .prepare_cached("SELECT outcome FROM events WHERE seq = ?1 AND due_at IS NOT NULL")?
            .query_row([item.seq], |row| row.get(0))
            .optional()?;
        let Some(earlier) = due else { continue };
        let earlier = earlier.as_deref().and_then(Outcome::from_name);
        settled.push(settle_one(c, &mut record, item, earlier, policy, now)?);
    }
    record.finish(c)?;
    Ok(settled)
}

fn settle_one(
    c: &Connection,
    record: &mut Record,
    item: &EventToApply,
    earlier: Option<Outcome>,
    policy: &Policy,
    now: Now,
) -> Result<AppliedEvent, StoreError> {
    let seq = item.seq;
    match &item.reading {
        Reading::Fact(fact) => match decide_one(record, fact, policy, now) {
            Some(decision) => {
                let review = add(c, record, &decision, policy, now)?;
                let payment = decision.changes.payment.as_ref().map(|payment| payment.id);
                finish(c, seq, earlier, decision.outcome, decision.review_reason, payment, now.at)?;
                Ok(AppliedEvent { seq, outcome: decision.outcome, review })
            }
            None => quarantine_event(c, seq, Reason::Panicked, PANICKED, now),
        },
        Reading::Partial { fact, detail } => match decide_one(record, fact, policy, now) {
            Some(decision) => {
                add(c, record, &decision, policy, now)?;
                let payment = decision.changes.payment.as_ref().map(|payment| payment.id.0);
                c.prepare_cached("UPDATE events SET payment = ?2 WHERE seq = ?1")?.execute((seq, payment))?;
                quarantine_event(c, seq, Reason::Unreadable, detail, now)
            }
            None => quarantine_event(c, seq, Reason::Panicked, PANICKED, now),
        },
        Reading::Ignored => {
            finish(c, seq, earlier, Outcome::Ignored, None, None, now.at)?;
            Ok(AppliedEvent { seq, outcome: Outcome::Ignored, review: None })
        }
        Reading::Quarantined { reason, detail } => quarantine_event(c, seq, *reason, detail, now),
    }
}

const PANICKED: &str = "The ledger's rules panicked on this event. Nothing was granted or taken.";

/// None where deciding panics.
fn decide_one(record: &Record, fact: &Fact, policy: &Policy, now: Now) -> Option<Decision> {
    catch_unwind(AssertUnwindSafe(|| decide(&record.book, fact, policy, now))).ok()
}

fn quarantine_event(
    c: &Connection,
    seq: i64,
    reason: Reason,
    detail: &str,
    now: Now,
) -> Result<AppliedEvent, StoreError> {
    quarantine::close_event(c, seq, reason, detail, now.at)?;
    let review = Review { reason, payment: None, purchase: PurchaseFigures::default() };
    Ok(AppliedEvent { seq, outcome: Outcome::Quarantined, review: Some(review) })
}

/// Writes a decision, with the reason for a review that it brings up or settles, and what the payment waits
/// for. Answers the review that is new.
pub(super) fn add(
    c: &Connection,
    record: &mut Record,
    decision: &Decision,
    policy: &Policy,
    now: Now,
) -> Result<Option<Review>, StoreError> {
    let Some(payment) = &decision.changes.payment else { return Ok(None) };
    let before = record.book.payments.get(&payment.id).map(|known| &known.knowledge);
    let reason_before = before.and_then(review_reason);
    let waited_for = before.and_then(|known| waits_for(known, policy));
    record.add(c, &decision.changes)?;
    let merged = !decision.changes.absorbed.is_empty();
    if decision.waits_for != waited_for || merged {
        waits::set(c, payment.id, decision.waits_for, policy, now.at)?;
    }
    if decision.became_ours {
        c.prepare_cached("UPDATE events SET outcome = ?2 WHERE payment = ?1 AND outcome = ?3")?.execute((
            payment.id.0,
            Outcome::AwaitingPurchase.as_str(),
            Outcome::Ignored.as_str(),
        ))?;
    }
    // Also where the reason stays: the item tells figures.
    if decision.review_reason != reason_before || decision.review_reason.is_some() || merged {
        quarantine::review(c, payment.id, &payment.knowledge, decision.review_reason, now.at)?;
    }
    let new = decision.review_reason.filter(|reason| Some(*reason) != reason_before);
    Ok(new.map(|reason| Review {
        reason,
        payment: payment.knowledge.key().map(ToString::to_string),
        purchase: PurchaseFigures::of(&payment.knowledge),
    }))
}

/// Stores what became of an event. A replay that finds everything known already does not blur what became
/// of it at first, unless the event itself had been given to a person.
fn finish(
    c: &Connection,
    seq: i64,
    earlier: Option<Outcome>,
    outcome: Outcome,
    reason: Option<Reason>,
    payment: Option<PaymentId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let cleared = earlier == Some(Outcome::Quarantined) && quarantine::clear_event(c, seq, now)?;
    if outcome == Outcome::AlreadyKnown && earlier.is_some() && !cleared {
        // After a failed attempt, the reason is that attempt's error, which is over.
        let reason = reason.filter(|_| earlier == Some(Outcome::Quarantined));
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
