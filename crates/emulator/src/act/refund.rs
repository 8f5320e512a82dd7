//! Refunds, also those that are pending at first or fail later (docs.stripe.com/api/refunds,
//! docs.stripe.com/testing#refunds).
//!
//! After a refund failed, the charge still counts it in `amount_refunded`: Stripe's behaviour is not
//! documented.

use stripe::write::{Charge, ChargeStatus, DisputeStatus, MethodType, Refund, RefundStatus};

use super::fraud_warning;
use super::payment::Instrument;
use crate::cards::Effect;
use crate::object::MetadataMap;
use crate::world::{ScheduledTask, World};

/// When a pending refund succeeds, in seconds.
const SUCCEEDS_AFTER: i64 = 60;
/// When the bank's reference number becomes known, in seconds.
const REFERENCE_AFTER: i64 = 3 * 60 * 60;
/// When a refund that fails does so, in seconds.
const FAILS_AFTER: i64 = 7 * 24 * 60 * 60;

/// The fields of a new refund.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// The charge to refund.
    pub charge: String,
    /// Minor units; by default everything that is left.
    pub amount: Option<i64>,
    /// Stripe's word for the reason.
    pub reason: Option<String>,
    /// The shop's notes.
    pub metadata: MetadataMap,
}

/// Why a charge was not refunded. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// There is no such charge.
    #[error("No such charge.")]
    NoCharge,
    /// The charge took no money.
    #[error("That charge took no money, so there is nothing to refund.")]
    NotPaid,
    /// Everything was refunded, or will be when pending refunds succeed.
    #[error("That charge has been refunded in full, or is about to be.")]
    AlreadyRefunded,
    /// The amount is zero or negative.
    #[error("The amount of a refund must be greater than zero.")]
    NotPositive,
    /// The amount is more than what is left.
    #[error("Only {left} minor units of that charge are left to refund.")]
    TooMuch {
        /// What is left, in minor units.
        left: i64,
    },
    /// The customer's bank has taken the money back.
    #[error("The customer's bank has taken that money back, so it cannot be refunded.")]
    Disputed,
}

/// Refunds a charge in full or in part. Returns the refund's id.
///
/// # Errors
/// When the charge cannot be refunded, or not by this amount.
pub fn create(world: &mut World, new: NewRefund) -> Result<String, RefundRefusal> {
    let charge = world.charges.get(&new.charge).ok_or(RefundRefusal::NoCharge)?;
    if charge.status != ChargeStatus::Succeeded {
        return Err(RefundRefusal::NotPaid);
    }
    if world.disputes.iter().any(|dispute| dispute.charge == new.charge && holds_money(dispute.status)) {
        return Err(RefundRefusal::Disputed);
    }
    let left = charge.amount_captured - charge.amount_refunded - pending(world, &new.charge);
    if left <= 0 {
        return Err(RefundRefusal::AlreadyRefunded);
    }
    let amount = new.amount.unwrap_or(left);
    if amount <= 0 {
        return Err(RefundRefusal::NotPositive);
    }
    if amount > left {
        return Err(RefundRefusal::TooMuch { left });
    }
    let effect = world.paid_with.get(&new.charge).and_then(|number| Instrument::of_number(number));
    let (card, effect) = match effect {
        Some(Instrument::Card(card)) => (true, Some(&card.effect)),
        Some(Instrument::Debit(_)) | None => (false, None),
    };
    let (currency, payment_intent) = (charge.currency.clone(), charge.payment_intent.clone());
    let (payment_method, customer) = (charge.payment_method.clone(), charge.customer.clone());
    let is_pending = effect == Some(&Effect::RefundPendingThenSucceeds);
    let id = world.id("re");
    let refund = Refund {
        id: id.clone(),
        created: world.now(),
        currency,
        amount,
        charge: Some(new.charge.clone()),
        payment_intent,
        status: if is_pending { RefundStatus::Pending } else { RefundStatus::Succeeded },
        reason: new.reason,
        failure_reason: None,
        reference: None,
        balance_transaction: Some(world.id("txn")),
        failure_balance_transaction: None,
        method: if card { MethodType::Card } else { MethodType::SepaDebit },
        payment_method,
        customer,
        metadata: new.metadata,
    };
    world.create(refund, "refund.created");
    if is_pending {
        world.later(SUCCEEDS_AFTER, ScheduledTask::CompleteRefund(id.clone()));
        return Ok(id);
    }
    count(world, &new.charge, amount);
    if effect == Some(&Effect::RefundSucceedsThenFails) {
        world.later(FAILS_AFTER, ScheduledTask::FailRefund(id.clone()));
    } else if card {
        world.later(REFERENCE_AFTER, ScheduledTask::ReferenceRefund(id.clone()));
    }
    Ok(id)
}

