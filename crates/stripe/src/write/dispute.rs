//! The dispute: the customer's bank takes the money back at once, and decides later who was right.
//!
//! Deliberately not here: inquiries (`warning_*`), which move no money.

use super::Purchase;
use super::body::with_nulls;
use serde_json::{Value, json};

/// The purchase's dispute, `dp_REFERENCE_1`, as an event finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dispute {
    /// Minor units.
    pub(crate) amount: i64,
    /// Unix seconds.
    pub(crate) created: i64,
    pub(crate) state: DisputeState,
}

/// How far the dispute has come. In every state the money has been withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisputeState {
    NeedsResponse,
    UnderReview,
    Won,
    /// Won, and the money is back.
    Reinstated,
    Lost,
}

impl Dispute {
    /// `data.object` of `charge.dispute.*`.
    pub(crate) fn object(self, purchase: &Purchase) -> Value {
        json!({
            "id": self.id(purchase),
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": self.balance_transactions(purchase),
            "charge": purchase.id("ch"),
            "created": self.created,
            "currency": purchase.currency,
            "enhanced_eligibility_types": [],
            "evidence": self.evidence(),
            "evidence_details": {
                "due_by": self.created.saturating_add(9 * 24 * 60 * 60),
                "enhanced_eligibility": {},
                "has_evidence": self.has_evidence(),
                "past_due": false,
                "submission_count": u8::from(self.has_evidence()),
            },
            "is_charge_refundable": false,
            "livemode": purchase.livemode,
            "metadata": {},
            "payment_intent": purchase.id("pi"),
            "payment_method_details": {
                "card": {
                    "brand": "visa",
                    "case_type": "chargeback",
                    "network": "visa",
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": "fraudulent",
            "status": self.status(),
        })
    }

    fn id(self, purchase: &Purchase) -> String {
        format!("{}_1", purchase.id("dp"))
    }

    fn status(self) -> &'static str {
        match self.state {
            DisputeState::NeedsResponse => "needs_response",
            DisputeState::UnderReview => "under_review",
            DisputeState::Won | DisputeState::Reinstated => "won",
            DisputeState::Lost => "lost",
        }
    }

    fn has_evidence(self) -> bool {
        self.state != DisputeState::NeedsResponse
    }

    fn balance_transactions(self, purchase: &Purchase) -> Vec<Value> {
        let withdrawn = self.balance_transaction(purchase, "withdrawal", 0_i64.saturating_sub(self.amount));
        match self.state {
            DisputeState::Reinstated => {
                vec![withdrawn, self.balance_transaction(purchase, "reversal", self.amount)]
            }
            DisputeState::NeedsResponse
            | DisputeState::UnderReview
            | DisputeState::Won
            | DisputeState::Lost => vec![withdrawn],
        }
    }

    /// The fee for a dispute is a part of the withdrawal's net, never of the dispute's amount.
    fn balance_transaction(self, purchase: &Purchase, leg: &str, amount: i64) -> Value {
        let fee = if amount < 0 { 1500 } else { 0 };
        let fee_details = json!([{
            "amount": fee,
            "application": null,
            "currency": purchase.currency,
            "description": "Dispute fee",
            "type": "stripe_fee",
        }]);
        json!({
            "id": format!("{}_{leg}", self.id(purchase).replacen("dp", "txn", 1)),
            "object": "balance_transaction",
            "amount": amount,
            "balance_type": "payments",
            "available_on": self.created.saturating_add(2 * 24 * 60 * 60),
            "created": self.created,
            "currency": purchase.currency,
            "description": format!("Chargeback {leg} for {}", purchase.id("ch")),
            "exchange_rate": null,
            "fee": fee,
            "fee_details": if fee == 0 { json!([]) } else { fee_details },
            "net": amount.saturating_sub(fee),
            "reporting_category": if amount < 0 { "dispute" } else { "dispute_reversal" },
            "source": self.id(purchase),
            "status": "pending",
            "type": "adjustment",
        })
    }

    fn evidence(self) -> Value {
        let text = self.has_evidence().then_some("The credits were delivered and used.");
        with_nulls(json!({ "enhanced_evidence": {}, "uncategorized_text": text }), &NO_EVIDENCE)
    }
}

const NO_EVIDENCE: [&str; 26] = [
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
];
