//! The event types that matter to payments; every other type is kept as text.
//!
//! Not here: what an event means, and the `v1.` names of thin events.

use crate::open_enum::open_enum;

open_enum! {
    /// The event's `type`.
    EventType {
        CheckoutSessionCompleted = "checkout.session.completed",
        CheckoutSessionAsyncPaymentSucceeded = "checkout.session.async_payment_succeeded",
        CheckoutSessionAsyncPaymentFailed = "checkout.session.async_payment_failed",
        CheckoutSessionExpired = "checkout.session.expired",
        PaymentIntentCreated = "payment_intent.created",
        PaymentIntentProcessing = "payment_intent.processing",
        PaymentIntentRequiresAction = "payment_intent.requires_action",
        PaymentIntentSucceeded = "payment_intent.succeeded",
        PaymentIntentPaymentFailed = "payment_intent.payment_failed",
        PaymentIntentCanceled = "payment_intent.canceled",
        PaymentIntentAmountCapturableUpdated = "payment_intent.amount_capturable_updated",
        PaymentIntentPartiallyFunded = "payment_intent.partially_funded",
        ChargeSucceeded = "charge.succeeded",
        ChargePending = "charge.pending",
        ChargeFailed = "charge.failed",
        ChargeExpired = "charge.expired",
        ChargeCaptured = "charge.captured",
        ChargeUpdated = "charge.updated",
        ChargeRefunded = "charge.refunded",
        ChargeRefundUpdated = "charge.refund.updated",
        RefundCreated = "refund.created",
        RefundUpdated = "refund.updated",
        RefundFailed = "refund.failed",
        DisputeCreated = "charge.dispute.created",
        DisputeUpdated = "charge.dispute.updated",
        DisputeClosed = "charge.dispute.closed",
        DisputeFundsWithdrawn = "charge.dispute.funds_withdrawn",
        DisputeFundsReinstated = "charge.dispute.funds_reinstated",
        InvoicePaid = "invoice.paid",
        InvoicePaymentSucceeded = "invoice.payment_succeeded",
        InvoicePaymentPaid = "invoice_payment.paid",
        EarlyFraudWarningCreated = "radar.early_fraud_warning.created",
        EarlyFraudWarningUpdated = "radar.early_fraud_warning.updated",
    }
}
