//! An early fraud warning: the issuer suspects that a charge is fraudulent. No money has moved.

use crate::fault::ReadFault;
use crate::fields::{Fields, required};

/// docs.stripe.com/api/radar/early_fraud_warnings/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyFraudWarningSnapshot {
    /// `issfr_…`
    pub id: String,
    /// `ch_…`
    pub charge: Option<String>,
    /// `pi_…`
    pub payment_intent: Option<String>,
    /// True while a refund can still prevent a dispute.
    pub actionable: bool,
    /// The issuer's category, such as `misc`.
    pub fraud_type: Option<String>,
}

impl EarlyFraudWarningSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<EarlyFraudWarningSnapshot, ReadFault> {
        // It moves no money, so every malformed field except the id counts as absent.
        let reference = |field| fields.reference(field).unwrap_or_default().map(Into::into);
        Ok(EarlyFraudWarningSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            charge: reference("charge"),
            payment_intent: reference("payment_intent"),
            actionable: fields.flag("actionable").unwrap_or_default().unwrap_or(false),
            fraud_type: fields.explanation("fraud_type"),
        })
    }
}
