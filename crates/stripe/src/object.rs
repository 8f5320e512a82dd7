//! The objects in events, reduced to the fields that a decision about credits may depend on.
//!
//! Lenient where Stripe may change: unknown fields, new statuses, ids with any prefix, references as text or
//! expanded. Strict about money: integers only, within a limit, each key once. Refunds and disputes must have
//! an amount. A malformed optional field counts as absent and is listed in the object's `faults`. Not here:
//! what the objects mean.

mod charge;
mod checkout_session;
mod dispute;
mod early_fraud_warning;
mod invoice;
mod metadata;
mod payment_intent;
mod refund;

pub use charge::Charge;
pub use checkout_session::{CheckoutSession, PaymentStatus};
pub use dispute::{BalanceTransaction, Dispute, DisputeStatus};
pub use early_fraud_warning::EarlyFraudWarning;
pub use invoice::{Invoice, InvoicePayment};
pub use metadata::Metadata;
pub use payment_intent::PaymentIntent;
pub use refund::{Refund, RefundStatus};

use crate::event_type::EventType::{self, *};
use crate::fault::ReadFault;
use crate::fields::{Fields, required};
use serde_json::value::RawValue;

/// The object of a snapshot event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// Of `checkout.session.*`.
    CheckoutSession(CheckoutSession),
    /// Of `payment_intent.*`.
    PaymentIntent(PaymentIntent),
    /// Of `charge.*`, except `charge.refund.*` and `charge.dispute.*`.
    Charge(Charge),
    /// Of `refund.*` and `charge.refund.updated`.
    Refund(Refund),
    /// Of `charge.dispute.*`.
    Dispute(Dispute),
    /// Of `invoice.*`.
    Invoice(Invoice),
    /// Of `invoice_payment.*`.
    InvoicePayment(InvoicePayment),
    /// Of `radar.early_fraud_warning.*`.
    EarlyFraudWarning(EarlyFraudWarning),
    /// Of any other event type; not parsed.
    Other,
}

impl Object {
    /// The first optional field that was malformed and counts as absent.
    pub fn fault(&self) -> Option<ReadFault> {
        match self {
            Object::CheckoutSession(session) => session.faults.first(),
            Object::PaymentIntent(intent) => intent.faults.first(),
            Object::Charge(charge) => charge.faults.first(),
            Object::Refund(refund) => refund.faults.first(),
            Object::Dispute(dispute) => dispute.faults.first(),
            Object::Invoice(invoice) => invoice.faults.first(),
            Object::InvoicePayment(paid) => paid.faults.first(),
            Object::EarlyFraudWarning(_) | Object::Other => None,
        }
    }

    pub(crate) fn read(kind: &EventType, object: &RawValue) -> Result<Object, ReadFault> {
        let fields = Fields::of_value("data.object", object)?;
        match kind {
            CheckoutSessionCompleted
            | CheckoutSessionAsyncPaymentSucceeded
            | CheckoutSessionAsyncPaymentFailed
            | CheckoutSessionExpired => CheckoutSession::read(&fields).map(Object::CheckoutSession),
            PaymentIntentCreated
            | PaymentIntentProcessing
            | PaymentIntentRequiresAction
            | PaymentIntentSucceeded
            | PaymentIntentPaymentFailed
            | PaymentIntentCanceled
            | PaymentIntentAmountCapturableUpdated
            | PaymentIntentPartiallyFunded => PaymentIntent::read(&fields).map(Object::PaymentIntent),
            ChargeRefunded => {
                // Elsewhere an absent amount_refunded means 0; here that would hide a refund.
                required("amount_refunded", fields.get("amount_refunded")?)?;
                Charge::read(&fields).map(Object::Charge)
            }
            ChargeSucceeded | ChargePending | ChargeFailed | ChargeExpired | ChargeCaptured
            | ChargeUpdated => Charge::read(&fields).map(Object::Charge),
            ChargeRefundUpdated | RefundCreated | RefundUpdated | RefundFailed => {
                Refund::read(&fields).map(Object::Refund)
            }
            DisputeCreated
            | DisputeUpdated
            | DisputeClosed
            | DisputeFundsWithdrawn
            | DisputeFundsReinstated => Dispute::read(&fields).map(Object::Dispute),
            InvoicePaid | InvoicePaymentSucceeded => Invoice::read(&fields).map(Object::Invoice),
            InvoicePaymentPaid => InvoicePayment::read(&fields).map(Object::InvoicePayment),
            EarlyFraudWarningCreated | EarlyFraudWarningUpdated => {
                EarlyFraudWarning::read(&fields).map(Object::EarlyFraudWarning)
            }
            Other(_) => Ok(Object::Other),
        }
    }
}
