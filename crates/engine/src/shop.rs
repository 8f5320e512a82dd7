//! What this deployment sells, and the way to Stripe, where it is paid for. Both are handed in: this crate
//! makes no network calls.
//! Not here: opening a checkout (`purchase`), and the payments that follow (`ledger`).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use ledger::{Catalogue, Credits, Minor};
use stripe::checkout::OpenSession;

use crate::read::MetadataKeys;

/// What is sold, and through which gateway. Empty where nothing is configured.
#[derive(Debug, Default)]
pub struct Shop {
    /// In the order in which they are shown.
    pub packages: Vec<Package>,
    /// The keys of a session's metadata that carry the terms.
    pub metadata: MetadataKeys,
    /// Whether Stripe computes the tax.
    pub automatic_tax: bool,
    /// The way to Stripe; without one nothing can be bought here.
    pub gateway: Option<Arc<dyn CheckoutGateway>>,
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
    /// The Price at Stripe to charge; without one the session describes the package itself.
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

/// Opens checkouts: at Stripe, or at an emulator of it.
pub trait CheckoutGateway: Send + Sync {
    /// Opens the session that `form` asks for ([`stripe::checkout::NewSession::form`]). The same `key` with
    /// the same form opens it once, and answers the same session. Ends within a bounded time.
    fn open<'a>(
        &'a self,
        form: &'a str,
        key: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<OpenSession, CheckoutFault>> + Send + 'a>>;
}

impl fmt::Debug for dyn CheckoutGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckoutGateway")
    }
}

/// No session was opened, as far as we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutFault {
    /// Stripe refused, in these words. There is no session, and the same request under the same key would be
    /// refused again.
    Refused(String),
    /// No usable answer came back, for this reason. There may be a session, which the same request finds.
    Unreachable(String),
}
