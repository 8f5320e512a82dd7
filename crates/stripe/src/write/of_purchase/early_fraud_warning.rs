//! The early fraud warning about the purchase's charge.

use crate::write::{EarlyFraudWarning, Purchase};
use serde_json::Value;

/// Raised at the moment of the purchase; `actionable` until the charge is refunded or disputed.
pub(crate) fn early_fraud_warning(purchase: &Purchase, actionable: bool) -> Value {
    let warning = EarlyFraudWarning {
        id: purchase.id("issfr"),
        created: purchase.created,
        livemode: purchase.livemode,
        charge: purchase.id("ch"),
        payment_intent: Some(purchase.id("pi")),
        actionable,
        fraud_type: "made_with_stolen_card".to_owned(),
    };
    warning.render(purchase.api_version)
}
