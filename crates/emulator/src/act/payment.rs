//! Payment intents and charges: payment attempts and their results. The test number alone decides the result
//! (docs.stripe.com/testing).
//!
//! Not here: the numbers (`cards`), sessions (`checkout`), refunds and disputes.

use stripe::write::{
    BillingDetails, CaptureMethod, Charge, ChargeStatus, Declined, IntentStatus, Method, MethodType,
    NextAction, Payment, PaymentFailure, PaymentIntent, Session,
};

use crate::cards::{self, AUTHENTICATION_FAILED, Card, DECLINED, Debit, DebitEffect, Effect, PaymentRefusal};
use crate::object::MetadataMap;
use crate::world::{ScheduledTask, World};

/// When Stripe books a charge to the balance, in seconds after it succeeded.
const SETTLES_AFTER: i64 = 90;
/// When a SEPA debit succeeds or fails, in seconds after the payment.
const CLEARS_AFTER: i64 = 4 * DAY;
/// The same for the test account that takes longer.
const CLEARS_LATE_AFTER: i64 = 6 * DAY;
/// When the bank disputes a payment or warns of fraud, in seconds after the payment.
const DISPUTED_AFTER: i64 = 2;
const DAY: i64 = 24 * 60 * 60;

/// The failure of a debit. Its code is empty, as observed at Stripe.
const FAILED_DEBIT: PaymentRefusal = PaymentRefusal {
    code: "",
    decline_code: Some("generic_decline"),
    message: "The customer's bank account has insufficient funds to cover this payment.",
};

/// What the customer pays with: one of Stripe's test numbers.
#[derive(Clone, Copy, Debug)]
pub enum Instrument {
    /// A card.
    Card(&'static Card),
    /// A bank account, by SEPA debit.
    Debit(&'static Debit),
}

impl Instrument {
    /// The instrument with this card number or IBAN.
    #[must_use]
    pub fn of_number(number: &str) -> Option<Self> {
        cards::card(number).map(Self::Card).or_else(|| cards::debit(number).map(Self::Debit))
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> &'static str {
        match self {
            Self::Card(card) => card.number,
            Self::Debit(debit) => debit.iban,
        }
    }

    /// Two letters, ISO 3166: the country of the card or of the bank account.
    #[must_use]
    pub fn country(&self) -> &'static str {
        match self {
            Self::Card(card) => card.country,
            Self::Debit(debit) => debit.country(),
        }
    }

    fn method(&self, challenged: bool, mandate: String) -> Method {
        match self {
            Self::Card(card) => Method::Card {
                brand: card.brand.to_owned(),
                last4: card.last4().to_owned(),
                country: card.country.to_owned(),
                funding: card.funding.to_owned(),
                three_d_secure: challenged,
            },
            Self::Debit(debit) => Method::SepaDebit {
                last4: debit.last4().to_owned(),
                country: debit.country().to_owned(),
                mandate,
            },
        }
    }
}

/// The result of one payment attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The payment succeeded.
    Succeeded,
    /// The payment is processing, for days.
    Processing,
    /// The bank asks for 3-D Secure.
    Challenged,
    /// The bank declined.
    Declined(PaymentFailure),
}

/// A new payment intent, without any attempt.
pub(crate) fn intent(id: String, created: i64, currency: String, amount: i64) -> PaymentIntent {
    PaymentIntent {
        client_secret: format!("{id}_secret"),
        id,
        created,
        livemode: false,
        currency,
        amount,
        amount_capturable: 0,
        amount_received: 0,
        status: IntentStatus::RequiresPaymentMethod,
        capture_method: CaptureMethod::AutomaticAsync,
        description: None,
        metadata: MetadataMap::new(),
        customer: None,
        latest_charge: None,
        payment_method: None,
        payment_method_types: vec![MethodType::Card],
        next_action: None,
        last_payment_error: None,
        canceled_at: None,
        cancellation_reason: None,
    }
}

