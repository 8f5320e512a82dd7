//! Writes decisions about payments: the changes, the payment's wait, and its quarantine item.

use ledger::review::{review_reason, waits_for};
use ledger::{Decision, Now, Outcome, PaymentId, Policy, Timestamp, Wait};
use rusqlite::{Connection, params};

use super::quarantine;
use super::write_set::WriteSet;
use crate::error::StoreError;
use crate::model::{PurchaseFigures, Review};

/// Writes a decision, updates the payment's wait and its quarantine item, and returns the review if its
/// reason is new.
pub(super) fn write(
    c: &Connection,
    write_set: &mut WriteSet,
    decision: &Decision,
    policy: &Policy,
    now: Now,
) -> Result<Option<Review>, StoreError> {
    let Some(payment) = &decision.changes.payment else { return Ok(None) };
    let before = write_set.book.payments.get(&payment.id).map(|known| &known.knowledge);
    let reason_before = before.and_then(review_reason);
    let waited_for = before.and_then(|known| waits_for(known, policy));
    write_set.add(c, &decision.changes)?;
    let merged = !decision.changes.absorbed.is_empty();
    if decision.waits_for != waited_for || merged {
        set_wait(c, payment.id, decision.waits_for, policy, now.at)?;
    }
    if decision.became_ours {
        c.prepare_cached("UPDATE events SET outcome = ?2 WHERE payment = ?1 AND outcome = ?3")?.execute((
            payment.id.0,
            Outcome::AwaitingPurchase.as_str(),
            Outcome::Ignored.as_str(),
        ))?;
    }
    // The item's text contains figures, so it is updated even if the reason stays.
    if decision.review_reason != reason_before || decision.review_reason.is_some() || merged {
        quarantine::update_payment_item(c, payment.id, &payment.knowledge, decision.review_reason, now.at)?;
    }
    let new = decision.review_reason.filter(|reason| Some(*reason) != reason_before);
    Ok(new.map(|reason| Review {
        reason,
        payment: payment.knowledge.key().map(ToString::to_string),
        purchase: PurchaseFigures::of(&payment.knowledge),
    }))
}

/// Stores what a payment waits for, and until when.
pub(super) fn set_wait(
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
