//! Events and rulings: load what a batch touches, decide each item in turn in memory, write what was decided,
//! in one commit (design section 4, rules 1 and 2).
//! Not here: commands, which may refuse (`commands`), and how a decision is written (`record`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::knowledge::{Ruling, Verdict};
use ledger::{Changes, Decision, Outcome, PaymentId, Policy, Reason, Timestamp, decide, rule};
use rusqlite::{Connection, OptionalExtension, params};

use super::record::Record;
use super::{book, quarantine};
use crate::error::StoreError;
use crate::model::{Reading, Settled, Settlement};

/// Settles a batch of events. An event that was settled meanwhile is left alone; one on which deciding
/// panics is quarantined, and its neighbours go on.
pub(super) fn settle(
    c: &Connection,
    batch: &[Settlement],
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Settled>, StoreError> {
    let facts = batch.iter().filter_map(|item| match &item.reading {
        Reading::Fact(fact) => Some(&**fact),
        Reading::Ignored | Reading::Quarantined { .. } => None,
    });
    let mut record = Record::new(book::load(c, facts, now)?, now);
    let mut settled = Vec::with_capacity(batch.len());
    for item in batch {
        let due: Option<Option<String>> = c
            .prepare_cached("SELECT outcome FROM events WHERE seq = ?1 AND due_at IS NOT NULL")?
            .query_row([item.seq], |row| row.get(0))
            .optional()?;
        let Some(earlier) = due else { continue };
        let earlier = earlier.as_deref().and_then(Outcome::from_name);
        let outcome = settle_one(c, &mut record, item, earlier, policy, now)?;
        settled.push(Settled { seq: item.seq, outcome });
    }
    record.finish(c)?;
    Ok(settled)
}

fn settle_one(
    c: &Connection,
    record: &mut Record,
    item: &Settlement,
    earlier: Option<Outcome>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    match &item.reading {
        Reading::Fact(fact) => {
            match catch_unwind(AssertUnwindSafe(|| decide(&record.book, fact, policy, now))) {
                Ok(decision) => {
                    add(c, record, &decision, now)?;
                    finish(c, item.seq, earlier, &decision, now)?;
                    Ok(decision.outcome)
                }
                Err(_) => {
                    let detail = "The ledger's rules panicked on this event. Nothing was granted or taken.";
                    quarantine::close_event(c, item.seq, Reason::Panicked, detail, now)?;
                    Ok(Outcome::Quarantined)
                }
            }
        }
        Reading::Ignored => {
            let decision =
                Decision { outcome: Outcome::Ignored, question: None, changes: Changes::default() };
            finish(c, item.seq, earlier, &decision, now)?;
            Ok(Outcome::Ignored)
        }
        Reading::Quarantined { reason, detail } => {
            quarantine::close_event(c, item.seq, *reason, detail, now)?;
            Ok(Outcome::Quarantined)
        }
    }
}

/// Settles a person's word about a payment. Nothing when there is no such payment, or when the item that
/// `asked` for the word was closed meanwhile: of two people who answer at once, one is told so.
pub(super) fn settle_ruling(
    c: &Connection,
    payment: PaymentId,
    asked: Option<i64>,
    ruling: &Ruling,
    policy: &Policy,
) -> Result<Option<Settled>, StoreError> {
    if let Some(item) = asked
        && !quarantine::is_open(c, item)?
    {
        return Ok(None);
    }
    let mut record = Record::new(book::load_payment(c, payment, ruling)?, ruling.at);
    let Some(decision) = rule(&record.book, payment, ruling.clone(), policy) else { return Ok(None) };
    let resolution = match ruling.verdict {
        Verdict::Grant { .. } => "resolved",
        Verdict::Dismiss => "dismissed",
    };
    quarantine::answer(c, payment, resolution, &ruling.by, &ruling.reason, ruling.at)?;
    add(c, &mut record, &decision, ruling.at)?;
    record.finish(c)?;
    Ok(Some(Settled { seq: 0, outcome: decision.outcome }))
}

/// Writes a decision, with the question that it asks or answers.
fn add(c: &Connection, record: &mut Record, decision: &Decision, now: Timestamp) -> Result<(), StoreError> {
    if let Some(payment) = &decision.changes.payment {
        let known = record.book.payments.get(&payment.id);
        let before = known.and_then(|known| ledger::status::question(&known.knowledge));
        record.add(c, &decision.changes)?;
        if decision.question != before || !decision.changes.absorbed.is_empty() {
            quarantine::question(c, payment.id, decision.question, now)?;
        }
    }
    Ok(())
}

/// Stores what became of an event. A replay that finds everything known already does not blur what became
/// of it at first, unless the event itself had been given to a person.
fn finish(
    c: &Connection,
    seq: i64,
    earlier: Option<Outcome>,
    decision: &Decision,
    now: Timestamp,
) -> Result<(), StoreError> {
    let cleared = earlier == Some(Outcome::Quarantined) && quarantine::clear_event(c, seq, now)?;
    if decision.outcome == Outcome::AlreadyKnown && earlier.is_some() && !cleared {
        // After a failed attempt, the reason is that attempt's error, which is over.
        let question = decision.question.filter(|_| earlier == Some(Outcome::Quarantined));
        c.prepare_cached(
            "UPDATE events SET due_at = NULL, applied_at = ?2,
                 reason = CASE attempts WHEN 0 THEN reason ELSE ?3 END WHERE seq = ?1",
        )?
        .execute((seq, now.0, question.map(Reason::as_str)))?;
        return Ok(());
    }
    let reason = decision.question.filter(|_| decision.outcome == Outcome::Quarantined).map(Reason::as_str);
    let payment = decision.changes.payment.as_ref().map(|payment| payment.id.0);
    c.prepare_cached(
        "UPDATE events SET due_at = NULL, outcome = ?2, reason = ?3, payment = ?4, applied_at = ?5
         WHERE seq = ?1",
    )?
    .execute(params![seq, decision.outcome.as_str(), reason, payment, now.0])?;
    Ok(())
}
