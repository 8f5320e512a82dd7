//! The Checkout session: the only object with the metadata of the purchase
//! (support.stripe.com/questions/how-metadata-works-with-related-objects).
//!
//! Deliberately not here: `line_items`, which no event contains.

use super::body::{named_after, with_nulls};
use super::closed_enum::closed_enum;
use super::{ApiVersion, BillingDetails, MetadataMap, MethodType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

closed_enum! {
    /// The status of a session.
    SessionStatus {
        /// The customer can pay.
        Open = "open",
        /// The customer has paid or started a delayed payment.
        Complete = "complete",
        /// The customer did not pay in time.
        Expired = "expired",
    }
}

closed_enum! {
    /// Whether the payment is complete: `payment_status`.
    Payment {
        /// Complete.
        Paid = "paid",
        /// Not complete yet, or failed.
        Unpaid = "unpaid",
        /// Nothing was due.
        NoPaymentRequired = "no_payment_required",
    }
}

closed_enum! {
    /// Whether Checkout creates a customer.
    CustomerCreation {
        /// Only if the payment needs one.
        IfRequired = "if_required",
        /// Always.
        Always = "always",
    }
}

/// One Checkout session for one payment (`mode: payment`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `cs_test_…` or `cs_live_…`.
    pub id: String,
    /// When it was created, in Unix seconds.
    pub created: i64,
    /// When it expires, in Unix seconds.
    pub expires_at: i64,
    /// True in live mode.
    pub livemode: bool,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// Minor units, before tax.
    pub amount_subtotal: i64,
    /// Minor units.
    pub amount_tax: i64,
    /// What the customer pays, in minor units.
    pub amount_total: i64,
    /// Its status.
    pub status: SessionStatus,
    /// Whether the payment is complete.
    pub payment_status: Payment,
    /// Set when the session completes (since 2022-08-01).
    pub payment_intent: Option<String>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// Prefilled by the merchant.
    pub customer_email: Option<String>,
    /// What the customer entered.
    pub customer_details: Option<BillingDetails>,
    /// Whether a customer is created.
    pub customer_creation: CustomerCreation,
    /// The merchant's reference.
    pub client_reference_id: Option<String>,
    /// The merchant's metadata.
    pub metadata: MetadataMap,
    /// Where the customer returns to after paying.
    pub success_url: Option<String>,
    /// Where the customer returns to without paying.
    pub cancel_url: Option<String>,
    /// The payment page, while the session is open.
    pub url: Option<String>,
    /// The accepted payment methods.
    pub payment_method_types: Vec<MethodType>,
    /// Whether Stripe calculates tax.
    pub automatic_tax: bool,
}

impl Session {
    /// `data.object` of `checkout.session.*` in this API version.
    #[must_use]
    pub fn render(&self, version: ApiVersion) -> Value {
        let object = json!({
            "id": self.id,
            "object": "checkout.session",
            "adaptive_pricing": { "enabled": true },
            "amount_subtotal": self.amount_subtotal,
            "amount_total": self.amount_total,
            "automatic_tax": self.render_automatic_tax(),
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "created": self.created,
            "currency": self.currency,
            "custom_fields": [],
            "custom_text": custom_text(),
            "customer": self.customer,
            "customer_creation": self.customer_creation.name(),
            "customer_details": self.customer_details.as_ref().map(BillingDetails::render_customer),
            "customer_email": self.customer_email,
            "expires_at": self.expires_at,
            "invoice_creation": invoice_creation(),
            "livemode": self.livemode,
            "metadata": self.metadata,
            "mode": "payment",
            "payment_intent": self.payment_intent,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": { "id": named_after(&self.id, "pmc"), "parent": null },
            "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
            "payment_method_types": MethodType::names(&self.payment_method_types),
            "payment_status": self.payment_status.name(),
            "phone_number_collection": { "enabled": false },
            "shipping_options": [],
            "status": self.status.name(),
            "success_url": self.success_url,
            "total_details": {
                "amount_discount": self.amount_subtotal.saturating_sub(self.amount_total).max(0),
                "amount_shipping": 0,
                "amount_tax": self.amount_tax,
            },
            "ui_mode": ui_mode(version),
            "url": self.url,
        });
        let mut object = with_nulls(object, &NULLS);
        if version.has_newest_fields() {
            object = with_nulls(object, &NEWEST_NULLS);
        }
        if version.has_currency_conversion() { with_nulls(object, &["currency_conversion"]) } else { object }
    }

    /// Tax is calculated once the customer has entered an address.
    fn render_automatic_tax(&self) -> Value {
        if !self.automatic_tax {
            return json!({ "enabled": false, "liability": null, "provider": null, "status": null });
        }
        let known = self.customer_details.is_some();
        json!({
            "enabled": true,
            "liability": { "type": "self" },
            "provider": "stripe",
            "status": if known { "complete" } else { "requires_location_inputs" },
        })
    }
}

const NEWEST_NULLS: [&str; 3] =
    ["allowed_payment_method_types", "integration_identifier", "managed_payments"];

const NULLS: [&str; 23] = [
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "customer_account",
    "discounts",
    "invoice",
    "locale",
    "origin_context",
    "payment_link",
    "permissions",
    "presentment_details",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "wallet_options",
];

fn custom_text() -> Value {
    json!({
        "after_submit": null,
        "shipping_address": null,
        "submit": null,
        "terms_of_service_acceptance": null,
    })
}

fn invoice_creation() -> Value {
    json!({
        "enabled": false,
        "invoice_data": {
            "account_tax_ids": null,
            "custom_fields": null,
            "description": null,
            "footer": null,
            "issuer": null,
            "metadata": {},
            "rendering_options": null,
        },
    })
}

/// The values were renamed by 2026-03-25.dahlia.
fn ui_mode(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V2022_11_15 | ApiVersion::Basil => "hosted",
        ApiVersion::Endive => "hosted_page",
    }
}
