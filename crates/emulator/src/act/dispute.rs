//! Disputes and inquiries (docs.stripe.com/disputes/how-disputes-work,
//! docs.stripe.com/testing#disputes).
//!
//! Not here: refunds of the dispute fee, and arbitration.

use std::collections::BTreeMap;

use stripe::write::{Dispute, DisputeStatus, Leg, MethodType};

use super::payment::Instrument;
use super::{fraud_warning, refund};
use crate::object::MetadataMap;
use crate::world::{ScheduledTask, World};

const DAY: i64 = 24 * 60 * 60;
/// How long the seller may submit evidence, in seconds.
const EVIDENCE_PERIOD: i64 = 9 * DAY;
/// How long the bank takes to decide after evidence was submitted, in seconds.
const REVIEW_PERIOD: i64 = 60 * DAY;
/// Stripe's fee for a dispute, in minor units. The dispute's amount does not include it.
const FEE: i64 = 1_500;

/// Opens a dispute or an inquiry. Returns its id; `None`, and nothing happens, when the charge took no money.
pub fn open(world: &mut World, charge: &str, reason: &str, inquiry: bool) -> Option<String> {
    open_for(world, charge, None, reason, inquiry)
}

/// As [`open`], for a part of the charge: `amount`, in minor units. `None`, and nothing happens, when it is
/// not between 1 and what is left of the charge.
pub(crate) fn open_for(
    world: &mut World,
    charge: &str,
    amount: Option<i64>,
    reason: &str,
    inquiry: bool,
) -> Option<String> {
    let of = world.charges.get(charge).filter(|charge| charge.paid)?;
    let left = of.amount_captured - of.amount_refunded;
    // A charge that was refunded in full can still be disputed, for its full amount.
    let most = if left > 0 { left } else { of.amount_captured };
    let amount = amount.unwrap_or(most);
    if amount <= 0 || amount > most {
        return None;
    }
    let (currency, payment_intent) = (of.currency.clone(), of.payment_intent.clone());
    let instrument = world.paid_with.get(charge).and_then(|number| Instrument::of_number(number));
    let (id, now) = (world.id("du"), world.now());
    let dispute = Dispute {
        id: id.clone(),
        created: now,
        livemode: false,
        currency,
        amount,
        charge: charge.to_owned(),
        payment_intent,
        status: if inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse },
        reason: reason.to_owned(),
        evidence: BTreeMap::new(),
        submission_count: 0,
        due_by: now + EVIDENCE_PERIOD,
        is_charge_refundable: inquiry,
        method: match instrument {
            Some(Instrument::Debit(_)) => MethodType::SepaDebit,
            Some(Instrument::Card(_)) | None => MethodType::Card,
        },
        legs: Vec::new(),
        metadata: MetadataMap::new(),
    };
    world.later(EVIDENCE_PERIOD, ScheduledTask::DecideDispute(id.clone()));
    if inquiry {
        world.create(dispute, "charge.dispute.created");
        return Some(id);
    }
    let withdrawal = withdrawal(world, amount);
    mark_disputed(world, charge);
    world.create(Dispute { legs: vec![withdrawal], ..dispute }, "charge.dispute.created");
    world.announce::<Dispute>(&id, "charge.dispute.funds_withdrawn");
    refund::fail_pending(world, charge);
    fraud_warning::resolve(world, charge);
    Some(id)
}

