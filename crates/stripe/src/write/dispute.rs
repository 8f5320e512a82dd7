//! The dispute: the customer's bank withdraws the money at once and decides later; or an inquiry
//! (`warning_*`), which moves no money.
//!
//! Deliberately not here: how a dispute is decided, and when (`emulator`).

use super::body::with_nulls;
use super::closed_enum::closed_enum;
use super::{ApiVersion, MetadataMap, MethodType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

closed_enum! {
    /// The status of a dispute.
    DisputeStatus {
        /// An inquiry waits for the merchant.
        WarningNeedsResponse = "warning_needs_response",
        /// The merchant has answered the inquiry.
        WarningUnderReview = "warning_under_review",
        /// The inquiry ended without a dispute.
        WarningClosed = "warning_closed",
        /// The money is withdrawn; the merchant may submit evidence.
        NeedsResponse = "needs_response",
        /// The merchant has submitted evidence.
        UnderReview = "under_review",
        /// The bank decided for the merchant.
        Won = "won",
        /// The bank decided for the customer.
        Lost = "lost",
    }
}

impl DisputeStatus {
    /// Whether it is an inquiry, which moves no money.
    #[must_use]
    pub const fn is_inquiry(self) -> bool {
        match self {
            Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed => true,
            Self::NeedsResponse | Self::UnderReview | Self::Won | Self::Lost => false,
        }
    }
}

/// One dispute or inquiry about a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// `dp_…` or `du_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// True in live mode.
    pub livemode: bool,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// The disputed amount, in minor units.
    pub amount: i64,
    /// The disputed charge.
    pub charge: String,
    /// The payment intent of that charge.
    pub payment_intent: Option<String>,
    /// Its status.
    pub status: DisputeStatus,
    /// The customer's reason: `fraudulent`.
    pub reason: String,
    /// The merchant's evidence, by Stripe's field names.
    pub evidence: BTreeMap<String, String>,
    /// How often the merchant has submitted evidence.
    pub submission_count: u32,
    /// The deadline for evidence, in Unix seconds.
    pub due_by: i64,
    /// Whether a refund can still end it: only an inquiry.
    pub is_charge_refundable: bool,
    /// The payment method of the charge.
    pub method: MethodType,
    /// The movements of the merchant's balance, the oldest first.
    pub legs: Vec<Leg>,
    /// The dispute's own metadata.
    pub metadata: MetadataMap,
}

/// One movement of the merchant's balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// `txn_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Minor units; negative for a withdrawal.
    pub amount: i64,
    /// Stripe's dispute fee, in minor units: it reduces the net, not the amount.
    pub fee: i64,
}

impl Dispute {
    /// `data.object` of `charge.dispute.*`; the same in every version.
    #[must_use]
    pub fn render(&self, version: ApiVersion) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": self.legs.iter().map(|leg| self.movement(leg)).collect::<Vec<_>>(),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": self.render_evidence(),
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": {},
                "has_evidence": !self.evidence.is_empty(),
                "past_due": false,
                "submission_count": self.submission_count,
            },
            "is_charge_refundable": self.is_charge_refundable,
            "livemode": self.livemode,
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "status": self.status.name(),
        });
        // Of these payment methods, only cards have dispute details.
        if self.method == MethodType::Card {
            object["payment_method_details"] = self.card_details();
        }
        if version.has_newest_fields() {
            object["intended_submission_method"] = Value::Null;
        }
        object
    }

    fn card_details(&self) -> Value {
        json!({
            "card": {
                "brand": "visa",
                "case_type": if self.status.is_inquiry() { "inquiry" } else { "chargeback" },
                "network": "visa",
                "network_reason_code": network_reason_code(&self.reason),
            },
            "type": "card",
        })
    }

    fn movement(&self, leg: &Leg) -> Value {
        let (name, category) =
            if leg.amount < 0 { ("withdrawal", "dispute") } else { ("reversal", "dispute_reversal") };
        let fee_details = json!([{
            "amount": leg.fee,
            "application": null,
            "currency": self.currency,
            "description": "Dispute fee",
            "type": "stripe_fee",
        }]);
        json!({
            "id": leg.id,
            "object": "balance_transaction",
            "amount": leg.amount,
            "balance_type": "payments",
            "available_on": leg.created.saturating_add(2 * 24 * 60 * 60),
            "created": leg.created,
            "currency": self.currency,
            "description": format!("Chargeback {name} for {}", self.charge),
            "exchange_rate": null,
            "fee": leg.fee,
            "fee_details": if leg.fee == 0 { json!([]) } else { fee_details },
            "net": leg.amount.saturating_sub(leg.fee),
            "reporting_category": category,
            "source": self.id,
            "status": "pending",
            "type": "adjustment",
        })
    }

    fn render_evidence(&self) -> Value {
        let mut evidence = with_nulls(json!({ "enhanced_evidence": {} }), &EVIDENCE);
        for (name, text) in &self.evidence {
            evidence[name] = json!(text);
        }
        evidence
    }
}

/// Visa's code for the reason (docs.stripe.com/disputes/categories).
fn network_reason_code(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "fraudulent" | "unrecognized" => "10.4",
        "product_not_received" => "13.1",
        "subscription_canceled" => "13.2",
        "product_unacceptable" => "13.3",
        "credit_not_processed" => "13.6",
        "duplicate" => "12.6.1",
        _ => return None,
    })
}

/// The text fields of `evidence` (docs.stripe.com/api/disputes/evidence_object).
pub const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];
