//! The Checkout Session: the only object that carries the purchase's metadata
//! (support.stripe.com/questions/how-metadata-works-with-related-objects).
//!
//! Deliberately not here: `line_items`, which no event carries.

use super::body::with_nulls;
use super::payment_method::customer_details;
use super::{ApiVersion, PaymentMethod, Purchase};
use serde_json::{Value, json};

/// How far the customer and the money have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// Complete, and the money is there.
    Paid,
    /// Complete, and the money is still on its way, or the bank refused it later.
    Unpaid,
    /// Nobody paid within a day.
    Expired,
}

/// `data.object` of `checkout.session.*`.
pub(crate) fn session(purchase: &Purchase, method: PaymentMethod, state: SessionState) -> Value {
    let (status, payment_status) = match state {
        SessionState::Paid => ("complete", "paid"),
        SessionState::Unpaid => ("complete", "unpaid"),
        SessionState::Expired => ("expired", "unpaid"),
    };
    // A session learns its payment intent when the customer completes it (since 2022-08-01).
    let completed = state != SessionState::Expired;
    let opened = opened(purchase);
    let object = json!({
        "id": purchase.session_id(),
        "object": "checkout.session",
        "adaptive_pricing": { "enabled": true },
        "amount_subtotal": purchase.amount_total,
        "amount_total": purchase.amount_total,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "cancel_url": "https://shop.example.com/credits",
        "created": opened,
        "currency": purchase.currency,
        "custom_fields": [],
        "custom_text": custom_text(),
        "customer_creation": "if_required",
        "customer_details": completed.then(customer_details),
        "expires_at": opened.saturating_add(EXPIRES_AFTER),
        "invoice_creation": invoice_creation(),
        "livemode": purchase.livemode,
        "metadata": metadata(purchase),
        "mode": "payment",
        "payment_intent": completed.then(|| purchase.id("pi")),
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": { "id": purchase.id("pmc"), "parent": null },
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": [method.type_name()],
        "payment_status": payment_status,
        "phone_number_collection": { "enabled": false },
        "shipping_options": [],
        "status": status,
        "success_url": "https://shop.example.com/credits/done?session={CHECKOUT_SESSION_ID}",
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": ui_mode(purchase.api_version),
    });
    let object = with_nulls(object, &NULLS);
    if purchase.api_version.has_currency_conversion() {
        with_nulls(object, &["currency_conversion"])
    } else {
        object
    }
}

/// When the customer was sent to Checkout, in Unix seconds: a minute before paying.
fn opened(purchase: &Purchase) -> i64 {
    purchase.created.saturating_sub(60)
}

/// A session lives for a day unless told otherwise (docs.stripe.com/api/checkout/sessions/create).
const EXPIRES_AFTER: i64 = 24 * 60 * 60;

const NULLS: [&str; 27] = [
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_reference_id",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "customer",
    "customer_account",
    "customer_email",
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
    "url",
    "wallet_options",
];

fn metadata(purchase: &Purchase) -> Value {
    json!({
        "credits": purchase.credits.to_string(),
        "package": purchase.package,
        "tenant_id": purchase.tenant_id,
    })
}

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

/// Renamed by 2026-03-25.dahlia.
fn ui_mode(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V2022_11_15 | ApiVersion::Basil => "hosted",
        ApiVersion::Endive => "hosted_page",
    }
}
