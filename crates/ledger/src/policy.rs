//! The deployment's rules about money. A change does not affect payments that were judged before.

use std::collections::BTreeMap;

use crate::money::{Credits, Minor, Rounding};

/// The deployment's rules about money.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How a fraction of a credit is rounded when part of a payment goes back. Stored with each payment when
    /// its terms are accepted.
    pub refund_rounding: Rounding,
    /// The packages for sale. Without a catalogue, the credits in the metadata are trusted.
    pub catalogue: Option<Catalogue>,
    /// Refuse purchases for tenants that have neither bought before nor been given an API key.
    pub known_tenants_only: bool,
    /// Which object carries the metadata.
    pub terms_from: TermsFrom,
    /// How long a claim on a payment intent, a charge or an invoice waits for a checkout session. Seconds.
    pub session_wait: i64,
    /// How long a refund or a dispute of one of our payments waits for its purchase before a person must
    /// look. Seconds.
    pub reversal_wait: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            refund_rounding: Rounding::default(),
            catalogue: None,
            known_tenants_only: false,
            terms_from: TermsFrom::default(),
            session_wait: 300,
            reversal_wait: 3_600,
        }
    }
}

/// Which object carries the metadata of a purchase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TermsFrom {
    /// The checkout session. Metadata on other objects counts after a wait, because a session may be late.
    #[default]
    Session,
    /// The payment intent: this deployment sells without checkout sessions, so nothing waits for one.
    PaymentIntent,
}

/// The packages for sale, by name.
pub type Catalogue = BTreeMap<String, PackageTerms>;

/// One package for sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageTerms {
    /// How many credits it grants.
    pub credits: Credits,
    /// What it costs before tax, in minor units.
    pub price: Minor,
    /// Three letters, lower case.
    pub currency: String,
}
