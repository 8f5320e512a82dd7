//! What is sold: everything that the events of one scenario have in common.

use stripe::write::ApiVersion;

use crate::act::checkout::NewCheckoutSession;
use crate::object::{LineItem, MetadataMap, Price};

/// One sale through Stripe Checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// `[A-Za-z0-9_]`, at most 150 characters. Ids are made from it: `pi_REFERENCE`, `cs_test_REFERENCE`.
    pub reference: String,
    /// Metadata of the session.
    pub metadata: MetadataMap,
    /// The product's name on the checkout page.
    pub description: String,
    /// What the customer pays, in minor units of `currency`.
    pub amount: i64,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// When the customer pays, in Unix seconds.
    pub created: i64,
    /// Whether the events are live events (`cs_live_…`) or test events (`cs_test_…`).
    pub livemode: bool,
    /// The API version of the receiving endpoint.
    pub api_version: ApiVersion,
}

/// Metadata of these pairs.
#[must_use]
pub fn metadata<const N: usize>(pairs: [(&str, &str); N]) -> MetadataMap {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Sale {
    /// Its session: `cs_test_REFERENCE` or `cs_live_REFERENCE`.
    #[must_use]
    pub fn session_id(&self) -> String {
        let mode = if self.livemode { "live" } else { "test" };
        format!("cs_{mode}_{}", self.reference)
    }

    /// Its payment intent: `pi_REFERENCE`.
    #[must_use]
    pub fn payment_intent_id(&self) -> String {
        format!("pi_{}", self.reference)
    }

    /// The request for its session, of which the customer pays `total` in the end: above the sale's amount
    /// the rest is tax, below it is a discount.
    pub(super) fn session(&self, total: i64) -> NewCheckoutSession {
        let price = Price {
            id: format!("price_{}", self.reference),
            created: self.created,
            active: true,
            currency: self.currency.clone(),
            unit_amount: self.amount,
            product: format!("prod_{}", self.reference),
            tax_inclusive: false,
            nickname: None,
            lookup_key: None,
            metadata: MetadataMap::new(),
        };
        let item = LineItem {
            id: format!("li_{}", self.reference),
            description: self.description.clone(),
            quantity: 1,
            price,
            amount_subtotal: self.amount,
            amount_tax: total.saturating_sub(self.amount).max(0),
            amount_total: total,
        };
        NewCheckoutSession {
            metadata: self.metadata.clone(),
            success_url: Some("https://shop.example.com/done?session={CHECKOUT_SESSION_ID}".to_owned()),
            cancel_url: Some("https://shop.example.com/".to_owned()),
            ..NewCheckoutSession::new(vec![item], &self.currency)
        }
    }
}
