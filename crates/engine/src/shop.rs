//! The packages that this deployment sells, and the gateway to Stripe, which is passed in: this crate makes
//! no network calls.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use ledger::{Catalogue, Credits, Minor};
use stripe::checkout::OpenSession;

use crate::read::MetadataKeys;

/// The packages for sale and the gateway to Stripe; empty if nothing is configured.
#[derive(Debug, Default)]
pub struct Shop {
    /// In display order.
    pub packages: Vec<Package>,
    /// The keys of a session's metadata that carry the terms.
    pub metadata: MetadataKeys,
    /// Whether Stripe computes the tax.
    pub automatic_tax: bool,
    /// The gateway to Stripe; without one packages are only listed.
    pub gateway: Option<Arc<dyn CheckoutGateway>>,
}

/// One package of credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name in the catalogue, in metadata and in requests.
    pub name: String,
    /// Title on the payment page.
    pub title: String,
    /// Credits in the package.
    pub credits: Credits,
    /// Price before tax, in minor units.
    pub price: Minor,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// The Price at Stripe to charge; without one the session describes the package itself.
    pub stripe_price: Option<String>,
}

/// The packages as the ledger's catalogue; `None` if there are none.
pub fn catalogue(packages: &[Package]) -> Option<Catalogue> {
    let entry = |package: &Package| {
        let Package { credits, price, .. } = *package;
        (package.name.clone(), ledger::PackageTerms { credits, price, currency: package.currency.clone() })
    };
    (!packages.is_empty()).then(|| packages.iter().map(entry).collect())
}

/// Opens checkouts at Stripe or at an emulator.
pub trait CheckoutGateway: Send + Sync {
    /// Opens the session described by `form` ([`stripe::checkout::NewSession::form`]). The same `key` with
    /// the same form opens it once and returns the same session. Must have a time limit.
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

/// Why no session was opened, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutFault {
    /// Stripe refused with this message. There is no session, and the same request with the same key would be
    /// refused again.
    Refused(String),
    /// There was no usable response, for this reason. A session may exist, which repeating the request
    /// returns.
    Unreachable(String),
}