/// Attempts a payment. The payment intent must be waiting for a payment method.
pub fn attempt(
    world: &mut World,
    intent: &str,
    instrument: &Instrument,
    payer: &BillingDetails,
) -> AttemptResult {
    match instrument {
        Instrument::Card(card) => match &card.effect {
            Effect::Declined(refusal) => decline(world, intent, instrument, payer, refusal),
            Effect::ChallengeThenSucceeds | Effect::ChallengeThenDeclined => {
                challenge(world, intent);
                AttemptResult::Challenged
            }
            Effect::Succeeds
            | Effect::RefundPendingThenSucceeds
            | Effect::RefundSucceedsThenFails
            | Effect::Disputed { .. }
            | Effect::Inquiry
            | Effect::EarlyFraudWarning
            | Effect::SeveralDisputes => take(world, intent, instrument, payer, false),
        },
        Instrument::Debit(debit) => {
            let charge = charge(world, intent, instrument, payer, ChargeStatus::Pending, false);
            let wait =
                if debit.effect == DebitEffect::SucceedsLater { CLEARS_LATE_AFTER } else { CLEARS_AFTER };
            world.later(wait, ScheduledTask::ClearDebit(charge.id.clone()));
            if let Some(intent) = world.payment_intents.get_mut(intent) {
                intent.status = IntentStatus::Processing;
                intent.latest_charge = Some(charge.id.clone());
                intent.payment_method.clone_from(&charge.payment_method);
                intent.last_payment_error = None;
                intent.next_action = None;
            }
            world.charges.add(charge);
            AttemptResult::Processing
        }
    }
}

/// Completes or fails 3-D Secure.
pub fn answer_challenge(
    world: &mut World,
    intent: &str,
    instrument: &Instrument,
    confirmed: bool,
    payer: &BillingDetails,
) -> AttemptResult {
    if let Some(intent) = world.payment_intents.get_mut(intent) {
        intent.next_action = None;
    }
    if !confirmed {
        let failure = failure(&AUTHENTICATION_FAILED);
        fail_intent(world, intent, &failure, None, instrument);
        return AttemptResult::Declined(failure);
    }
    let declined =
        matches!(instrument, Instrument::Card(card) if card.effect == Effect::ChallengeThenDeclined);
    if declined {
        return decline(world, intent, instrument, payer, &DECLINED);
    }
    take(world, intent, instrument, payer, true)
}

/// Cancels a payment intent. Does nothing to one that succeeded, is processing, or is canceled already.
pub fn cancel(world: &mut World, intent: &str, reason: &str) {
    let now = world.now();
    let settled = |intent: &PaymentIntent| {
        matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Processing | IntentStatus::Canceled)
    };
    if world.payment_intents.get(intent).is_none_or(settled) {
        return;
    }
    world.transition::<PaymentIntent>(intent, "payment_intent.canceled", |intent| {
        intent.status = IntentStatus::Canceled;
        intent.canceled_at = Some(now);
        intent.cancellation_reason = Some(reason.to_owned());
        intent.next_action = None;
    });
}

/// A bank transfer brings `amount`, in minor units: a part of what is due, so the intent waits for the rest
/// (docs.stripe.com/payments/bank-transfers).
pub(crate) fn fund(world: &mut World, intent: &str, amount: i64) {
    let (method, reference) = (world.id("pm"), world.id("transfer"));
    world.transition::<PaymentIntent>(intent, "payment_intent.partially_funded", |intent| {
        intent.status = IntentStatus::RequiresAction;
        intent.payment_method = Some(method);
        intent.payment_method_types = vec![MethodType::BankTransfer];
        intent.next_action = Some(NextAction::BankTransfer {
            amount_remaining: intent.amount.saturating_sub(amount),
            currency: intent.currency.clone(),
            reference,
        });
    });
}

/// Emits the events of a debit that is processing: after the session's event, as Stripe does.
pub(super) fn announce_processing(world: &mut World, intent: &str) {
    world.announce::<PaymentIntent>(intent, "payment_intent.processing");
    let charge = world.payment_intents.get(intent).and_then(|intent| intent.latest_charge.clone());
    if let Some(charge) = charge {
        world.announce::<Charge>(&charge, "charge.pending");
    }
}