/// Cancels a pending refund. Returns whether it was pending.
pub fn cancel(world: &mut World, id: &str) -> bool {
    if !is(world, id, RefundStatus::Pending) {
        return false;
    }
    change(world, id, "refund.updated", |refund| refund.status = RefundStatus::Canceled);
    true
}

/// A pending refund succeeds.
pub(super) fn complete(world: &mut World, id: &str) {
    if !is(world, id, RefundStatus::Pending) {
        return;
    }
    change(world, id, "refund.updated", |refund| refund.status = RefundStatus::Succeeded);
    let refund = world.refunds.get(id);
    if let Some((charge, amount)) = refund.and_then(|r| Some((r.charge.clone()?, r.amount))) {
        count(world, &charge, amount);
        world.later(REFERENCE_AFTER, ScheduledTask::ReferenceRefund(id.to_owned()));
    }
}

/// The bank's reference number becomes known.
pub(super) fn reference(world: &mut World, id: &str) {
    if is(world, id, RefundStatus::Succeeded) {
        let number = "74352266301000000000001".to_owned();
        change(world, id, "refund.updated", |refund| refund.reference = Some(number));
    }
}

/// A refund fails: the money returns to the seller.
pub(super) fn fail(world: &mut World, id: &str, reason: &str) {
    if !is(world, id, RefundStatus::Succeeded) && !is(world, id, RefundStatus::Pending) {
        return;
    }
    let transaction = world.id("txn");
    change(world, id, "refund.failed", |refund| {
        refund.status = RefundStatus::Failed;
        refund.failure_reason = Some(reason.to_owned());
        refund.failure_balance_transaction = Some(transaction);
    });
}

/// Fails the pending refunds of a charge that was disputed.
pub(super) fn fail_pending(world: &mut World, charge: &str) {
    let pending = world
        .refunds
        .iter()
        .filter(|refund| refund.charge.as_deref() == Some(charge) && refund.status == RefundStatus::Pending);
    for id in pending.map(|refund| refund.id.clone()).collect::<Vec<_>>() {
        fail(world, &id, "charge_for_pending_refund_disputed");
    }
}

/// The sum of pending refunds in minor units: `amount_refunded` does not include them.
fn pending(world: &World, charge: &str) -> i64 {
    let of_charge =
        |refund: &&Refund| refund.charge.as_deref() == Some(charge) && refund.status == RefundStatus::Pending;
    world.refunds.iter().filter(of_charge).map(|refund| refund.amount).sum()
}

/// Whether the customer's bank has the money: not during an inquiry, and not after a dispute was won
/// (docs.stripe.com/disputes/how-disputes-work; github.com/Automattic/woocommerce-payments/issues/7960).
fn holds_money(status: DisputeStatus) -> bool {
    match status {
        DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Lost => true,
        DisputeStatus::WarningNeedsResponse
        | DisputeStatus::WarningUnderReview
        | DisputeStatus::WarningClosed
        | DisputeStatus::Won => false,
    }
}

fn is(world: &World, id: &str, status: RefundStatus) -> bool {
    world.refunds.get(id).is_some_and(|refund| refund.status == status)
}

/// Changes a refund, and emits its event under today's name and under the one before 2024-10-28.acacia.
fn change(world: &mut World, id: &str, type_name: &str, edit: impl FnOnce(&mut Refund)) {
    let Some(before) = world.refunds.get(id).cloned() else { return };
    world.change(id, type_name, edit);
    let old_name = "charge.refund.updated";
    if world.endpoints.iter().any(|endpoint| endpoint.wants(old_name))
        && let Some(after) = world.refunds.get(id).cloned()
    {
        world.emit(old_name, after.into(), Some(before.into()));
    }
}

fn count(world: &mut World, charge: &str, amount: i64) {
    world.change::<Charge>(charge, "charge.refunded", |charge| {
        charge.amount_refunded = charge.amount_refunded.saturating_add(amount);
        charge.refunded = charge.amount_refunded >= charge.amount;
    });
    if world.charges.get(charge).is_some_and(|charge| charge.refunded) {
        fraud_warning::resolve(world, charge);
    }
}
