//! What a charge tells us (docs.stripe.com/api/charges/object): how much was taken, and how much of it went
//! back. A snapshot of a charge says the same whatever event carries it.

use ledger::claim::ClaimSource;
use ledger::knowledge::{ChargeFacts, Knowledge};
use ledger::{ClaimedTerms, Minor, ObjectId};
use stripe::EventType;

use super::{MetadataKeys, linked, refund};

pub(super) fn knowledge(kind: &EventType, charge: &stripe::ChargeSnapshot) -> Knowledge {
    let mut known = linked(charge.payment_intent.as_ref(), Some(&charge.id));
    known.invoices.extend(charge.invoice.as_deref().map(ObjectId::from));
    known.currency = charge.currency.clone();
    let succeeded = match charge.status.as_deref() {
        Some(status) => status == "succeeded",
        None => {
            matches!(kind, EventType::ChargeSucceeded | EventType::ChargeCaptured | EventType::ChargeRefunded)
        }
    };
    // An authorisation is not yet money: `charge.succeeded` can come before the capture. Nor is a figure that
    // cannot be read.
    let taken = succeeded && charge.captured != Some(false) && charge.faults.first().is_none();
    let failed = charge.status.as_deref() == Some("failed")
        || matches!(kind, EventType::ChargeFailed | EventType::ChargeExpired);
    let fact = ChargeFacts {
        amount: Minor(charge.amount.unwrap_or_default()),
        captured: if taken { captured(charge) } else { Minor::ZERO },
        refunded: refunded(charge),
        succeeded: taken,
        failed,
    };
    known.charges.insert(ObjectId::from(charge.id.as_str()), fact);
    // A refund without a status says no more than `amount_refunded` does.
    for refund in charge.refunds.iter().filter(|refund| refund.status.is_some()) {
        known.refunds.insert(ObjectId::from(refund.id.as_str()), refund::fact(refund));
    }
    known
}

/// What its metadata claims, which Stripe copied from the payment intent when that was confirmed.
pub(super) fn claimed(charge: &stripe::ChargeSnapshot, keys: &MetadataKeys) -> ClaimedTerms {
    ClaimedTerms {
        currency: charge.currency.clone(),
        amount: charge.amount.map(Minor),
        ..super::claimed(ClaimSource::Charge, &charge.metadata, keys)
    }
}

/// `amount_captured` where the API version has it; else all that was authorised.
fn captured(charge: &stripe::ChargeSnapshot) -> Minor {
    Minor(charge.amount_captured.or(charge.amount).unwrap_or_default())
}

/// `amount_refunded`, cumulative, less what was authorised and never captured, which Stripe counts as
/// refunded although nobody paid it.
fn refunded(charge: &stripe::ChargeSnapshot) -> Minor {
    let authorised = Minor(charge.amount.unwrap_or_default());
    let captured = if charge.captured == Some(false) { Minor::ZERO } else { captured(charge) };
    Minor(charge.amount_refunded).less(authorised.less(captured))
}
