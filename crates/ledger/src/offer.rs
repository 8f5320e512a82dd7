//! May the terms of a session be believed? Metadata is signed inside the event, but it was written by
//! whoever holds an API key or owns a payment link, so it is checked before it turns into credits
//! (design section 3, Trust). What is refused is kept with its reason, for a person to decide.
//! Not here: which metadata keys to read (`engine::read`); what believed terms are worth (`entitlement`).

use std::collections::BTreeMap;

use crate::fact::{Fact, Offer};
use crate::ids::TenantId;
use crate::knowledge::{Claim, Knowledge, RefusedClaim, Terms};
use crate::money::{CREDITS_PER_PAYMENT_MAX, Credits, Minor, Rounding};
use crate::outcome::Reason;

/// The deployment's rules. Changing them does not touch payments that were judged before.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which way a fraction of a credit goes when part of a payment is taken back.
    pub refund_rounding: Rounding,
    /// What is for sale. Without one, the metadata's credits are believed.
    pub catalogue: Option<Catalogue>,
    /// Refuse purchases for tenants that have neither bought before nor been given an API key.
    pub known_tenants_only: bool,
}

/// What is for sale, by package name.
pub type Catalogue = BTreeMap<String, Package>;

/// One thing for sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// How many credits it holds.
    pub credits: Credits,
    /// What it costs before tax, in minor units.
    pub price: Minor,
    /// Three letters, lower case.
    pub currency: String,
}

/// Adds the judged claim of `fact` to `known`, which already holds the rest of the fact.
pub fn judge(known: &mut Knowledge, fact: &Fact, policy: &Policy, is_known: impl Fn(TenantId) -> bool) {
    let Some(offer) = &fact.offer else { return };
    if offer.tenant.is_none() && offer.package.is_none() && offer.credits.is_none() {
        known.unrelated = true;
        return;
    }
    let terms = terms(offer, policy);
    match believe(offer, policy, is_known) {
        Ok(terms) => known.join_claim(Claim { terms, told: fact.told.clone() }),
        Err(reason) => known.join_refused(RefusedClaim {
            reason,
            terms,
            tenant: offer.tenant.as_deref().and_then(TenantId::parse),
            amount: offer.amount_total,
            told: fact.told.clone(),
        }),
    }
}

/// The terms, if every check holds; else the first check that does not.
fn believe(offer: &Offer, policy: &Policy, is_known: impl Fn(TenantId) -> bool) -> Result<Terms, Reason> {
    // First: unlike the other doubts, this one needs a person although nothing says that it was paid.
    if offer.status_unknown {
        return Err(Reason::PaymentStatusUnknown);
    }
    let tenant = TenantId::parse(offer.tenant.as_deref().ok_or(Reason::TenantMissing)?);
    let tenant = tenant.ok_or(Reason::TenantInvalid)?;
    if policy.known_tenants_only && !is_known(tenant) {
        return Err(Reason::TenantUnknown);
    }
    let claimed = offer.credits.as_deref().map(|text| parse_credits(text).ok_or(Reason::CreditsInvalid));
    let claimed = claimed.transpose()?;
    if offer.currency.as_deref().is_some_and(|currency| !is_currency(currency)) {
        return Err(Reason::CurrencyInvalid);
    }
    if let Some(catalogue) = &policy.catalogue {
        agree(offer, claimed, catalogue)?;
    }
    terms(offer, policy).ok_or(Reason::CreditsMissing)
}

/// Credits, currency and price must agree with the catalogue. The price is compared before tax and
/// discounts where Stripe tells us that (`amount_subtotal`); `amount_total` holds tax, so without a subtotal
/// it may be more than the list price, never less.
fn agree(offer: &Offer, claimed: Option<Credits>, catalogue: &Catalogue) -> Result<(), Reason> {
    let name = offer.package.as_deref().ok_or(Reason::PackageUnknown)?;
    let package = catalogue.get(name).ok_or(Reason::PackageUnknown)?;
    if claimed.is_some_and(|credits| credits != package.credits) {
        return Err(Reason::CreditsMismatch);
    }
    if offer.currency.as_deref() != Some(&package.currency) {
        return Err(Reason::CurrencyMismatch);
    }
    let price_agrees = match (offer.amount_subtotal, offer.amount_total) {
        (Some(subtotal), _) => subtotal == package.price,
        (None, Some(total)) => total >= package.price,
        (None, None) => false,
    };
    if price_agrees { Ok(()) } else { Err(Reason::PriceMismatch) }
}

/// The terms as far as they can be read, believed or not: the metadata's credits, else the catalogue's.
fn terms(offer: &Offer, policy: &Policy) -> Option<Terms> {
    let listed = || policy.catalogue.as_ref()?.get(offer.package.as_deref()?).map(|package| package.credits);
    let credits = match &offer.credits {
        Some(text) => parse_credits(text)?,
        None => listed()?,
    };
    Some(Terms {
        tenant: TenantId::parse(offer.tenant.as_deref()?)?,
        credits,
        package: offer.package.clone(),
        currency: offer.currency.clone(),
        amount: offer.amount_total,
    })
}

/// A whole number from 1 to [`CREDITS_PER_PAYMENT_MAX`], written in the plainest way: no sign, no point, no
/// leading zero.
fn parse_credits(text: &str) -> Option<Credits> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let credits: i64 = plain.then(|| text.parse().ok()).flatten()?;
    (credits <= CREDITS_PER_PAYMENT_MAX).then_some(Credits(credits))
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
