//! The steps that scenarios are made of, and the steps that lead to an event of each type.
//!
//! Not here: taking them (`run`; over HTTP, `faireplace trigger`).

/// One thing that the customer, the merchant, a bank or the clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The customer pays with this test card number or IBAN, unless the session is no longer open.
    Pay(&'static str),
    /// So many seconds pass.
    Wait(i64),
    /// The merchant refunds half of the amount, rounded down.
    RefundHalf,
    /// The merchant refunds a given amount, or everything that is left.
    Refund,
    /// Time passes until nothing more is scheduled for the latest refund.
    FinishRefund,
    /// Time passes until nothing more is scheduled for the charge: a debit clears, the balance is updated.
    FinishCharge,
    /// The customer disputes a given amount, or the whole charge.
    Dispute,
    /// The merchant submits this test text as evidence.
    Answer(&'static str),
    /// The bank sends an early fraud warning.
    Warn,
    /// The session expires.
    Expire,
    /// The customer's card is authorized for a later capture.
    Authorize,
    /// The merchant captures a given amount of the authorization, or all of it.
    Capture,
    /// The authorization expires without a capture.
    ExpireAuthorization,
    /// A bank transfer brings half of the amount, rounded down.
    FundHalf,
}

use Step::*;

// Stripe's test numbers (docs.stripe.com/testing).
pub(super) const GOOD: &str = "4242424242424242";
pub(super) const DECLINED: &str = "4000000000000002";
pub(super) const REFUND_FAILS: &str = "4000000000005126";
pub(super) const REFUND_PENDS: &str = "4000000000007726";
pub(super) const DEBIT: &str = "AT611904300234573201";
const CHALLENGED: &str = "4000002500003155";
const DEBIT_FAILS: &str = "AT861904300235473202";

/// The steps after which an event of each type was made, in the order of `stripe::EventType`.
pub(super) const STEPS_TO: &[(&str, &[Step])] = &[
    ("checkout.session.completed", &[Pay(GOOD)]),
    ("checkout.session.async_payment_succeeded", &[Pay(DEBIT), FinishCharge]),
    ("checkout.session.async_payment_failed", &[Pay(DEBIT_FAILS), FinishCharge]),
    ("checkout.session.expired", &[Expire]),
    ("payment_intent.created", &[Pay(GOOD)]),
    ("payment_intent.processing", &[Pay(DEBIT)]),
    ("payment_intent.requires_action", &[Pay(CHALLENGED)]),
    ("payment_intent.succeeded", &[Pay(GOOD)]),
    ("payment_intent.payment_failed", &[Pay(DECLINED)]),
    ("payment_intent.canceled", &[Pay(DECLINED), Expire]),
    ("payment_intent.amount_capturable_updated", &[Authorize]),
    ("payment_intent.partially_funded", &[FundHalf]),
    ("charge.succeeded", &[Pay(GOOD)]),
    ("charge.pending", &[Pay(DEBIT)]),
    ("charge.failed", &[Pay(DECLINED)]),
    ("charge.expired", &[Authorize, ExpireAuthorization]),
    ("charge.captured", &[Authorize, Capture]),
    ("charge.updated", &[Pay(GOOD), FinishCharge]),
    ("charge.refunded", &[Pay(GOOD), Refund]),
    ("charge.refund.updated", &[Pay(GOOD), Refund, FinishRefund]),
    ("refund.created", &[Pay(GOOD), Refund]),
    ("refund.updated", &[Pay(GOOD), Refund, FinishRefund]),
    ("refund.failed", &[Pay(REFUND_FAILS), Refund, FinishRefund]),
    ("charge.dispute.created", &[Pay(GOOD), Dispute]),
    ("charge.dispute.updated", &[Pay(GOOD), Dispute, Answer("losing_evidence")]),
    ("charge.dispute.closed", &[Pay(GOOD), Dispute, Answer("losing_evidence")]),
    ("charge.dispute.funds_withdrawn", &[Pay(GOOD), Dispute]),
    ("charge.dispute.funds_reinstated", &[Pay(GOOD), Dispute, Answer("winning_evidence")]),
    ("radar.early_fraud_warning.created", &[Pay(GOOD), Warn]),
    ("radar.early_fraud_warning.updated", &[Pay(GOOD), Warn, Dispute]),
];

/// The steps after which an event of this type was made; None for a type that is not in
/// [`event_names`](super::event_names). A `charge.dispute.closed` is lost.
#[must_use]
pub fn steps_to(type_name: &str) -> Option<&'static [Step]> {
    STEPS_TO.iter().find(|(name, _)| *name == type_name).map(|(_, steps)| *steps)
}

impl Step {
    /// A name for the ids of its events; None if only time passes.
    pub(super) fn name(self) -> Option<&'static str> {
        Some(match self {
            Wait(_) | FinishRefund | FinishCharge => return None,
            Pay(_) => "paid",
            RefundHalf => "half_refunded",
            Refund => "refunded",
            Dispute => "disputed",
            Answer(text) => text,
            Warn => "warned",
            Expire => "expired",
            Authorize => "authorized",
            Capture => "captured",
            ExpireAuthorization => "authorization_expired",
            FundHalf => "half_funded",
        })
    }

    /// Whether it is about a part of the payment, if an amount is given.
    #[must_use]
    pub fn takes_amount(self) -> bool {
        matches!(self, Refund | Dispute | Capture)
    }
}
