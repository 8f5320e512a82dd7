//! Claims: what the metadata of a Stripe object says was bought, by whom, and whether that was accepted
//! (design section 3, Terms). A claim is kept for ever, also when it was rejected, so that a person can see
//! what the customer paid for.

use serde::{Deserialize, Serialize};

use crate::ids::{TenantId, Told};
use crate::money::{CREDITS_PER_PAYMENT_MAX, Credits, Minor, Rounding};
use crate::outcome::Reason;

/// Which kind of object carries the metadata. The first kind that has a claim counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
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
    pub source: Source,
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

/// Whether a claim may grant credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Not judged yet: it waits for the checkout session.
    Waiting,
    /// Rejected.
    Rejected(Reason),
    /// Accepted. Final, apart from a session that turns up later: a changed catalogue or setting never
    /// reaches back.
    Accepted {
        /// Who gets the credits.
        tenant: TenantId,
        /// How many.
        credits: Credits,
        /// How parts of a credit are rounded when money goes back.
        rounding: Rounding,
    },
}

/// A claim: terms, who said so first, and what was decided about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What was claimed, with the amounts of the latest event that said so.
    #[serde(flatten)]
    pub terms: ClaimedTerms,
    /// The earliest event that said so.
    pub told: Told,
    /// The latest event that said so.
    pub latest: Told,
    /// The amounts of a checkout session were known when it was judged. Such a judgement replaces one
    /// without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_session: bool,
    /// Whether it may grant.
    pub judgement: Judgement,
}

impl ClaimedTerms {
    /// Terms without any content.
    pub fn none(source: Source) -> Self {
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

    /// The metadata's credits: a whole number from 1 to [`CREDITS_PER_PAYMENT_MAX`], written in the plainest
    /// way, without sign, point or leading zero.
    pub fn parsed_credits(&self) -> Option<Credits> {
        let text = self.credits.as_deref()?;
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        let credits: i64 = plain.then(|| text.parse().ok()).flatten()?;
        (credits <= CREDITS_PER_PAYMENT_MAX).then_some(Credits(credits))
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
    pub(crate) fn told_by(&self, event: &Told) -> bool {
        [&self.told, &self.latest].contains(&event)
    }

    /// Whether two claims name different tenants, credits or currencies. What one of them leaves out is no
    /// difference.
    pub fn contradicts(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        let tenant = |claim: &Self| match claim.tenant() {
            Some(tenant) => Some(tenant.to_string()),
            None => claim.terms.tenant.clone(),
        };
        let credits = |claim: &Self| match claim.credits() {
            Some(credits) => Some(credits.to_string()),
            None => claim.terms.credits.clone(),
        };
        differ(tenant(self), tenant(other))
            || differ(credits(self), credits(other))
            || differ(self.terms.currency.as_ref(), other.terms.currency.as_ref())
    }

    /// Learns what `other` says of the same claim: the latest event names its amounts, and the best informed
    /// judgement counts.
    fn join(&mut self, other: Self) {
        (self.with_session, self.judgement) =
            (self.with_session, self.judgement).max((other.with_session, other.judgement));
        if (&other.latest, &other.terms) > (&self.latest, &self.terms) {
            (self.latest, self.terms) = (other.latest, other.terms);
        }
        self.told = self.told.clone().min(other.told);
    }
}

impl From<Result<(TenantId, Credits, Rounding), Reason>> for Judgement {
    fn from(result: Result<(TenantId, Credits, Rounding), Reason>) -> Self {
        match result {
            Ok((tenant, credits, rounding)) => Self::Accepted { tenant, credits, rounding },
            Err(reason) => Self::Rejected(reason),
        }
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
        let key = |c: &'_ Claim| (c.terms.source, !c.is_accepted(), c.told.clone(), c.terms.clone());
        key(a).cmp(&key(b))
    });
}
