//! What an invoice tells us (docs.stripe.com/api/invoices/object): that money was paid for something of ours.
//! It never grants credits by itself, because since 2025-03-31.basil neither its charge nor its refunds name
//! it (design section 3, Paid).

use ledger::claim::ClaimSource;
use ledger::knowledge::Knowledge;
use ledger::{ClaimedTerms, Minor, ObjectId};
use stripe::{InvoicePaymentSnapshot, InvoiceSnapshot};

use super::{MetadataKeys, linked};

pub(super) fn knowledge(invoice: &InvoiceSnapshot) -> Knowledge {
    let mut known = linked(invoice.payment_intent.as_ref(), invoice.charge.as_ref());
    known.invoices.insert(ObjectId::from(invoice.id.as_str()));
    // The first invoice and the session that began the subscription are one purchase. A renewal is another.
    if invoice.billing_reason.as_deref() == Some("subscription_create") {
        known.subscriptions.extend(invoice.subscription.as_deref().map(ObjectId::from));
    }
    known.currency = invoice.currency.clone();
    // Both events that we read say that it is paid; nothing at all only where they say so.
    known.invoice_paid = invoice.amount_paid != Some(0);
    known
}

/// What the first of its metadata that names a key of ours claims: the invoice's own, its subscription's, or
/// that of one of its lines.
pub(super) fn claimed(invoice: &InvoiceSnapshot, keys: &MetadataKeys) -> ClaimedTerms {
    let of = |metadata| super::claimed(ClaimSource::Invoice, metadata, keys);
    let found = invoice.metadata.iter().map(of).find(|terms| !terms.is_empty());
    ClaimedTerms {
        currency: invoice.currency.clone(),
        amount: invoice.amount_paid.map(Minor),
        recurring: true,
        ..found.unwrap_or_else(|| ClaimedTerms::none(ClaimSource::Invoice))
    }
}

/// It names the payment behind an invoice, and has no metadata of ours.
pub(super) fn knowledge_of_payment(paid: &InvoicePaymentSnapshot) -> Knowledge {
    let mut known = linked(paid.payment_intent.as_ref(), paid.charge.as_ref());
    known.invoices.insert(ObjectId::from(paid.invoice.as_str()));
    known.currency = paid.currency.clone();
    known.invoice_paid = paid.amount_paid != Some(0);
    known
}
