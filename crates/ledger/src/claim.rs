//! Claims: what the metadata of a Stripe object says was bought, by whom, and whether that was accepted
//! (design section 3, Terms). A claim is kept for ever, also when it was rejected, so that a person can see
//! what the customer paid for.

use serde::{Deserialize, Serialize};

use crate::ids::{EventRef, TenantId};
use crate::money::{Credits, MAX_CREDITS_PER_PAYMENT, Minor, Rounding};
use crate::outcome::Reason;

/// Which kind of object carries the metadata. The first kind that has a claim counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimSource {
    /// A checkout session.
    Session,
    /// A payment intent.
    PaymentIntent,
    /// A charge. Stripe copies the payment intent's metadata to it once.
    Charge,
    /// An invoice, its subscription, or its lines. It never grants by itself: its refunds cannot be matched.
    Invoice,
}

/// What an object's metadata says, as it was written, before anyone trusted it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClaimedTerms {
    /// Where it was read.
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
    /// The sum of the items: before discounts and tax. Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtotal: Option<Minor>,
    /// The purchase belongs to a subscription or an invoice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recurring: bool,
    /// A figure of the object could not be read, so the rest must not be trusted without a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

/// What was to be paid, as far as an object says.
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
    /// Accepted. A changed catalogue or setting never reaches back; only other amounts can.
    Accepted {
        /// Who gets the credits.
        tenant: TenantId,
        /// How many.
        credits: Credits,
        /// How parts of a credit are rounded when money goes back.
        rounding: Rounding,
        /// What the catalogue asked for, before tax and discounts, in minor units. None without a catalogue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<Minor>,
    },
}

/// A claim: terms, who said so first, and what was decided about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What was claimed, with the amounts of the latest event that said so.
    #[serde(flatten)]
    pub terms: ClaimedTerms,
    /// The earliest event that said so.
    pub first: EventRef,
    /// The latest event that said so.
    pub latest: EventRef,
    /// The amounts of the checkout session by which it was judged. A judgement by larger ones, or by any
    /// instead of none, replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Amounts>,
    /// Whether it may grant.
    pub judgement: Judgement,
}

impl ClaimedTerms {
    /// Terms without any content.
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

    /// Whether none of our metadata keys was there: the object claims nothing.
    pub fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.package.is_none() && self.credits.is_none() && !self.unreadable
    }

    /// The tenant, where it is a UUID.
    pub fn tenant_id(&self) -> Option<TenantId> {
        self.tenant.as_deref().and_then(TenantId::parse)
    }

    /// The metadata's credits: a whole number from 1 to [`MAX_CREDITS_PER_PAYMENT`], written in the plainest
    /// way, without sign, point or leading zero.
    pub fn parsed_credits(&self) -> Option<Credits> {
        let text = self.credits.as_deref()?;
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        let credits: i64 = plain.then(|| text.parse().ok()).flatten()?;
        (credits <= MAX_CREDITS_PER_PAYMENT).then_some(Credits(credits))
    }

    /// What it says was to be paid.
    pub fn amounts(&self) -> Amounts {
        Amounts { total: self.amount, subtotal: self.subtotal }
    }

    /// Equal tenant, credits and currency are one claim, whatever the package is called. Where the metadata
    /// names no credits, the package says how many.
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
    /// Who gets the credits, as far as that can be read.
    pub fn tenant(&self) -> Option<TenantId> {
        match self.judgement {
            Judgement::Accepted { tenant, .. } => Some(tenant),
            Judgement::Waiting | Judgement::Rejected(_) => self.terms.tenant_id(),
        }
    }

    /// How many credits, as far as that can be read.
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

    /// Whether this event is the earliest or the latest that said so.
    pub(crate) fn stated_by(&self, event: &EventRef) -> bool {
        [&self.first, &self.latest].contains(&event)
    }

    /// Whether the `other` claim names another tenant, currency or number of credits than this one, which
    /// counts. What it leaves out is no difference. Where neither names credits, the packages are compared.
    pub fn contradicts(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        let tenant = |claim: &Self| match claim.tenant() {
            Some(tenant) => Some(tenant.to_string()),
            None => claim.terms.tenant.clone(),
        };
        // Whether the other claim was judged depends on what arrived first, so only its words count.
        let credits =
            self.credits().map(|credits| credits.to_string()).or_else(|| self.terms.credits.clone());
        let package = |claim: &Self| claim.terms.package.clone().filter(|_| claim.terms.credits.is_none());
        differ(tenant(self), tenant(other))
            || differ(credits, other.terms.credits.clone())
            || differ(package(self), package(other))
            || differ(self.terms.currency.as_ref(), other.terms.currency.as_ref())
    }

    /// Learns what `other` says of the same claim: the latest event names its amounts, and the best informed
    /// judgement counts.
    fn join(&mut self, other: Self) {
        (self.session, self.judgement) = (self.session, self.judgement).max((other.session, other.judgement));
        if (&other.latest, &other.terms) > (&self.latest, &self.terms) {
            (self.latest, self.terms) = (other.latest, other.terms);
        }
        self.first = self.first.clone().min(other.first);
    }
}

/// Adds a claim to `claims`, which stay sorted: by source, accepted before others, then by the time of the
/// event. So the first is the one that counts.
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

/// Three letters, lower case.
pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase())
}
