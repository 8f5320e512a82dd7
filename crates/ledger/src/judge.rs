//! Accepts or rejects claimed terms. An event's signature covers the metadata, but anyone with an API key or
//! a payment link may have written it, so it is checked before it grants credits (design section 3, Trust and
//! Terms). A rejected claim is kept with its reason, for a person to decide.

use crate::claim::{self, Amounts, Claim, ClaimSource, ClaimedTerms, Judgement, is_currency};
use crate::fact::Fact;
use crate::ids::TenantId;
use crate::knowledge::Knowledge;
use crate::money::{Credits, Minor};
use crate::outcome::Reason;
use crate::policy::{Catalogue, PackageTerms, Policy, TermsFrom};

/// Adds the claim of `fact` to `known`, which already contains the rest of the fact, and judges every claim
/// that can be judged now. `is_known` says whether a tenant has bought before or was given an API key.
pub fn judge(known: &mut Knowledge, fact: &Fact, policy: &Policy, is_known: impl Fn(TenantId) -> bool) {
    if let Some(terms) = &fact.claimed {
        let from_session = terms.source == ClaimSource::Session;
        if !terms.is_empty() {
            let same = known.claims.iter_mut().find(|claim| claim.terms.same_claim(terms));
            // An accepted claim is not judged again, because a changed setting must not affect it.
            let accepted = same.as_ref().is_some_and(|claim| claim.is_accepted());
            let judgement = match from_session && !accepted {
                true => judge_terms(terms, terms.amounts(), policy, &is_known),
                false => Judgement::Waiting,
            };
            if let Some(same) = same.filter(|same| from_session && !accepted && same.stated_by(&fact.event)) {
                // A replay, perhaps after a correction of the catalogue: the new judgement replaces the old
                // one.
                same.judgement = Judgement::Waiting;
            }
            known.join_claim(Claim {
                terms: terms.clone(),
                first: fact.event.clone(),
                latest: fact.event.clone(),
                session: None,
                judgement,
            });
        } else if from_session {
            known.session_without_terms = true;
        }
    }
    judge_waiting(known, fact.claimed.as_ref(), policy, is_known);
}

/// Judges the claims of objects other than sessions, as soon as no session can outrank them. A rejected claim
/// is judged again if an event repeats it (`repeated`), because the catalogue may have been corrected.
pub(crate) fn judge_waiting(
    known: &mut Knowledge,
    repeated: Option<&ClaimedTerms>,
    policy: &Policy,
    is_known: impl Fn(TenantId) -> bool,
) {
    let outranked = known.claim().is_some_and(|claim| claim.terms.source == ClaimSource::Session);
    if outranked || waits_for_session(known, policy) {
        return;
    }
    let session = known
        .session_without_terms
        .then_some(Amounts { total: known.session_total, subtotal: known.session_subtotal });
    for claim in &mut known.claims {
        let has_new_amounts = session > claim.session;
        // The session's amounts take precedence: a payment intent has no subtotal, so a discount does not
        // show.
        let own = Amounts { total: claim.terms.amount, subtotal: None };
        let amounts = session.map_or(own, |of| Amounts { total: of.total.or(own.total), ..of });
        match claim.judgement {
            Judgement::Accepted { price, .. } => {
                if has_new_amounts && price.is_some_and(|price| !price_agrees(price, amounts)) {
                    claim.judgement = Judgement::Rejected(Reason::PriceMismatch);
                }
            }
            Judgement::Rejected(_)
                if !has_new_amounts && !repeated.is_some_and(|terms| terms.same_claim(&claim.terms)) => {}
            Judgement::Rejected(_) | Judgement::Waiting => {
                claim.judgement = judge_terms(&claim.terms, amounts, policy, &is_known);
            }
        }
        claim.session = session.max(claim.session);
    }
    claim::sort(&mut known.claims);
}

/// Whether a claim of an object other than a session must wait, because a session may still arrive.
pub(crate) fn waits_for_session(known: &Knowledge, policy: &Policy) -> bool {
    policy.terms_from == TermsFrom::Session && is_unjudged(known)
}

/// Whether a claim has not been judged yet because a session could still arrive.
pub(crate) fn is_unjudged(known: &Knowledge) -> bool {
    !known.session_overdue
        && !known.session_known()
        && known.claims.iter().any(|claim| claim.judgement == Judgement::Waiting)
}

/// Accepts the terms if every check passes, else rejects them with the reason of the first check that fails.
fn judge_terms(
    terms: &ClaimedTerms,
    amounts: Amounts,
    policy: &Policy,
    is_known: impl Fn(TenantId) -> bool,
) -> Judgement {
    check(terms, amounts, policy, is_known).unwrap_or_else(Judgement::Rejected)
}

fn check(
    terms: &ClaimedTerms,
    amounts: Amounts,
    policy: &Policy,
    is_known: impl Fn(TenantId) -> bool,
) -> Result<Judgement, Reason> {
    if terms.recurring {
        return Err(Reason::Unlinked);
    }
    if terms.unreadable {
        return Err(Reason::Unreadable);
    }
    let tenant = TenantId::parse(terms.tenant.as_deref().ok_or(Reason::TenantMissing)?);
    let tenant = tenant.ok_or(Reason::TenantInvalid)?;
    if policy.known_tenants_only && !is_known(tenant) {
        return Err(Reason::TenantUnknown);
    }
    let claimed = terms.credits.is_some().then(|| terms.parsed_credits().ok_or(Reason::CreditsInvalid));
    let claimed = claimed.transpose()?;
    // Reports of money need a currency.
    let free = amounts.total == Some(Minor::ZERO);
    if !terms.currency.as_deref().map_or(free, is_currency) {
        return Err(Reason::CurrencyInvalid);
    }
    let listed =
        policy.catalogue.as_ref().map(|catalogue| listed_package(terms, claimed, amounts, catalogue));
    let listed = listed.transpose()?;
    Ok(Judgement::Accepted {
        tenant,
        credits: claimed.or(listed.map(|package| package.credits)).ok_or(Reason::CreditsMissing)?,
        rounding: policy.refund_rounding,
        price: listed.map(|package| package.price),
    })
}

/// The package in the catalogue, if its credits, currency and price agree with the terms.
fn listed_package<'c>(
    terms: &ClaimedTerms,
    claimed: Option<Credits>,
    amounts: Amounts,
    catalogue: &'c Catalogue,
) -> Result<&'c PackageTerms, Reason> {
    let name = terms.package.as_deref().ok_or(Reason::PackageUnknown)?;
    let package = catalogue.get(name).ok_or(Reason::PackageUnknown)?;
    if claimed.is_some_and(|credits| credits != package.credits) {
        return Err(Reason::CreditsMismatch);
    }
    if terms.currency.as_deref() != Some(&package.currency) {
        return Err(Reason::CurrencyMismatch);
    }
    if price_agrees(package.price, amounts) { Ok(package) } else { Err(Reason::PriceMismatch) }
}

/// Compares the price before tax and discounts if Stripe reports it (`amount_subtotal`). `amount_total`
/// includes tax, so without a subtotal it may be more than the list price, but not less.
fn price_agrees(price: Minor, amounts: Amounts) -> bool {
    match (amounts.subtotal, amounts.total) {
        (Some(subtotal), _) => subtotal == price,
        (None, Some(total)) => total >= price,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests;
