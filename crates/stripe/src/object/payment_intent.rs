//! A PaymentIntent: the object that links session, charges, refunds and disputes.

use super::Metadata;
use crate::fault::{Faults, ReadFault};
use crate::fields::{Fields, required};

/// docs.stripe.com/api/payment_intents/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentIntentSnapshot {
    /// `pi_…`
    pub id: String,
    /// The amount to collect, in minor units.
    pub amount: Option<i64>,
    /// The amount collected, in minor units.
    pub amount_received: Option<i64>,
    /// `succeeded`, `processing`, `canceled` and others.
    pub status: Option<String>,
    /// In lower case.
    pub currency: Option<String>,
    /// `ch_…` of the latest attempt; absent before 2022-11-15, which has a list of charges instead.
    pub latest_charge: Option<String>,
    /// Set by `payment_intent_data.metadata`, not copied from the session.
    pub metadata: Metadata,
    /// `in_…`, in API versions before 2025-03-31.
    pub invoice: Option<String>,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

impl PaymentIntentSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<PaymentIntentSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let mut intent = PaymentIntentSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            amount: faults.or_none(fields.amount("amount")),
            amount_received: faults.or_none(fields.amount("amount_received")),
            status: faults.or_none(fields.word("status")).map(Into::into),
            currency: faults.or_none(fields.currency("currency")),
            latest_charge: faults.or_none(fields.reference("latest_charge")).map(Into::into),
            metadata: faults.or_default(Metadata::read(fields)),
            invoice: faults.or_none(fields.reference("invoice")).map(Into::into),
            faults: Faults::default(),
        };
        intent.faults = faults;
        Ok(intent)
    }
}