/// Books a charge to the balance.
pub(super) fn settle(world: &mut World, charge: &str) {
    let transaction = world.id("txn");
    world.change::<Charge>(charge, "charge.updated", |charge| {
        charge.balance_transaction.get_or_insert(transaction);
    });
}

/// A SEPA debit succeeds or fails.
pub(super) fn clear(world: &mut World, id: &str) {
    let Some(charge) = world.charges.get(id).filter(|charge| charge.status == ChargeStatus::Pending) else {
        return;
    };
    let intent = charge.payment_intent.clone().unwrap_or_default();
    let Some(instrument) = world.paid_with.get(id).and_then(|number| Instrument::of_number(number)) else {
        return;
    };
    let fails = matches!(instrument, Instrument::Debit(debit) if debit.effect == DebitEffect::Fails);
    let session = world.session_of.get(&intent).cloned();
    if fails {
        let failure = failure(&FAILED_DEBIT);
        world.transition::<Charge>(id, "charge.failed", |charge| {
            charge.status = ChargeStatus::Failed;
            charge.failure = Some(failure.clone());
        });
        fail_intent(world, &intent, &failure, Some(id), &instrument);
        if let Some(session) = session {
            world.announce::<Session>(&session, "checkout.session.async_payment_failed");
        }
        return;
    }
    let transaction = world.id("txn");
    world.transition::<Charge>(id, "charge.succeeded", |charge| {
        succeed(charge);
        // Only cards are booked later, because they are captured asynchronously (`automatic_async`).
        charge.balance_transaction = Some(transaction);
    });
    succeed_intent(world, &intent);
    if let Some(session) = session {
        world.transition::<Session>(&session, "checkout.session.async_payment_succeeded", |session| {
            session.payment_status = Payment::Paid;
        });
    }
    after_success(world, id, &instrument);
}

fn challenge(world: &mut World, intent: &str) {
    let method = world.id("pm");
    let source = world.id("src");
    world.transition::<PaymentIntent>(intent, "payment_intent.requires_action", |intent| {
        intent.status = IntentStatus::RequiresAction;
        intent.payment_method = Some(method);
        intent.last_payment_error = None;
        intent.next_action = Some(NextAction::Redirect {
            return_url: None,
            url: format!("https://hooks.stripe.com/redirect/authenticate/{source}"),
        });
    });
}

fn take(
    world: &mut World,
    intent: &str,
    instrument: &Instrument,
    payer: &BillingDetails,
    challenged: bool,
) -> AttemptResult {
    let charge = charge(world, intent, instrument, payer, ChargeStatus::Succeeded, challenged);
    let (id, method) = (charge.id.clone(), charge.payment_method.clone());
    world.create(charge, "charge.succeeded");
    if let Some(intent) = world.payment_intents.get_mut(intent) {
        intent.latest_charge = Some(id.clone());
        intent.payment_method = method;
    }
    succeed_intent(world, intent);
    after_success(world, &id, instrument);
    AttemptResult::Succeeded
}

fn succeed(charge: &mut Charge) {
    charge.status = ChargeStatus::Succeeded;
    charge.paid = true;
    charge.captured = true;
    charge.amount_captured = charge.amount;
    charge.receipt_url = Some(format!("https://pay.stripe.com/receipts/payment/{}", charge.id));
}

fn succeed_intent(world: &mut World, intent: &str) {
    world.transition::<PaymentIntent>(intent, "payment_intent.succeeded", |intent| {
        intent.status = IntentStatus::Succeeded;
        intent.amount_received = intent.amount;
        intent.last_payment_error = None;
        intent.next_action = None;
    });
}

