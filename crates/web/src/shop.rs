//! What this deployment sells, and the way to whoever takes the money. Both are handed in: this crate knows
//! no network, and Stripe's words stand in the crate `stripe`.
//! Not here: the request for a purchase (`api::credits::purchase`), and what becomes of the money (`ledger`).

mod in_flight;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use engine::MetadataKeys;
use ledger::{Catalogue, Credits, Minor};
use stripe::checkout::OpenSession;

pub(crate) use in_flight::InFlight;

/// What is sold, and through whom. Empty where nothing is configured.
#[derive(Debug, Default)]
pub struct Shop {
    /// In the order in which they are shown.
    pub packages: Vec<Package>,
    /// Under which keys a session's metadata carries the terms.
    pub metadata: MetadataKeys,
    /// Whether Stripe works out the tax.
    pub automatic_tax: bool,
    /// The way to Stripe; without one nothing can be bought here.
    pub checkout: Option<Arc<dyn Checkout>>,
}

/// One package of credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name in the catalogue, in metadata and in requests.
    pub name: String,
    /// What the customer reads on the payment page.
    pub title: String,
    /// How many credits it holds.
    pub credits: Credits,
    /// What it costs before tax, in minor units.
    pub price: Minor,
    /// Three letters, lower case.
    pub currency: String,
    /// The Price at Stripe that is to be charged; without one the session describes the package itself.
    pub stripe_price: Option<String>,
}

/// The same packages as the ledger judges purchases by; none where there are none.
pub fn catalogue(packages: &[Package]) -> Option<Catalogue> {
    let entry = |package: &Package| {
        let Package { credits, price, .. } = *package;
        (package.name.clone(), ledger::PackageTerms { credits, price, currency: package.currency.clone() })
    };
    (!packages.is_empty()).then(|| packages.iter().map(entry).collect())
}

/// Whoever opens checkouts: Stripe, or one that plays it.
pub trait Checkout: Send + Sync {
    /// Opens the session that `form` asks for ([`stripe::checkout::NewSession::form`]). The same `key` with
    /// the same form opens it once, and answers the same session. Ends within a bounded time.
    fn open<'a>(
        &'a self,
        form: &'a str,
        key: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<OpenSession, CheckoutFault>> + Send + 'a>>;
}

impl fmt::Debug for dyn Checkout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checkout")
    }
}

/// No session was opened, as far as we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutFault {
    /// Stripe said no, in these words; there is no session, and asking again under the same key would only
    /// be told the same.
    Refused(String),
    /// Nothing certain came back, for this reason; there may be a session, which asking again finds.
    Unreachable(String),
}
