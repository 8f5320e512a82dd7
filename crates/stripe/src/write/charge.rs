//! The charge: one attempt to collect the money, and how much of it was refunded.
//!
//! Deliberately not here: the list of refunds, which is absent since 2022-11-15.

use super::body::with_nulls;
use super::closed_enum::closed_enum;
use super::failure::PaymentFailure;
use super::{ApiVersion, BillingDetails, MetadataMap, Method, MethodType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

closed_enum! {
    /// The status of a charge.
    ChargeStatus {
        /// A delayed payment method is processing.
        Pending = "pending",
        /// The money was collected or, if not captured, authorized.
        Succeeded = "succeeded",
        /// The bank declined.
        Failed = "failed",
    }
}

/// One attempt to collect the money. All amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// `ch_…` or `py_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// True in live mode.
    pub livemode: bool,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// The amount to collect.
    pub amount: i64,
    /// The amount captured.
    pub amount_captured: i64,
    /// The sum of all refunds.
    pub amount_refunded: i64,
    /// Its status.
    pub status: ChargeStatus,
    /// False if the charge was only authorized, or declined.
    pub captured: bool,
    /// Whether the bank approved.
    pub paid: bool,
    /// Whether it was ever disputed.
    pub disputed: bool,
    /// Whether it was refunded in full.
    pub refunded: bool,
    /// The movement into the merchant's balance, once there is one.
    pub balance_transaction: Option<String>,
    /// `pi_…`.
    pub payment_intent: Option<String>,
    /// `pm_…`.
    pub payment_method: Option<String>,
    /// The card or bank account.
    pub method: Method,
    /// The customer's name and address.
    pub billing_details: BillingDetails,
    /// Why the bank declined.
    pub failure: Option<PaymentFailure>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// For the merchant; the customer does not see it.
    pub description: Option<String>,
    /// Copied from the payment intent when it was confirmed.
    pub metadata: MetadataMap,
    /// The receipt, if the charge was paid.
    pub receipt_url: Option<String>,
}

impl Charge {
    /// `data.object` of `charge.*`, except `charge.refund.*` and `charge.dispute.*`, in this API version.
    #[must_use]
    pub fn render(&self, version: ApiVersion) -> Value {
        let object = json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount_captured,
            "amount_refunded": self.amount_refunded,
            "balance_transaction": self.balance_transaction,
            "billing_details": self.billing_details.render(),
            "calculated_statement_descriptor": "SHOP.EXAMPLE.COM",
            "captured": self.captured,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "disputed": self.disputed,
            "failure_code": self.failure.as_ref().map(|failure| &failure.code),
            "failure_message": self.failure.as_ref().map(|failure| &failure.message),
            "fraud_details": {},
            "livemode": self.livemode,
            "metadata": self.metadata,
            "outcome": self.outcome(),
            "paid": self.paid,
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "payment_method_details": self.payment_method_details(),
            "radar_options": {},
            "receipt_url": self.receipt_url,
            "refunded": self.refunded,
            "status": self.status.name(),
        });
        let object = with_nulls(object, &NULLS);
        if version.has_invoice() { with_nulls(object, &["invoice"]) } else { object }
    }

    fn outcome(&self) -> Value {
        let (network_status, seller_message, kind) = if self.failure.is_some() {
            let message = "The bank did not return any further details with this decline.";
            ("declined_by_network", message, "issuer_declined")
        } else {
            ("approved_by_network", "Payment complete.", "authorized")
        };
        let risk = match self.method.method_type() {
            MethodType::Card => ("normal", Some(12)),
            MethodType::SepaDebit | MethodType::BankTransfer => ("not_assessed", None),
        };
        json!({
            "advice_code": self.failure.as_ref().and_then(PaymentFailure::advice_code),
            "network_advice_code": null,
            "network_decline_code": self.failure.as_ref().map(|_| "01"),
            "network_status": network_status,
            "reason": self.failure.as_ref().and_then(|failure| failure.decline_code.as_ref()),
            "risk_level": risk.0,
            "risk_score": risk.1,
            "seller_message": seller_message,
            "type": kind,
        })
    }

    fn payment_method_details(&self) -> Value {
        match &self.method {
            Method::Card { brand, last4, country, funding, three_d_secure } => {
                let mut card = self.card(brand, last4);
                card["country"] = json!(country);
                card["funding"] = json!(funding);
                card["three_d_secure"] = self.three_d_secure(*three_d_secure);
                json!({ "card": card, "type": "card" })
            }
            Method::SepaDebit { last4, country, mandate } => json!({
                "sepa_debit": {
                    "bank_code": "19043",
                    "branch_code": "",
                    "country": country,
                    "expected_debit_date": null,
                    "fingerprint": "VbJp1MRIGgl3A7Kx",
                    "last4": last4,
                    "mandate": mandate,
                },
                "type": "sepa_debit",
            }),
            Method::BankTransfer => json!({ "customer_balance": {}, "type": "customer_balance" }),
        }
    }

    fn card(&self, brand: &str, last4: &str) -> Value {
        let approved = self.failure.is_none();
        let wrong_cvc = self.failure.as_ref().is_some_and(|failure| failure.code == "incorrect_cvc");
        json!({
            "amount_authorized": approved.then_some(self.amount),
            "authorization_code": approved.then_some("316842"),
            "brand": brand,
            "checks": {
                "address_line1_check": null,
                "address_postal_code_check": "pass",
                "cvc_check": if wrong_cvc { "fail" } else { "pass" },
            },
            "exp_month": 12,
            "exp_year": 2034,
            "extended_authorization": { "status": "disabled" },
            "fingerprint": "5aXQ1bZ0x8ZrT4wM",
            "incremental_authorization": { "status": "unavailable" },
            "installments": null,
            "last4": last4,
            "mandate": null,
            "multicapture": { "status": "unavailable" },
            "network": brand,
            "network_token": { "used": false },
            "network_transaction_id": "786104810710148",
            "overcapture": { "maximum_amount_capturable": self.amount, "status": "unavailable" },
            "regulated_status": "unregulated",
            "wallet": null,
        })
    }

    /// The customer passed 3-D Secure.
    fn three_d_secure(&self, confirmed: bool) -> Value {
        if !confirmed {
            return Value::Null;
        }
        json!({
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": null,
            "result": "authenticated",
            "result_reason": null,
            "transaction_id": "2ad8a1c4-5d0e-4d2b-9d1c-7f5a2f1f3b60",
            "version": "2.2.0",
        })
    }
}

const NULLS: [&str; 15] = [
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_email",
    "receipt_number",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];
