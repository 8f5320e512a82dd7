//! The early fraud warning: the bank suspects that a payment is fraudulent. No money has moved.

use super::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A warning about one charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyFraudWarning {
    /// `issfr_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// True in live mode.
    pub livemode: bool,
    /// The suspicious charge.
    pub charge: String,
    /// The payment intent of that charge.
    pub payment_intent: Option<String>,
    /// True until the charge is refunded in full or disputed.
    pub actionable: bool,
    /// The kind of fraud: `made_with_stolen_card`.
    pub fraud_type: String,
}

impl EarlyFraudWarning {
    /// `data.object` of `radar.early_fraud_warning.*`; the same in every version.
    #[must_use]
    pub fn render(&self, _version: ApiVersion) -> Value {
        json!({
            "id": self.id,
            "object": "radar.early_fraud_warning",
            "actionable": self.actionable,
            "charge": self.charge,
            "created": self.created,
            "fraud_type": self.fraud_type,
            "livemode": self.livemode,
            "payment_intent": self.payment_intent,
        })
    }
}
