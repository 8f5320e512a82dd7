//! The request for a Checkout session that sells one item, and Stripe's answer.
//!
//! The form is the whole request, so it can be stored and sent again: with the same `Idempotency-Key`, the
//! same form returns the same session (docs.stripe.com/api/idempotent_requests). Deliberately not here:
//! sending it, and what the item is worth in credits.

use serde::Deserialize;

use crate::form;
use crate::write::ApiVersion;

/// The path of the request, below the API's base URL.
pub const PATH: &str = "/v1/checkout/sessions";

/// The `Stripe-Version` that the form is written for. It is pinned, so that an account's default version does
/// not matter.
pub const VERSION: ApiVersion = ApiVersion::Endive;

/// A session to create (docs.stripe.com/api/checkout/sessions/create).
///
/// ```
/// use stripe::checkout::{Item, NewSession};
///
/// let session = NewSession {
///     reference: "order-7",
///     item: Item::Price("price_1"),
///     metadata: &[("tenant_id", "t1")],
///     success_url: "https://shop.example.com/done",
///     cancel_url: None,
///     customer_email: None,
///     automatic_tax: false,
/// };
/// let form = session.form();
/// assert!(form.starts_with("mode=payment&line_items%5B0%5D%5Bquantity%5D=1&"));
/// assert!(form.contains("metadata%5Btenant_id%5D=t1"));
/// ```
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// `client_reference_id`: the merchant's reference.
    pub reference: &'a str,
    /// What is sold; the quantity is one.
    pub item: Item<'a>,
    /// Set on the session and on the payment intent, because Stripe does not copy it between them.
    pub metadata: &'a [(&'a str, &'a str)],
    /// Where the customer returns to after paying; may contain `{CHECKOUT_SESSION_ID}`.
    pub success_url: &'a str,
    /// Where the customer returns to without paying.
    pub cancel_url: Option<&'a str>,
    /// Prefilled on the payment page.
    pub customer_email: Option<&'a str>,
    /// Whether Stripe calculates tax.
    pub automatic_tax: bool,
}

/// The item that is sold.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A Price of the account: `price_…`.
    Price(&'a str),
    /// Described in the request.
    Described {
        /// The name on the payment page.
        name: &'a str,
        /// In minor units, before tax.
        unit_amount: i64,
        /// ISO 4217, in lower case.
        currency: &'a str,
    },
}

impl NewSession<'_> {
    /// The request's form. The same session always gives the same form.
    #[must_use]
    pub fn form(&self) -> String {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs = vec![pair("mode", "payment"), pair("line_items[0][quantity]", "1")];
        match self.item {
            Item::Price(id) => pairs.push(pair("line_items[0][price]", id)),
            Item::Described { name, unit_amount, currency } => pairs.extend([
                pair("line_items[0][price_data][currency]", currency),
                pair("line_items[0][price_data][unit_amount]", &unit_amount.to_string()),
                pair("line_items[0][price_data][product_data][name]", name),
            ]),
        }
        pairs.push(pair("success_url", self.success_url));
        pairs.extend(self.cancel_url.map(|url| pair("cancel_url", url)));
        pairs.push(pair("client_reference_id", self.reference));
        pairs.extend(self.customer_email.map(|email| pair("customer_email", email)));
        if self.automatic_tax {
            pairs.push(pair("automatic_tax[enabled]", "true"));
        }
        for (key, value) in self.metadata {
            pairs.push(pair(&format!("metadata[{key}]"), value));
            pairs.push(pair(&format!("payment_intent_data[metadata][{key}]"), value));
        }
        form::of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// A session that can be paid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenSession {
    /// `cs_…`
    pub id: String,
    /// The payment page.
    pub url: String,
    /// When it expires, in Unix seconds.
    pub expires_at: i64,
    /// The amount before tax, in minor units.
    pub amount_subtotal: i64,
    /// ISO 4217, in lower case.
    pub currency: String,
}

impl OpenSession {
    /// Reads Stripe's answer; None unless it is a session that can be paid.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(|session: &Self| !session.id.is_empty())
    }
}

/// The message of an error response (docs.stripe.com/api/errors); None if the body is none.
#[must_use]
pub fn error_message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct ErrorResponse {
        error: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    serde_json::from_slice(body).ok().map(|response: ErrorResponse| response.error.message)
}
