//! An invoice, of a subscription or created by hand. It never grants credits by itself; it shows an operator
//! who reviews the payment for whom and how much was paid.

use super::Metadata;
use crate::fault::{Faults, ReadFault};
use crate::fields::{Fields, required};

/// docs.stripe.com/api/invoices/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceSnapshot {
    /// `in_…`
    pub id: String,
    /// The amount paid so far, in minor units.
    pub amount_paid: Option<i64>,
    /// In lower case.
    pub currency: Option<String>,
    /// Why it was created: `subscription_create`, `subscription_cycle`, `manual` and others.
    pub billing_reason: Option<String>,
    /// `sub_…`
    pub subscription: Option<String>,
    /// `pi_…`, in API versions before 2025-03-31.
    pub payment_intent: Option<String>,
    /// `ch_…`, in API versions before 2025-03-31.
    pub charge: Option<String>,
    /// The metadata of the invoice, of its subscription, and of its lines, in this order.
    pub metadata: Vec<Metadata>,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

impl InvoiceSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<InvoiceSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let mut invoice = InvoiceSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            amount_paid: faults.or_none(fields.amount("amount_paid")),
            currency: faults.or_none(fields.currency("currency")),
            billing_reason: faults.or_none(fields.word("billing_reason")).map(Into::into),
            subscription: faults.or_none(fields.reference("subscription")).map(Into::into),
            payment_intent: faults.or_none(fields.reference("payment_intent")).map(Into::into),
            charge: faults.or_none(fields.reference("charge")).map(Into::into),
            metadata: vec![faults.or_default(Metadata::read(fields))],
            faults: Faults::default(),
        };
        // Since 2025-03-31.basil the details are under `parent`, before that directly in the invoice.
        let parent = faults.or_none(fields.object("parent"));
        let details = match &parent {
            Some(parent) => faults.or_none(parent.object("subscription_details")),
            None => faults.or_none(fields.object("subscription_details")),
        };
        if let Some(details) = details {
            invoice.metadata.push(faults.or_default(Metadata::read(&details)));
            let named = faults.or_none(details.reference("subscription")).map(Into::into);
            invoice.subscription = invoice.subscription.or(named);
        }
        let lines = faults.or_none(fields.object("lines"));
        for line in lines.map(|lines| faults.or_default(lines.list("data"))).unwrap_or_default() {
            let metadata = Fields::of_value("lines.data", line).and_then(|line| Metadata::read(&line));
            invoice.metadata.push(faults.or_default(metadata));
        }
        invoice.faults = faults;
        Ok(invoice)
    }
}

/// docs.stripe.com/api/invoice-payment/object: which payment paid an invoice, since 2025-03-31.basil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoicePaymentSnapshot {
    /// `inpay_…`
    pub id: String,
    /// `in_…`
    pub invoice: String,
    /// In minor units.
    pub amount_paid: Option<i64>,
    /// In lower case.
    pub currency: Option<String>,
    /// `pi_…`
    pub payment_intent: Option<String>,
    /// `ch_…`, if it was paid by a charge without a payment intent.
    pub charge: Option<String>,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

impl InvoicePaymentSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<InvoicePaymentSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let payment = faults.or_none(fields.object("payment"));
        let mut reference = |field| {
            let named = payment.as_ref().map(|payment| payment.reference(field)).unwrap_or(Ok(None));
            faults.or_none(named).map(Into::into)
        };
        let (payment_intent, charge) = (reference("payment_intent"), reference("charge"));
        let mut paid = InvoicePaymentSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            invoice: required("invoice", fields.reference("invoice")?)?.into_owned(),
            amount_paid: faults.or_none(fields.amount("amount_paid")),
            currency: faults.or_none(fields.currency("currency")),
            payment_intent,
            charge,
            faults: Faults::default(),
        };
        paid.faults = faults;
        Ok(paid)
    }
}
