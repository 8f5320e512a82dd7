//! The refund, which may still fail days after it succeeded.
//!
//! The object has no `livemode`; only the event has.

use super::body::with_nulls;
use super::closed_enum::closed_enum;
use super::{ApiVersion, MetadataMap, MethodType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

closed_enum! {
    /// The status of a refund.
    RefundStatus {
        /// Not yet taken from the balance.
        Pending = "pending",
        /// The customer has to give an account for the money.
        RequiresAction = "requires_action",
        /// Sent to the customer; it may still fail.
        Succeeded = "succeeded",
        /// The bank could not pay it out; the money returned to the merchant.
        Failed = "failed",
        /// Canceled.
        Canceled = "canceled",
    }
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// `re_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// Minor units.
    pub amount: i64,
    /// The refunded charge.
    pub charge: Option<String>,
    /// The payment intent of that charge.
    pub payment_intent: Option<String>,
    /// Its status.
    pub status: RefundStatus,
    /// `duplicate`, `fraudulent` or `requested_by_customer`.
    pub reason: Option<String>,
    /// Why it failed: `expired_or_canceled_card`.
    pub failure_reason: Option<String>,
    /// The reference number at the customer's bank, once it is known.
    pub reference: Option<String>,
    /// The movement out of the merchant's balance.
    pub balance_transaction: Option<String>,
    /// The movement back into it, if the refund failed.
    pub failure_balance_transaction: Option<String>,
    /// The payment method of the charge.
    pub method: MethodType,
    /// `pm_…`.
    pub payment_method: Option<String>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// The refund's own metadata.
    pub metadata: MetadataMap,
}

impl Refund {
    /// `data.object` of `refund.*` and `charge.refund.updated`; since endive it contains the customer.
    #[must_use]
    pub fn render(&self, version: ApiVersion) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": self.destination_details(),
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "status": self.status.name(),
        });
        if version.has_newest_fields() {
            object["customer"] = json!(self.customer);
            object["customer_account"] = Value::Null;
            object["payment_method"] = json!(self.payment_method);
        }
        if self.status == RefundStatus::Pending {
            object["pending_reason"] = json!("processing");
        }
        if let Some(transaction) = &self.failure_balance_transaction {
            object["failure_balance_transaction"] = json!(transaction);
        }
        if let Some(reason) = &self.failure_reason {
            object["failure_reason"] = json!(reason);
        }
        with_nulls(object, &["receipt_number", "source_transfer_reversal", "transfer_reversal"])
    }

    fn destination_details(&self) -> Value {
        let status = if self.reference.is_some() { "available" } else { "pending" };
        match self.method {
            MethodType::Card => json!({ "card": self.to_card(status), "type": "card" }),
            MethodType::SepaDebit => json!({
                "sepa_bank_transfer": { "reference": self.reference, "reference_status": status },
                "type": "sepa_bank_transfer",
            }),
            MethodType::BankTransfer => json!({
                "eu_bank_transfer": { "reference": self.reference, "reference_status": status },
                "type": "eu_bank_transfer",
            }),
        }
    }

    fn to_card(&self, reference_status: &str) -> Value {
        let mut card = json!({
            "reference_status": reference_status,
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        });
        if let Some(reference) = &self.reference {
            card["reference"] = json!(reference);
        }
        card
    }
}
