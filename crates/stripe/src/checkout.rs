//! Asking Stripe for a Checkout session that sells one thing once: the form, and what the answer says.
//!
//! The form is all that Stripe is asked, so it can be kept and sent again: with the same `Idempotency-Key`
//! the same form gets the same session (docs.stripe.com/api/idempotent_requests).
//! Deliberately not here: sending it, and what the thing is worth in credits.

use serde::Deserialize;

use crate::form;
use crate::write::ApiVersion;

/// Where a session is asked for, below the API's address.
pub const PATH: &str = "/v1/checkout/sessions";

/// The `Stripe-Version` that the form is written for. Pinned, so that an account's own default changes
/// nothing.
pub const VERSION: ApiVersion = ApiVersion::Endive;

/// What a session is to sell, and where its customer goes afterwards
/// (docs.stripe.com/api/checkout/sessions/create).
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// `client_reference_id`: the seller's own name for it.
    pub reference: &'a str,
    /// What is sold, once.
    pub item: Item<'a>,
    /// Written on the session and on the payment intent: Stripe copies it from neither to the other.
    pub metadata: &'a [(&'a str, &'a str)],
    /// Where the customer goes after paying; may hold `{CHECKOUT_SESSION_ID}`.
    pub success_url: &'a str,
    /// Where the customer goes who changes their mind.
    pub cancel_url: Option<&'a str>,
    /// Filled in on the payment page.
    pub customer_email: Option<&'a str>,
    /// Whether Stripe works out the tax.
    pub automatic_tax: bool,
}

/// The thing that is sold.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A Price that the account has: `price_…`.
    Price(&'a str),
    /// Described on the spot.
    Described {
        /// What the customer reads.
        name: &'a str,
        /// In minor units, before tax.
        unit_amount: i64,
        /// ISO 4217, in lower case.
        currency: &'a str,
    },
}

impl NewSession<'_> {
    /// The form, the same for the same session.
    #[must_use]
    pub fn form(&self) -> String {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs = vec![own("mode", "payment"), own("line_items[0][quantity]", "1")];
        match self.item {
            Item::Price(id) => pairs.push(own("line_items[0][price]", id)),
            Item::Described { name, unit_amount, currency } => pairs.extend([
                own("line_items[0][price_data][currency]", currency),
                own("line_items[0][price_data][unit_amount]", &unit_amount.to_string()),
                own("line_items[0][price_data][product_data][name]", name),
            ]),
        }
        pairs.push(own("success_url", self.success_url));
        pairs.extend(self.cancel_url.map(|url| own("cancel_url", url)));
        pairs.push(own("client_reference_id", self.reference));
        pairs.extend(self.customer_email.map(|email| own("customer_email", email)));
        if self.automatic_tax {
            pairs.push(own("automatic_tax[enabled]", "true"));
        }
        for (key, value) in self.metadata {
            pairs.push(own(&format!("metadata[{key}]"), value));
            pairs.push(own(&format!("payment_intent_data[metadata][{key}]"), value));
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
    /// Until when it can be paid, in Unix seconds.
    pub expires_at: i64,
    /// What is due before tax, in minor units.
    pub amount_subtotal: i64,
    /// ISO 4217, in lower case.
    pub currency: String,
}

impl OpenSession {
    /// Reads Stripe's answer; None where it is not a session that somebody can pay.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(|session: &Self| !session.id.is_empty())
    }
}

/// Stripe's own words for what went wrong (docs.stripe.com/api/errors).
#[must_use]
pub fn error_message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        error: Words,
    }
    #[derive(Deserialize)]
    struct Words {
        message: String,
    }
    serde_json::from_slice(body).ok().map(|refusal: Refusal| refusal.error.message)
}