/// Adds evidence to a dispute, and submits it to the bank if `submit`. Stripe's test texts decide at once:
/// `winning_evidence`, `losing_evidence`, and for an inquiry `escalate_inquiry_evidence`. Returns whether the
/// dispute accepted it.
pub fn answer(
    world: &mut World,
    id: &str,
    evidence: BTreeMap<String, String>,
    metadata: impl FnOnce(&mut MetadataMap),
    submit: bool,
) -> bool {
    let Some(dispute) = world.disputes.get(id) else { return false };
    let is_open = is_open(dispute.status);
    if !is_open && (submit || !evidence.is_empty()) {
        return false;
    }
    let inquiry = dispute.status.is_inquiry();
    world.change::<Dispute>(id, "charge.dispute.updated", |dispute| {
        dispute.evidence.extend(evidence);
        metadata(&mut dispute.metadata);
        if submit {
            dispute.submission_count += 1;
            dispute.status =
                if inquiry { DisputeStatus::WarningUnderReview } else { DisputeStatus::UnderReview };
        }
    });
    if !submit {
        return true;
    }
    // The deadline for evidence no longer matters; the bank decides next.
    world.cancel_tasks(id);
    let text = world.disputes.get(id).and_then(|dispute| dispute.evidence.get("uncategorized_text").cloned());
    match text.as_deref() {
        Some("winning_evidence") if inquiry => close_as(world, id, DisputeStatus::WarningClosed),
        Some("winning_evidence") => win(world, id),
        Some("losing_evidence") if inquiry => escalate(world, id),
        Some("losing_evidence") => close_as(world, id, DisputeStatus::Lost),
        Some("escalate_inquiry_evidence") if inquiry => escalate(world, id),
        _ => world.later(REVIEW_PERIOD, ScheduledTask::DecideDispute(id.to_owned())),
    }
    true
}

/// Closes a dispute: the seller accepts it. Returns whether it was open.
pub fn close(world: &mut World, id: &str) -> bool {
    let Some(dispute) = world.disputes.get(id).filter(|dispute| is_open(dispute.status)) else {
        return false;
    };
    let warning = dispute.status.is_inquiry();
    close_as(world, id, if warning { DisputeStatus::WarningClosed } else { DisputeStatus::Lost });
    true
}

/// The deadline passed: a dispute without evidence, or with evidence that is none of the test texts, is lost.
/// An inquiry is closed.
pub(super) fn decide(world: &mut World, id: &str) {
    close(world, id);
}

fn win(world: &mut World, id: &str) {
    close_as(world, id, DisputeStatus::Won);
    let (leg, now) = (world.id("txn"), world.now());
    world.transition::<Dispute>(id, "charge.dispute.funds_reinstated", |dispute| {
        dispute.legs.push(Leg { id: leg, created: now, amount: dispute.amount, fee: 0 });
    });
}

fn close_as(world: &mut World, id: &str, status: DisputeStatus) {
    world.change::<Dispute>(id, "charge.dispute.closed", |dispute| dispute.status = status);
}

/// Turns an inquiry into a dispute, which withdraws the money.
fn escalate(world: &mut World, id: &str) {
    let Some(dispute) = world.disputes.get(id) else { return };
    let (charge, amount) = (dispute.charge.clone(), dispute.amount);
    let withdrawal = withdrawal(world, amount);
    let due_by = world.now() + EVIDENCE_PERIOD;
    world.change::<Dispute>(id, "charge.dispute.updated", |dispute| {
        dispute.status = DisputeStatus::NeedsResponse;
        dispute.is_charge_refundable = false;
        dispute.due_by = due_by;
        dispute.legs.push(withdrawal);
    });
    world.later(EVIDENCE_PERIOD, ScheduledTask::DecideDispute(id.to_owned()));
    mark_disputed(world, &charge);
    world.announce::<Dispute>(id, "charge.dispute.funds_withdrawn");
    refund::fail_pending(world, &charge);
    fraud_warning::resolve(world, &charge);
}

fn withdrawal(world: &mut World, amount: i64) -> Leg {
    Leg { id: world.id("txn"), created: world.now(), amount: 0_i64.saturating_sub(amount), fee: FEE }
}

/// Marks the charge as disputed. Stripe has no event for it.
fn mark_disputed(world: &mut World, charge: &str) {
    if let Some(charge) = world.charges.get_mut(charge) {
        charge.disputed = true;
    }
}

fn is_open(status: DisputeStatus) -> bool {
    match status {
        DisputeStatus::WarningNeedsResponse
        | DisputeStatus::WarningUnderReview
        | DisputeStatus::NeedsResponse
        | DisputeStatus::UnderReview => true,
        DisputeStatus::WarningClosed | DisputeStatus::Won | DisputeStatus::Lost => false,
    }
}
