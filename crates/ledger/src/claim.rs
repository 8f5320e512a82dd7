//! Claims: what the metadata of a Stripe object says was bought and by whom, and whether that is accepted
//! (design section 3, Terms). Claims are never deleted, not even rejected ones, so that a person can see what
//! the customer paid for.

use serde::{Deserialize, Serialize};

use crate::ids::{EventRef, TenantId};
use crate::money::{Credits, Minor, Rounding};
use crate::outcome::Reason;

/// The kind of object that carries the metadata. Of several claims, that of the first kind in this list
/// counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimSource {
    /// A checkout session.
    Session,
    /// A payment intent.
    PaymentIntent,
    /// A charge. Stripe copies the payment intent's metadata to it once.
    Charge,
    /// An invoice, its subscription, or its lines. It never grants by itself, because its refunds cannot be
    /// matched.
    Invoice,
}

/// What an object's metadata says, verbatim and not yet trusted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClaimedTerms {
    /// The kind of object that it was read from.
    pub source: ClaimSource,
    /// The metadata's tenant, e.g. `550e8400-e29b-41d4-a716-446655440000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The metadata's package, e.g. `10_credits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The metadata's credits: a decimal string, e.g. `10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<String>,
    /// Three letters, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What is due: after discounts, with tax. Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
    /// The sum of the items, before discounts and tax. Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtotal: Option<Minor>,
    /// The purchase belongs to a subscription or an invoice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recurring: bool,
    /// A figure of the object could not be read, so a person must check the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

/// What is due, as far as an object says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Amounts {
    /// After discounts, with tax. Minor units.
    pub total: Option<Minor>,
    /// Before discounts and tax. Minor units.
    pub subtotal: Option<Minor>,
}

/// Whether a claim may grant credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Not judged yet: it waits for the checkout session.
    Waiting,
    /// Rejected.
    Rejected(Reason),
    /// Accepted. Later changes of the catalogue or the settings do not affect it; only other amounts can.
    Accepted {
        /// The tenant that gets the credits.
        tenant: TenantId,
        /// How many.
        credits: Credits,
        /// How fractions of a credit are rounded when money goes back.
        rounding: Rounding,
        /// The catalogue's price, before tax and discounts, in minor units. None without a catalogue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<Minor>,
    },
}

/// A claim: terms, the events that stated them, and the judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The terms, with the amounts of the latest event that stated them.
    #[serde(flatten)]
    pub terms: ClaimedTerms,
    /// The earliest event that stated them.
    pub first: EventRef,
    /// The latest event that stated them.
    pub latest: EventRef,
    /// The session amounts that the judgement is based on. A judgement based on larger amounts replaces it;
    /// any amounts rank above none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Amounts>,
    /// Whether it may grant credits.
    pub judgement: Judgement,
}

impl ClaimedTerms {
    /// Empty terms.
    pub fn none(source: ClaimSource) -> Self {
        Self {
            source,
            tenant: None,
            package: None,
            credits: None,
            currency: None,
            amount: None,
            subtotal: None,
            recurring: false,
            unreadable: false,
        }
    }

    /// Whether the object has none of our metadata keys and so claims nothing.
    pub fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.package.is_none() && self.credits.is_none() && !self.unreadable
    }

    /// The tenant, if it is a UUID.
    pub fn tenant_id(&self) -> Option<TenantId> {
        self.tenant.as_deref().and_then(TenantId::parse)
    }

    /// The metadata's credits, if they are valid for one payment and written without sign, point or leading
    /// zero.
    pub fn parsed_credits(&self) -> Option<Credits> {
        let text = self.credits.as_deref()?;
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        let credits = plain.then(|| text.parse().ok()).flatten().map(Credits)?;
        credits.is_valid_purchase().then_some(credits)
    }

    /// What is due according to these terms.
    pub fn amounts(&self) -> Amounts {
        Amounts { total: self.amount, subtotal: self.subtotal }
    }

    /// Whether both are the same claim: of the same kind of object, with equal tenant, credits and currency.
    /// The package is compared only if the metadata names no credits, because then it determines them.
    pub(crate) fn same_claim(&self, other: &Self) -> bool {
        let tenant = |terms: &Self| terms.tenant_id().ok_or_else(|| terms.tenant.clone());
        self.source == other.source
            && tenant(self) == tenant(other)
            && self.credits == other.credits
            && self.currency == other.currency
            && (self.credits.is_some() || self.package == other.package)
    }
}

impl Claim {
    /// The tenant that gets the credits, if it can be read.
    pub fn tenant(&self) -> Option<TenantId> {
        match self.judgement {
            Judgement::Accepted { tenant, .. } => Some(tenant),
            Judgement::Waiting | Judgement::Rejected(_) => self.terms.tenant_id(),
        }
    }

    /// The number of credits, if it can be read.
    pub fn credits(&self) -> Option<Credits> {
        match self.judgement {
            Judgement::Accepted { credits, .. } => Some(credits),
            Judgement::Waiting | Judgement::Rejected(_) => self.terms.parsed_credits(),
        }
    }

    /// Whether it was accepted.
    pub fn is_accepted(&self) -> bool {
        matches!(self.judgement, Judgement::Accepted { .. })
    }

    /// Whether this event is the earliest or the latest that stated the claim.
    pub(crate) fn stated_by(&self, event: &EventRef) -> bool {
        [&self.first, &self.latest].contains(&event)
    }

    /// Whether `other` names another tenant, currency or number of credits than this claim, which counts.
    /// Missing values are no contradiction. If neither names credits, the packages are compared.
    pub fn contradicts(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        let tenant = |claim: &Self| match claim.tenant() {
            Some(tenant) => Some(tenant.to_string()),
            None => claim.terms.tenant.clone(),
        };
        // Only the other claim's terms are compared: whether it was judged depends on the order of arrival.
        let credits =
            self.credits().map(|credits| credits.to_string()).or_else(|| self.terms.credits.clone());
        let package = |claim: &Self| claim.terms.package.clone().filter(|_| claim.terms.credits.is_none());
        differ(tenant(self), tenant(other))
            || differ(credits, other.terms.credits.clone())
            || differ(package(self), package(other))
            || differ(self.terms.currency.as_ref(), other.terms.currency.as_ref())
    }

    /// Merges what `other` says about the same claim: the amounts of the latest event, and the judgement
    /// based on the largest session amounts.
    fn join(&mut self, other: Self) {
        (self.session, self.judgement) = (self.session, self.judgement).max((other.session, other.judgement));
        if (&other.latest, &other.terms) > (&self.latest, &self.terms) {
            (self.latest, self.terms) = (other.latest, other.terms);
        }
        self.first = self.first.clone().min(other.first);
    }
}

/// Adds a claim to `claims` and keeps them sorted: by source, accepted ones first, then by the time of the
/// event. The first one is the one that counts.
pub(crate) fn join(claims: &mut Vec<Claim>, claim: Claim) {
    match claims.iter_mut().find(|known| known.terms.same_claim(&claim.terms)) {
        Some(known) => known.join(claim),
        None => claims.push(claim),
    }
    sort(claims);
}

/// Restores the order after a judgement.
pub(crate) fn sort(claims: &mut [Claim]) {
    claims.sort_by(|a, b| {
        let key = |c: &'_ Claim| (c.terms.source, !c.is_accepted(), c.first.clone(), c.terms.clone());
        key(a).cmp(&key(b))
    });
}

/// Whether this is a currency code as Stripe writes it: three lower-case letters.
pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase())
}
