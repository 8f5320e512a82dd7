//! An early fraud warning: the issuer thinks that a charge is fraud. No money has moved.

use crate::fault::ReadFault;
use crate::fields::{Fields, required};

/// docs.stripe.com/api/radar/early_fraud_warnings/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyFraudWarning {
    /// `issfr_…`
    pub id: String,
    /// `ch_…`
    pub charge: Option<String>,
    /// `pi_…`
    pub payment_intent: Option<String>,
    /// True while a refund could still avoid a dispute.
    pub actionable: bool,
    /// The issuer's category, such as `misc`.
    pub fraud_type: Option<String>,
}

impl EarlyFraudWarning {
    pub(super) fn read(fields: &Fields<'_>) -> Result<EarlyFraudWarning, ReadFault> {
        Ok(EarlyFraudWarning {
            id: required("id", fields.id("id")?)?.into_owned(),
            charge: fields.reference("charge")?.map(Into::into),
            payment_intent: fields.reference("payment_intent")?.map(Into::into),
            actionable: fields.flag("actionable")?.unwrap_or(false),
            fraud_type: fields.explanation("fraud_type")?,
        })
    }
}