/// Schedules what the test number does after a successful payment.
fn after_success(world: &mut World, charge: &str, instrument: &Instrument) {
    let id = charge.to_owned();
    let dispute = |reason: &str, inquiry| ScheduledTask::Dispute {
        charge: charge.to_owned(),
        reason: reason.to_owned(),
        inquiry,
    };
    match instrument {
        Instrument::Card(card) => {
            world.later(SETTLES_AFTER, ScheduledTask::SettleCharge(id.clone()));
            match &card.effect {
                Effect::Disputed { reason } => world.later(DISPUTED_AFTER, dispute(reason, false)),
                Effect::Inquiry => world.later(DISPUTED_AFTER, dispute("fraudulent", true)),
                Effect::EarlyFraudWarning => world.later(DISPUTED_AFTER, ScheduledTask::Warn(id)),
                Effect::SeveralDisputes => {
                    world.later(DISPUTED_AFTER, dispute("fraudulent", false));
                    world.later(2 * DISPUTED_AFTER, dispute("product_not_received", false));
                }
                Effect::Succeeds
                | Effect::Declined(_)
                | Effect::ChallengeThenSucceeds
                | Effect::ChallengeThenDeclined
                | Effect::RefundPendingThenSucceeds
                | Effect::RefundSucceedsThenFails => {}
            }
        }
        Instrument::Debit(debit) => {
            if debit.effect == DebitEffect::Disputed {
                world.later(2 * DAY, dispute("debit_not_authorized", false));
            }
        }
    }
}

fn decline(
    world: &mut World,
    intent: &str,
    instrument: &Instrument,
    payer: &BillingDetails,
    refusal: &PaymentRefusal,
) -> AttemptResult {
    let failure = failure(refusal);
    let failed = charge(world, intent, instrument, payer, ChargeStatus::Failed, false);
    let id = failed.id.clone();
    world.create(Charge { failure: Some(failure.clone()), ..failed }, "charge.failed");
    fail_intent(world, intent, &failure, Some(&id), instrument);
    AttemptResult::Declined(failure)
}

fn fail_intent(
    world: &mut World,
    intent: &str,
    failure: &PaymentFailure,
    charge: Option<&str>,
    instrument: &Instrument,
) {
    let refused = charge.and_then(|id| world.charges.get(id)).and_then(|c| c.payment_method.clone());
    world.transition::<PaymentIntent>(intent, "payment_intent.payment_failed", |intent| {
        intent.status = IntentStatus::RequiresPaymentMethod;
        intent.payment_method = None;
        intent.next_action = None;
        if let Some(charge) = charge {
            intent.latest_charge = Some(charge.to_owned());
        }
        intent.last_payment_error = Some(Declined {
            failure: failure.clone(),
            charge: charge.map(str::to_owned),
            payment_method: refused,
            method: instrument.method(false, String::new()),
        });
    });
}

/// A charge of the payment intent's full amount, not yet added to the world.
pub(super) fn charge(
    world: &mut World,
    intent: &str,
    instrument: &Instrument,
    payer: &BillingDetails,
    status: ChargeStatus,
    challenged: bool,
) -> Charge {
    let (id, method, mandate) = (world.id("ch"), world.id("pm"), world.id("mandate"));
    world.paid_with.insert(id.clone(), instrument.number().to_owned());
    let of = world.payment_intents.get(intent);
    let mut charge = Charge {
        id,
        created: world.now(),
        livemode: false,
        currency: of.map(|intent| intent.currency.clone()).unwrap_or_default(),
        amount: of.map(|intent| intent.amount).unwrap_or_default(),
        amount_captured: 0,
        amount_refunded: 0,
        status,
        captured: status == ChargeStatus::Pending,
        paid: false,
        disputed: false,
        refunded: false,
        balance_transaction: None,
        payment_intent: Some(intent.to_owned()),
        payment_method: Some(method),
        method: instrument.method(challenged, mandate),
        billing_details: payer.clone(),
        failure: None,
        customer: of.and_then(|intent| intent.customer.clone()),
        description: of.and_then(|intent| intent.description.clone()),
        // Copied once, when the payment is confirmed (docs.stripe.com/metadata).
        metadata: of.map(|intent| intent.metadata.clone()).unwrap_or_default(),
        receipt_url: None,
    };
    if status == ChargeStatus::Succeeded {
        succeed(&mut charge);
    }
    charge
}

fn failure(refusal: &PaymentRefusal) -> PaymentFailure {
    PaymentFailure {
        code: refusal.code.to_owned(),
        decline_code: refusal.decline_code.map(str::to_owned),
        message: refusal.message.to_owned(),
    }
}
