//! The refund: one way of money back to the customer, which may fail days after it succeeded.
//!
//! The object has no `livemode`; only the envelope knows.

use super::Purchase;
use super::body::with_nulls;
use serde_json::{Value, json};

/// The purchase's refund, `re_REFERENCE_1`, as an event finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refund {
    /// Minor units.
    pub(crate) amount: i64,
    /// Unix seconds.
    pub(crate) created: i64,
    pub(crate) state: RefundState,
}

/// How far the refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundState {
    Pending,
    Succeeded,
    /// Succeeded, and the bank's reference number has become known.
    Referenced,
    /// The bank could not pay it out: the money came back to the seller.
    Failed,
}

impl Refund {
    /// `data.object` of `refund.*` and `charge.refund.updated`.
    pub(crate) fn object(self, purchase: &Purchase) -> Value {
        let id = format!("{}_1", purchase.id("re"));
        let mut object = json!({
            "id": id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": format!("{}_refund_1", purchase.id("txn")),
            "charge": purchase.id("ch"),
            "created": self.created,
            "currency": purchase.currency,
            "destination_details": self.destination_details(),
            "metadata": {},
            "payment_intent": purchase.id("pi"),
            "reason": "requested_by_customer",
            "status": self.status(),
        });
        match self.state {
            RefundState::Pending => object["pending_reason"] = json!("processing"),
            RefundState::Failed => {
                object["failure_balance_transaction"] =
                    json!(format!("{}_refund_1_failed", purchase.id("txn")));
                object["failure_reason"] = json!("expired_or_canceled_card");
            }
            RefundState::Succeeded | RefundState::Referenced => {}
        }
        with_nulls(object, &["receipt_number", "source_transfer_reversal", "transfer_reversal"])
    }

    /// The attributes that change when the bank's reference number becomes known, as they were before.
    pub(crate) fn unreferenced() -> Value {
        json!({ "destination_details": { "card": { "reference": null, "reference_status": "pending" } } })
    }

    fn status(self) -> &'static str {
        match self.state {
            RefundState::Pending => "pending",
            RefundState::Succeeded | RefundState::Referenced => "succeeded",
            RefundState::Failed => "failed",
        }
    }

    fn destination_details(self) -> Value {
        let mut card = json!({
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        });
        if self.state == RefundState::Referenced {
            card["reference"] = json!("74352266301000000000001");
            card["reference_status"] = json!("available");
        }
        json!({ "card": card, "type": "card" })
    }
}
