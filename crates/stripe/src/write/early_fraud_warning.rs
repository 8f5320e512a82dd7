//! The early fraud warning: a bank says that a payment looks fraudulent. No money has moved.

use super::Purchase;
use serde_json::{Value, json};

/// `data.object` of `radar.early_fraud_warning.*`: `actionable` until the charge is refunded or disputed.
pub(super) fn early_fraud_warning(purchase: &Purchase, actionable: bool) -> Value {
    json!({
        "id": purchase.id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": actionable,
        "charge": purchase.id("ch"),
        "created": purchase.created,
        "fraud_type": "made_with_stolen_card",
        "livemode": purchase.livemode,
        "payment_intent": purchase.id("pi"),
    })
}
