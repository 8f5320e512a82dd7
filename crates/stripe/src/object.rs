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

pub use charge::ChargeSnapshot;
pub use checkout_session::{CheckoutSessionSnapshot, PaymentStatus};
pub use dispute::{BalanceTransaction, DisputeSnapshot, DisputeStatus};
pub use early_fraud_warning::EarlyFraudWarningSnapshot;
pub use invoice::{InvoicePaymentSnapshot, InvoiceSnapshot};
pub use metadata::Metadata;
pub use payment_intent::PaymentIntentSnapshot;
pub use refund::{RefundSnapshot, RefundStatus};

use crate::event_type::EventType::{self, *};
use crate::fault::ReadFault;
use crate::fields::{Fields, required};
use serde_json::value::RawValue;

/// The object of a snapshot event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// Of `checkout.session.*`.
    CheckoutSession(CheckoutSessionSnapshot),
    /// Of `payment_intent.*`.
    PaymentIntent(PaymentIntentSnapshot),
    /// Of `charge.*`, except `charge.refund.*` and `charge.dispute.*`.
    Charge(ChargeSnapshot),
    /// Of `refund.*` and `charge.refund.updated`.
    Refund(RefundSnapshot),
    /// Of `charge.dispute.*`.
    Dispute(DisputeSnapshot),
    /// Of `invoice.*`.
    Invoice(InvoiceSnapshot),
    /// Of `invoice_payment.*`.
    InvoicePayment(InvoicePaymentSnapshot),
    /// Of `radar.early_fraud_warning.*`.
    EarlyFraudWarning(EarlyFraudWarningSnapshot),
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
            | CheckoutSessionExpired => CheckoutSessionSnapshot::read(&fields).map(Object::CheckoutSession),
            PaymentIntentCreated
            | PaymentIntentProcessing
            | PaymentIntentRequiresAction
            | PaymentIntentSucceeded
            | PaymentIntentPaymentFailed
            | PaymentIntentCanceled
            | PaymentIntentAmountCapturableUpdated
            | PaymentIntentPartiallyFunded => PaymentIntentSnapshot::read(&fields).map(Object::PaymentIntent),
            ChargeRefunded => {
                // Elsewhere an absent amount_refunded means 0; here that would hide a refund.
                required("amount_refunded", fields.get("amount_refunded")?)?;
                ChargeSnapshot::read(&fields).map(Object::Charge)
            }
            ChargeSucceeded | ChargePending | ChargeFailed | ChargeExpired | ChargeCaptured
            | ChargeUpdated => ChargeSnapshot::read(&fields).map(Object::Charge),
            ChargeRefundUpdated | RefundCreated | RefundUpdated | RefundFailed => {
                RefundSnapshot::read(&fields).map(Object::Refund)
            }
            DisputeCreated
            | DisputeUpdated
            | DisputeClosed
            | DisputeFundsWithdrawn
            | DisputeFundsReinstated => DisputeSnapshot::read(&fields).map(Object::Dispute),
            InvoicePaid | InvoicePaymentSucceeded => InvoiceSnapshot::read(&fields).map(Object::Invoice),
            InvoicePaymentPaid => InvoicePaymentSnapshot::read(&fields).map(Object::InvoicePayment),
            EarlyFraudWarningCreated | EarlyFraudWarningUpdated => {
                EarlyFraudWarningSnapshot::read(&fields).map(Object::EarlyFraudWarning)
            }
            Other(_) => Ok(Object::Other),
        }
    }
}
