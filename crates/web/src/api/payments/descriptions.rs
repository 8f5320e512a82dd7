//! Descriptions of events, and of the status of a payment, for people who do not know Stripe. Amounts are in
//! minor units.

use ledger::{Credits, Entitlement, Knowledge, Minor, Outcome, review_reason};
use stripe::EventType::{self, *};

use crate::api::plain_text::counted;

/// The meaning of an event of this type. None for a type that is not about payments.
pub(super) fn meaning(kind: &str) -> Option<&'static str> {
    Some(match EventType::from_name(kind) {
        CheckoutSessionCompleted => "the customer completed the checkout",
        CheckoutSessionAsyncPaymentSucceeded => "the delayed payment arrived",
        CheckoutSessionAsyncPaymentFailed => "the delayed payment failed",
        CheckoutSessionExpired => "the checkout expired",
        PaymentIntentCreated => "the customer started to pay",
        PaymentIntentProcessing => "the bank is processing the payment",
        PaymentIntentRequiresAction => "the customer was asked to confirm the payment",
        PaymentIntentSucceeded => "the payment succeeded",
        PaymentIntentPaymentFailed => "an attempt to pay failed",
        PaymentIntentCanceled => "the payment was canceled",
        PaymentIntentAmountCapturableUpdated => "the money was reserved but not collected yet",
        PaymentIntentPartiallyFunded => "part of the money arrived",
        ChargeSucceeded => "the bank agreed to pay",
        ChargePending => "the money is on its way",
        ChargeFailed => "the bank refused to pay",
        ChargeExpired => "the reservation of the money expired",
        ChargeCaptured => "the reserved money was collected",
        ChargeUpdated => "details of the charge changed",
        ChargeRefunded => "money goes back to the customer",
        RefundCreated => "a refund was created",
        ChargeRefundUpdated | RefundUpdated => "a refund was updated",
        RefundFailed => "a refund failed, and its money was returned",
        DisputeCreated => "the customer's bank disputes the payment",
        DisputeUpdated => "the dispute was updated",
        DisputeClosed => "the dispute was decided",
        DisputeFundsWithdrawn => "the bank took the disputed money",
        DisputeFundsReinstated => "the bank returned the disputed money",
        InvoicePaid | InvoicePaymentSucceeded => "an invoice was paid",
        InvoicePaymentPaid => "a payment was applied to an invoice",
        EarlyFraudWarningCreated => "the customer's bank warns of fraud",
        EarlyFraudWarningUpdated => "the fraud warning was updated",
        Other(_) => return None,
    })
}

/// The result of an event.
pub(super) fn outcome(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("not applied yet", |outcome| match outcome {
        Outcome::Quarantined => "a person must decide whether it counts; it moved no credits",
        Outcome::Granted => "credits were added",
        Outcome::Revoked => "credits were taken back",
        Outcome::Restored => "credits were given back",
        Outcome::Frozen => "credits were set aside until the refund or dispute ends",
        Outcome::Unfrozen => "credits that were set aside are spendable again",
        Outcome::Finalized => "the payment is final",
        Outcome::Declined => "no credits; the customer may try again",
        Outcome::Closed => "the purchase ended without payment; no credits",
        Outcome::AwaitingPayment => "no credits until the money arrives",
        Outcome::AwaitingPurchase => "waiting for the event that names the purchase",
        Outcome::Recorded => "recorded; it moves no credits",
        Outcome::AlreadyKnown => "already known; it changes nothing",
        Outcome::Ignored => "not about credits, as far as is known",
    })
}

/// `5 of 10 credits`, or `10 credits` for all of them.
pub(super) fn part(of: Credits, all: Credits) -> String {
    if of.0 < all.0 { format!("{} of {}", of.0, counted(all)) } else { counted(of) }
}

/// The status of a payment in one or two sentences.
pub(super) fn summary(known: &Knowledge, due: &Entitlement, currency: Option<&str>) -> String {
    let unit = currency.unwrap_or("an unknown currency");
    let mut said = Vec::new();
    let paid = known.amount_taken();
    if paid > Minor::ZERO || known.is_paid() {
        said.push(format!("in minor units of {unit}, {} was paid", paid.0));
    } else {
        said.push("nothing has been paid".to_owned());
    }
    let of_paid = |part: Minor| format!("{} of {}", part.0, paid.0);
    if due.lost > Minor::ZERO {
        said.push(format!("{} was refunded or lost in a dispute", of_paid(due.lost)));
    }
    if due.pending > Minor::ZERO {
        said.push(format!("{} is in a pending refund or an open dispute", of_paid(due.pending)));
    }
    if due.granted > Credits::ZERO {
        said.push(format!("it bought {}", counted(due.granted)));
    }
    if due.revoked > Credits::ZERO {
        said.push(format!("{} were taken back", part(due.revoked, due.granted)));
    }
    if due.frozen > Credits::ZERO {
        let frozen = part(due.frozen, due.granted);
        said.push(format!("{frozen} are set aside until the refund or dispute ends"));
    }
    if let Some(reason) = review_reason(known) {
        said.push(format!("a person must review it ({})", reason.as_str()));
    }
    let mut text = said.join("; ");
    text.push('.');
    // Each part begins with an ASCII letter.
    text.get_mut(..1).unwrap_or_default().make_ascii_uppercase();
    text
}
