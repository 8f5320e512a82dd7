//! What a request for a purchase may say, and the form that Stripe is asked because of it.
//! Not here: asking.

use ledger::TenantId;
use serde::{Deserialize, Serialize};
use store::NewPurchase;
use stripe::checkout::{Item, NewSession};
use utoipa::ToSchema;

use super::{no_key, not_configured};
use crate::answer::{Problem, ProblemKind};
use crate::shop::Shop;

/// Characters of an address.
const MAX_URL_LENGTH: usize = 2048;
/// Characters of an e-mail address (RFC 5321, section 4.5.3.1.3).
const MAX_EMAIL_LENGTH: usize = 254;

/// The body. Its fingerprint is kept for ever, so fields may be added to it, never renamed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPurchase, example = json!({ "package": "10_credits",
    "success_url": "https://shop.example.com/done?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://shop.example.com/credits" }))]
pub(super) struct Asked {
    /// Which package of the catalogue.
    package: String,
    /// Where the customer goes after paying. `{CHECKOUT_SESSION_ID}` in it becomes the session's id.
    #[schema(max_length = 2048)]
    success_url: String,
    /// Where the customer goes who changes their mind.
    #[schema(max_length = 2048)]
    cancel_url: Option<String>,
    /// Filled in on the payment page.
    #[schema(max_length = 254)]
    customer_email: Option<String>,
}

impl Asked {
    /// Whether it can be asked at all, whatever is for sale.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let address = "an http or https address of at most 2048 visible ASCII characters, without a user";
        if !is_web_address(&self.success_url) {
            return Err(Problem::value("success_url", address));
        }
        if self.cancel_url.as_deref().is_some_and(|url| !is_web_address(url)) {
            return Err(Problem::value("cancel_url", address));
        }
        if self.customer_email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(Problem::value("customer_email", "an e-mail address"));
        }
        Ok(())
    }

    /// What to pin: the package as it is today, and the form for Stripe.
    pub(super) fn order(&self, shop: &Shop, id: String, tenant: TenantId) -> Result<NewPurchase, Problem> {
        if shop.packages.is_empty() {
            return Err(not_configured("there is no catalogue; the settings need [[packages]]"));
        }
        if shop.checkout.is_none() {
            return Err(no_key());
        }
        let package = shop.packages.iter().find(|package| package.name == self.package);
        let package = package.ok_or_else(|| {
            Problem::new(
                ProblemKind::PackageUnknown,
                "There is no such package; GET /api/credits/packages lists them. Nothing was charged.",
            )
        })?;
        let (tenant, credits) = (tenant.to_string(), package.credits.0.to_string());
        let form = NewSession {
            reference: &id,
            item: match &package.stripe_price {
                Some(price) => Item::Price(price),
                None => Item::Described {
                    name: &package.title,
                    unit_amount: package.price.0,
                    currency: &package.currency,
                },
            },
            metadata: &[
                (&shop.metadata.tenant, &tenant),
                (&shop.metadata.package, &package.name),
                (&shop.metadata.credits, &credits),
            ],
            success_url: &self.success_url,
            cancel_url: self.cancel_url.as_deref(),
            customer_email: self.customer_email.as_deref(),
            automatic_tax: shop.automatic_tax,
        }
        .form();
        Ok(NewPurchase {
            id,
            package: package.name.clone(),
            credits: package.credits,
            price: package.price,
            currency: package.currency.clone(),
            form,
        })
    }
}

/// Absolute, of the web, and nothing that a browser might read in two ways.
fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let plain = |host: &str| {
        let bytes = host.bytes();
        !host.starts_with(':') && bytes.clone().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
    };
    url.len() <= MAX_URL_LENGTH
        && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && host.is_some_and(|host| !host.is_empty() && plain(host))
}

/// As far as it can be told by looking; Stripe judges the rest.
fn is_email(text: &str) -> bool {
    let sides = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    sides && text.len() <= MAX_EMAIL_LENGTH && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}
