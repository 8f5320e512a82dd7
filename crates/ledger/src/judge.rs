//! May claimed terms be accepted? Metadata is signed inside the event, but it was written by whoever holds
//! an API key or owns a payment link, so it is checked before it turns into credits (design section 3, Trust
//! and Terms). A rejected claim is kept with its reason, for a person to decide.
//! Not here: which metadata keys to read (`engine::read`); what accepted terms are worth (`entitlement`).

use crate::claim::{self, Claim, ClaimedTerms, Judgement, Source};
use crate::fact::Fact;
use crate::ids::TenantId;
use crate::knowledge::Knowledge;
use crate::money::{Credits, Minor, Rounding};
use crate::outcome::Reason;
use crate::policy::{Catalogue, Policy, TermsFrom};

/// Adds the claim of `fact` to `known`, which already holds the rest of the fact, and judges every claim
/// that can be judged by now.
pub fn judge(known: &mut Knowledge, fact: &Fact, policy: &Policy, is_known: impl Fn(TenantId) -> bool) {
    if let Some(terms) = &fact.claimed {
        let from_session = terms.source == Source::Session;
        if !terms.is_empty() {
            let same = known.claims.iter_mut().find(|claim| claim.terms.same_claim(terms));
            // An accepted claim is not judged again: a changed setting never reaches back.
            let accepted = same.as_ref().is_some_and(|claim| claim.is_accepted());
            let judgement = match from_session && !accepted {
                true => accept(terms, (terms.amount, terms.subtotal), policy, &is_known).into(),
                false => Judgement::Waiting,
            };
            if let Some(same) = same.filter(|same| from_session && !accepted && same.told_by(&fact.told)) {
                // Replayed after a correction: what was said of the claim before is no longer true.
                same.judgement = Judgement::Waiting;
            }
            known.join_claim(Claim {
                terms: terms.clone(),
                told: fact.told.clone(),
                latest: fact.told.clone(),
                with_session: from_session,
                judgement,
            });
        } else if from_session {
            known.session_without_terms = true;
        }
    }
    judge_waiting(known, fact.claimed.as_ref(), policy, is_known);
}

/// Judges the claims of other objects than sessions as soon as no session can outrank them. One that was
/// rejected is judged again where `told_again` repeats it, because the catalogue may have been corrected.
pub(crate) fn judge_waiting(
    known: &mut Knowledge,
    told_again: Option<&ClaimedTerms>,
    policy: &Policy,
    is_known: impl Fn(TenantId) -> bool,
) {
    let outranked = known.claim().is_some_and(|claim| claim.terms.source == Source::Session);
    if outranked || waits_for_session(known, policy) {
        return;
    }
    let session = known.session_without_terms.then_some((known.session_total, known.session_subtotal));
    for claim in &mut known.claims {
        let again = match claim.judgement {
            Judgement::Waiting => true,
            Judgement::Rejected(_) => told_again.is_some_and(|terms| terms.same_claim(&claim.terms)),
            Judgement::Accepted { .. } => false,
        };
        if again || (session.is_some() && !claim.with_session) {
            // The session's amounts are better: a discounted payment intent has no subtotal.
            let amounts = session.unwrap_or((claim.terms.amount, None));
            claim.with_session = session.is_some();
            claim.judgement = accept(&claim.terms, amounts, policy, &is_known).into();
        }
    }
    claim::sort(&mut known.claims);
}

/// Whether a claim of another object than a session must wait, because a session may yet arrive.
pub(crate) fn waits_for_session(known: &Knowledge, policy: &Policy) -> bool {
    let expected = policy.terms_from == TermsFrom::Session && !known.session_overdue;
    expected
        && !known.session_known()
        && known.claims.iter().any(|claim| claim.judgement == Judgement::Waiting)
}

/// What is due in all, and before discounts and tax. Minor units.
type Amounts = (Option<Minor>, Option<Minor>);

/// Who gets how many credits, if every check holds; else the first check that does not.
fn accept(
    terms: &ClaimedTerms,
    amounts: Amounts,
    policy: &Policy,
    is_known: impl Fn(TenantId) -> bool,
) -> Result<(TenantId, Credits, Rounding), Reason> {
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
    if terms.currency.as_deref().is_some_and(|currency| !is_currency(currency)) {
        return Err(Reason::CurrencyInvalid);
    }
    let listed = policy.catalogue.as_ref().map(|catalogue| agree(terms, claimed, amounts, catalogue));
    let credits = claimed.or(listed.transpose()?);
    Ok((tenant, credits.ok_or(Reason::CreditsMissing)?, policy.refund_rounding))
}

/// Credits, currency and price must agree with the catalogue. The price is compared before tax and
/// discounts where Stripe tells us that (`amount_subtotal`); `amount_total` holds tax, so without a subtotal
/// it may be more than the list price, never less. Answers the credits of the package.
fn agree(
    terms: &ClaimedTerms,
    claimed: Option<Credits>,
    (total, subtotal): Amounts,
    catalogue: &Catalogue,
) -> Result<Credits, Reason> {
    let name = terms.package.as_deref().ok_or(Reason::PackageUnknown)?;
    let package = catalogue.get(name).ok_or(Reason::PackageUnknown)?;
    if claimed.is_some_and(|credits| credits != package.credits) {
        return Err(Reason::CreditsMismatch);
    }
    if terms.currency.as_deref() != Some(&package.currency) {
        return Err(Reason::CurrencyMismatch);
    }
    let price_agrees = match (subtotal, total) {
        (Some(subtotal), _) => subtotal == package.price,
        (None, Some(total)) => total >= package.price,
        (None, None) => false,
    };
    if price_agrees { Ok(package.credits) } else { Err(Reason::PriceMismatch) }
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
