//! A PaymentIntent: the thread that joins session, charges, refunds and disputes.

use super::Metadata;
use crate::fault::ReadFault;
use crate::fields::{Fields, required};

/// docs.stripe.com/api/payment_intents/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentIntent {
    /// `pi_…`
    pub id: String,
    /// What is to be collected, in minor units.
    pub amount: Option<i64>,
    /// What was collected, in minor units.
    pub amount_received: Option<i64>,
    /// `succeeded`, `processing`, `canceled` and others.
    pub status: Option<String>,
    /// In lower case.
    pub currency: Option<String>,
    /// `ch_…` of the latest attempt; absent before 2022-11-15, which embedded a list of charges.
    pub latest_charge: Option<String>,
    /// Set with `payment_intent_data.metadata`, not copied from the session.
    pub metadata: Metadata,
}

impl PaymentIntent {
    pub(super) fn read(fields: &Fields<'_>) -> Result<PaymentIntent, ReadFault> {
        Ok(PaymentIntent {
            id: required("id", fields.id("id")?)?.into_owned(),
            amount: fields.amount("amount")?,
            amount_received: fields.amount("amount_received")?,
            status: fields.word("status")?.map(Into::into),
            currency: fields.currency("currency")?,
            latest_charge: fields.reference("latest_charge")?.map(Into::into),
            metadata: Metadata::read(fields)?,
        })
    }
}
