//! The body of a request for a purchase, and its checks.

use crate::answer::Problem;
use engine::purchase::PurchaseRequest;
use ledger::TenantId;
use serde::{Deserialize, Serialize};
use store::IdempotencyKey;
use utoipa::ToSchema;

/// Characters of an address.
const MAX_URL_LENGTH: usize = 2048;
/// Characters of an e-mail address (RFC 5321, section 4.5.3.1.3).
const MAX_EMAIL_LENGTH: usize = 254;

// The fingerprint of the body is stored permanently: fields may be added, but not renamed.
/// A purchase.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPurchase, example = json!({ "package": "10_credits",
    "success_url": "https://shop.example.com/done?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://shop.example.com/credits" }))]
pub(super) struct PurchaseBody {
    /// The name of a package in the catalogue.
    package: String,
    /// Where the customer is sent after paying. `{CHECKOUT_SESSION_ID}` in it is replaced with the session's
    /// id.
    #[schema(max_length = 2048)]
    success_url: String,
    /// Where the customer is sent after cancelling.
    #[schema(max_length = 2048)]
    cancel_url: Option<String>,
    /// The email address that is filled in on the payment page.
    #[schema(max_length = 254)]
    customer_email: Option<String>,
}

impl PurchaseBody {
    /// Refuses values that are invalid for every package.
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

    /// The engine's request, for this tenant and with this key.
    pub(super) fn of(self, tenant: TenantId, idempotency_key: IdempotencyKey) -> PurchaseRequest {
        let Self { package, success_url, cancel_url, customer_email } = self;
        PurchaseRequest { tenant, idempotency_key, package, success_url, cancel_url, customer_email }
    }
}

/// Whether the text is an absolute web address that all browsers read the same way.
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

/// Whether the text looks like an e-mail address. Stripe checks the rest.
fn is_email(text: &str) -> bool {
    let sides = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    sides && text.len() <= MAX_EMAIL_LENGTH && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}
