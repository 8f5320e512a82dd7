//! How the customer pays, and who the customer is: the details that several objects repeat.
//!
//! The card and the bank account are Stripe's own test numbers (docs.stripe.com/testing).

use super::Purchase;
use super::body::with_nulls;
use serde_json::{Value, json};

/// A card is decided at once; a SEPA debit is a promise that the bank keeps or breaks days later; a bank
/// transfer may bring the money in parts, and has no charge before all of it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaymentMethod {
    Card,
    SepaDebit,
    BankTransfer,
}

impl PaymentMethod {
    /// As it stands in `payment_method_types`.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::SepaDebit => "sepa_debit",
            Self::BankTransfer => "customer_balance",
        }
    }

    /// A charge's `payment_method_details`.
    pub(super) fn details(self, purchase: &Purchase, approved: bool) -> Value {
        match self {
            Self::Card => json!({ "card": card(purchase, approved), "type": "card" }),
            Self::SepaDebit => json!({
                "sepa_debit": {
                    "bank_code": "19043",
                    "branch_code": "",
                    "country": "AT",
                    "expected_debit_date": null,
                    "fingerprint": "VbJp1MRIGgl3A7Kx",
                    "last4": "3201",
                    "mandate": purchase.id("mandate"),
                },
                "type": "sepa_debit",
            }),
            Self::BankTransfer => json!({ "customer_balance": {}, "type": "customer_balance" }),
        }
    }
}

/// `billing_details` of a charge. Not all of the name is ASCII, as names are.
pub(super) fn billing_details() -> Value {
    json!({ "address": address(), "email": "buyer@example.com", "name": NAME, "phone": null, "tax_id": null })
}

/// `customer_details` of a session.
pub(super) fn customer_details() -> Value {
    json!({
        "address": address(),
        "business_name": null,
        "email": "buyer@example.com",
        "individual_name": null,
        "name": NAME,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    })
}

const NAME: &str = "Žofie Müller";

fn address() -> Value {
    with_nulls(json!({ "country": "AT", "postal_code": "1010" }), &["city", "line1", "line2", "state"])
}

fn card(purchase: &Purchase, approved: bool) -> Value {
    let last4 = if approved { "4242" } else { "0002" };
    json!({
        "amount_authorized": approved.then_some(purchase.amount_total),
        "authorization_code": approved.then_some("316842"),
        "brand": "visa",
        "checks": { "address_line1_check": null, "address_postal_code_check": "pass", "cvc_check": "pass" },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "extended_authorization": { "status": "disabled" },
        "fingerprint": "5aXQ1bZ0x8ZrT4wM",
        "funding": "credit",
        "incremental_authorization": { "status": "unavailable" },
        "installments": null,
        "last4": last4,
        "mandate": null,
        "multicapture": { "status": "unavailable" },
        "network": "visa",
        "network_token": { "used": false },
        "network_transaction_id": "786104810710148",
        "overcapture": { "maximum_amount_capturable": purchase.amount_total, "status": "unavailable" },
        "regulated_status": "unregulated",
        "three_d_secure": null,
        "wallet": null,
    })
}
