//! The payment intent: one payment and the attempts at it. Stripe does not copy the session's metadata to it.

use super::body::{named_after, with_nulls};
use super::closed_enum::closed_enum;
use super::failure::PaymentFailure;
use super::{ApiVersion, BillingDetails, MetadataMap, Method, MethodType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

closed_enum! {
    /// The status of a payment.
    IntentStatus {
        /// There is no payment method yet, or the latest attempt failed.
        RequiresPaymentMethod = "requires_payment_method",
        /// Ready to be confirmed.
        RequiresConfirmation = "requires_confirmation",
        /// The customer has to do something, such as 3-D Secure.
        RequiresAction = "requires_action",
        /// A delayed payment method is processing.
        Processing = "processing",
        /// The payment is authorized, not captured.
        RequiresCapture = "requires_capture",
        /// The payment is complete.
        Succeeded = "succeeded",
        /// Canceled.
        Canceled = "canceled",
    }
}

closed_enum! {
    /// When the payment is captured.
    CaptureMethod {
        /// At once; the balance is updated a little later.
        AutomaticAsync = "automatic_async",
        /// When the merchant captures it.
        Manual = "manual",
    }
}

/// One payment. All amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentIntent {
    /// `pi_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// True in live mode.
    pub livemode: bool,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// The amount to collect.
    pub amount: i64,
    /// The amount that can be captured.
    pub amount_capturable: i64,
    /// The amount collected.
    pub amount_received: i64,
    /// Its status.
    pub status: IntentStatus,
    /// When the payment is captured.
    pub capture_method: CaptureMethod,
    /// For the merchant; the customer does not see it.
    pub description: Option<String>,
    /// Charges get a copy when they are created.
    pub metadata: MetadataMap,
    /// `cus_…`.
    pub customer: Option<String>,
    /// The latest attempt: `ch_…`.
    pub latest_charge: Option<String>,
    /// `pm_…`; a failed attempt removes it.
    pub payment_method: Option<String>,
    /// The accepted payment methods.
    pub payment_method_types: Vec<MethodType>,
    /// What the customer has to do.
    pub next_action: Option<NextAction>,
    /// Why the latest attempt failed.
    pub last_payment_error: Option<Declined>,
    /// Unix seconds.
    pub canceled_at: Option<i64>,
    /// `abandoned`, `automatic`, …
    pub cancellation_reason: Option<String>,
    /// The secret with which the customer's browser can use it.
    pub client_secret: String,
}

/// What the customer has to do before the payment can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NextAction {
    /// Visit the bank's page (`redirect_to_url`).
    Redirect {
        /// Where the bank sends the customer afterwards.
        return_url: Option<String>,
        /// The bank's page.
        url: String,
    },
    /// Send the rest by bank transfer (`display_bank_transfer_instructions`).
    BankTransfer {
        /// Minor units.
        amount_remaining: i64,
        /// ISO 4217 code in lower case.
        currency: String,
        /// The reference that the transfer must carry.
        reference: String,
    },
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// Why.
    pub failure: PaymentFailure,
    /// The attempt: `ch_…`; None if no charge was created.
    pub charge: Option<String>,
    /// `pm_…`.
    pub payment_method: Option<String>,
    /// The card or bank account.
    pub method: Method,
}

impl PaymentIntent {
    /// `data.object` of `payment_intent.*` in this API version.
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

    /// `last_payment_error`: fields that do not apply are absent, not null.
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
        match self {
            Self::Redirect { return_url, url } => json!({
                "redirect_to_url": { "return_url": return_url, "url": url },
                "type": "redirect_to_url",
            }),
            Self::BankTransfer { amount_remaining, currency, reference } => json!({
                "display_bank_transfer_instructions": {
                    "amount_remaining": amount_remaining,
                    "currency": currency,
                    "reference": reference,
                    "type": "eu_bank_transfer",
                },
                "type": "display_bank_transfer_instructions",
            }),
        }
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
