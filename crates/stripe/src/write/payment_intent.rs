//! The payment intent: one customer's way to one payment, attempts included. Its metadata is its own: the
//! session's stays with the session.
//!
//! Deliberately not here: where to send a bank transfer; nothing but a single event tells of one.

use super::body::{named_after, with_nulls};
use super::closed_enum::closed_enum;
use super::failure::Failure;
use super::{ApiVersion, BillingDetails, Metadata, Method, MethodType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

closed_enum! {
    /// How far a payment has come.
    IntentStatus {
        /// Nothing to pay with yet, or the last attempt failed.
        RequiresPaymentMethod = "requires_payment_method",
        /// Ready to be tried.
        RequiresConfirmation = "requires_confirmation",
        /// The customer has to do something, such as confirming with the bank.
        RequiresAction = "requires_action",
        /// A delayed method is under way.
        Processing = "processing",
        /// The money is reserved, not taken.
        RequiresCapture = "requires_capture",
        /// The money is there.
        Succeeded = "succeeded",
        /// Given up.
        Canceled = "canceled",
    }
}

closed_enum! {
    /// When the money is taken.
    CaptureMethod {
        /// At once; booked a little later.
        AutomaticAsync = "automatic_async",
        /// When the seller says so.
        Manual = "manual",
    }
}

/// One payment; all amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentIntent {
    /// `pi_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Real money or rehearsal.
    pub livemode: bool,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// What is to be paid.
    pub amount: i64,
    /// What is reserved and may be taken.
    pub amount_capturable: i64,
    /// What was taken.
    pub amount_received: i64,
    /// How far it has come.
    pub status: IntentStatus,
    /// When the money is taken.
    pub capture_method: CaptureMethod,
    /// For the seller's own eyes.
    pub description: Option<String>,
    /// The seller's own notes; charges get a copy when they are made.
    pub metadata: Metadata,
    /// `cus_…`.
    pub customer: Option<String>,
    /// The last attempt: `ch_…`.
    pub latest_charge: Option<String>,
    /// `pm_…`; a failed attempt takes it away.
    pub payment_method: Option<String>,
    /// The ways to pay.
    pub payment_method_types: Vec<MethodType>,
    /// What the customer has to do.
    pub next_action: Option<NextAction>,
    /// Why the last attempt failed.
    pub last_payment_error: Option<Declined>,
    /// Unix seconds.
    pub canceled_at: Option<i64>,
    /// `abandoned`, `automatic`, …
    pub cancellation_reason: Option<String>,
    /// What the customer's browser may know it by.
    pub client_secret: String,
}

/// The customer has to visit the bank's page (`redirect_to_url`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAction {
    /// Where the bank sends the customer afterwards.
    pub return_url: Option<String>,
    /// The bank's page.
    pub url: String,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// Why.
    pub failure: Failure,
    /// The attempt: `ch_…`; none when it did not come to one.
    pub charge: Option<String>,
    /// `pm_…`.
    pub payment_method: Option<String>,
    /// The card or the account.
    pub method: Method,
}

impl PaymentIntent {
    /// `data.object` of `payment_intent.*`, as an endpoint pinned to `version` gets it.
    #[must_use]
    pub fn render(&self, version: ApiVersion) -> Value {
        let object = json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": self.amount_capturable,
            "amount_details": { "tip": {} },
            "amount_received": self.amount_received,
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": self.capture_method.name(),
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "last_payment_error": self.last_payment_error.as_ref().map(|declined| self.error(declined)),
            "latest_charge": self.latest_charge,
            "livemode": self.livemode,
            "metadata": self.metadata,
            "next_action": self.next_action.as_ref().map(NextAction::render),
            "payment_method": self.payment_method,
            "payment_method_configuration_details": { "id": named_after(&self.id, "pmc"), "parent": null },
            "payment_method_options": self.payment_method_options(),
            "payment_method_types": MethodType::names(&self.payment_method_types),
            "status": self.status.name(),
        });
        let mut object = with_nulls(object, &NULLS);
        if version.has_newest_fields() {
            object = with_nulls(object, &NEWEST_NULLS);
        }
        if version.has_invoice() { with_nulls(object, &["invoice"]) } else { object }
    }

    fn payment_method_options(&self) -> Map<String, Value> {
        let options = |method: &MethodType| (method.name().to_owned(), method_options(*method));
        self.payment_method_types.iter().map(options).collect()
    }

    /// `last_payment_error`: what does not apply is left out of it, not null.
    fn error(&self, declined: &Declined) -> Value {
        let mut error = declined.failure.render();
        error["payment_method"] = json!({
            "id": declined.payment_method,
            "object": "payment_method",
            "billing_details": BillingDetails::default().render(),
            "created": self.created,
            "customer": null,
            "livemode": self.livemode,
            "metadata": {},
            "type": declined.method.method_type().name(),
        });
        if let Some(charge) = &declined.charge {
            error["charge"] = json!(charge);
        }
        error
    }
}

impl NextAction {
    fn render(&self) -> Value {
        json!({
            "redirect_to_url": { "return_url": self.return_url, "url": self.url },
            "type": "redirect_to_url",
        })
    }
}

const NEWEST_NULLS: [&str; 3] = ["allowed_payment_method_types", "managed_payments", "payment_record"];

const NULLS: [&str; 16] = [
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "customer_account",
    "excluded_payment_method_types",
    "on_behalf_of",
    "processing",
    "receipt_email",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

fn method_options(method: MethodType) -> Value {
    match method {
        MethodType::Card => json!({
            "installments": null,
            "mandate_options": null,
            "network": null,
            "request_three_d_secure": "automatic",
        }),
        MethodType::SepaDebit => json!({}),
        MethodType::BankTransfer => json!({
            "bank_transfer": { "type": "eu_bank_transfer" },
            "funding_type": "bank_transfer",
        }),
    }
}
