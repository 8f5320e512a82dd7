//! What a payment intent tells us (docs.stripe.com/api/payment_intents/object): how much it received, which
//! charge belongs to it, and when it was given up.

use ledger::claim::ClaimSource;
use ledger::knowledge::Knowledge;
use ledger::{ClaimedTerms, Minor, ObjectId};
use stripe::{EventType, PaymentIntentSnapshot};

use super::{MetadataKeys, linked};

pub(super) fn knowledge(kind: &EventType, intent: &PaymentIntentSnapshot) -> Knowledge {
    let mut known = linked(Some(&intent.id), intent.latest_charge.as_ref());
    known.invoices.extend(intent.invoice.as_deref().map(ObjectId::from));
    known.currency = intent.currency.clone();
    known.expired = *kind == EventType::PaymentIntentCanceled;
    if *kind == EventType::PaymentIntentPaymentFailed {
        known.charges.values_mut().for_each(|charge| charge.failed = true);
    }
    known.requested = intent.amount.map(Minor);
    let received = Minor(intent.amount_received.unwrap_or_default());
    if received > Minor::ZERO {
        known.received.insert(ObjectId::from(intent.id.as_str()), received);
    }
    known
}

/// What its metadata claims. The amount is what is to be collected, which may be less than the list price.
pub(super) fn claimed(intent: &PaymentIntentSnapshot, keys: &MetadataKeys) -> ClaimedTerms {
    ClaimedTerms {
        currency: intent.currency.clone(),
        amount: intent.amount.map(Minor),
        ..super::claimed(ClaimSource::PaymentIntent, &intent.metadata, keys)
    }
}
