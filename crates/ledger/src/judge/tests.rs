//! Which claims are accepted, and why others are rejected. Each row is a valid session that sells ten credits
//! for 250.00 EUR, with one difference.

use std::collections::BTreeMap;

use super::{Catalogue, Policy, judge};
use crate::claim::{ClaimSource, ClaimedTerms, Judgement};
use crate::fact::Fact;
use crate::ids::{EventId, EventRef, TenantId};
use crate::knowledge::Knowledge;
use crate::money::{Credits, MAX_CREDITS_PER_PAYMENT, Minor};
use crate::outcome::Reason;
use crate::policy::PackageTerms;

mod sequences;

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// A metadata value and the expected result.
type Row = (Option<&'static str>, Result<Option<i64>, Reason>);

fn valid_terms() -> ClaimedTerms {
    ClaimedTerms {
        tenant: Some(TENANT.into()),
        package: Some("10_credits".into()),
        credits: Some("10".into()),
        currency: Some("eur".into()),
        amount: Some(Minor(25_000)),
        subtotal: Some(Minor(25_000)),
        ..ClaimedTerms::none(ClaimSource::Session)
    }
}

fn catalogue() -> Catalogue {
    let ten = PackageTerms { credits: Credits(10), price: Minor(25_000), currency: "eur".into() };
    BTreeMap::from([("10_credits".into(), ten)])
}

/// Judges the valid terms after `change`. The result is the accepted credits, the reason for the rejection,
/// or nothing if there is no claim.
#[track_caller]
fn check(policy: &Policy, change: impl Fn(&mut ClaimedTerms), expected: Result<Option<i64>, Reason>) {
    let mut terms = valid_terms();
    change(&mut terms);
    let event = EventRef { created: 1, id: EventId::from("evt_1") };
    let fact = Fact { event, knowledge: Knowledge::default(), claimed: Some(terms) };
    let mut known = Knowledge::default();
    judge(&mut known, &fact, policy, |tenant| Some(tenant) == TenantId::parse(TENANT));
    let judged = match known.claim().map(|claim| claim.judgement) {
        Some(Judgement::Accepted { credits, .. }) => Ok(Some(credits.0)),
        Some(Judgement::Rejected(reason)) => Err(reason),
        Some(Judgement::Waiting) => panic!("a session's claim does not wait"),
        None => Ok(None),
    };
    assert_eq!(judged, expected, "{fact:#?}");
    assert_eq!(known.session_without_terms, expected == Ok(None), "{fact:#?}");
    // The terms are kept whatever the judgement.
    assert_eq!(known.claim().map(|claim| &claim.terms), fact.claimed.as_ref().filter(|t| !t.is_empty()));
}

#[test]
fn credits_are_a_plain_whole_number_from_one_to_a_billion() {
    use Reason::{CreditsInvalid, CreditsMissing};
    let rows: &[Row] = &[
        (Some("10"), Ok(Some(10))),
        (Some("1"), Ok(Some(1))),
        (Some("1000000000"), Ok(Some(MAX_CREDITS_PER_PAYMENT))),
        (Some("1000000001"), Err(CreditsInvalid)),
        (Some("9999999999999999999"), Err(CreditsInvalid)),
        (Some("99999999999999999999999999999999999999999"), Err(CreditsInvalid)),
        (Some("0"), Err(CreditsInvalid)),
        (Some("-3"), Err(CreditsInvalid)),
        (Some("+5"), Err(CreditsInvalid)),
        (Some("010"), Err(CreditsInvalid)),
        (Some("00"), Err(CreditsInvalid)),
        (Some("10.5"), Err(CreditsInvalid)),
        (Some("10.0"), Err(CreditsInvalid)),
        (Some("1e3"), Err(CreditsInvalid)),
        (Some("1_000"), Err(CreditsInvalid)),
        (Some("1,000"), Err(CreditsInvalid)),
        (Some("0x10"), Err(CreditsInvalid)),
        (Some(" 10"), Err(CreditsInvalid)),
        (Some("10 "), Err(CreditsInvalid)),
        (Some("10\n"), Err(CreditsInvalid)),
        (Some(""), Err(CreditsInvalid)),
        (Some("ten"), Err(CreditsInvalid)),
        // Arabic-Indic and full-width digits.
        (Some("١٠"), Err(CreditsInvalid)),
        (Some("１０"), Err(CreditsInvalid)),
        (None, Err(CreditsMissing)),
    ];
    for (credits, expected) in rows {
        check(&Policy::default(), |terms| terms.credits = credits.map(String::from), *expected);
    }
}

#[test]
fn a_tenant_is_a_hyphenated_uuid() {
    use Reason::{TenantInvalid, TenantMissing};
    let rows: &[Row] = &[
        (Some(TENANT), Ok(Some(10))),
        // The same tenant in upper case.
        (Some("550E8400-E29B-41D4-A716-446655440000"), Ok(Some(10))),
        (Some("550e8400e29b41d4a716446655440000"), Err(TenantInvalid)),
        (Some("{550e8400-e29b-41d4-a716-446655440000}"), Err(TenantInvalid)),
        (Some("urn:uuid:550e8400-e29b-41d4-a716-446655440000"), Err(TenantInvalid)),
        (Some("550e8400-e29b-41d4-a716-44665544000"), Err(TenantInvalid)),
        (Some("550e8400-e29b-41d4-a716-44665544000g"), Err(TenantInvalid)),
        (Some("550e8400e-29b-41d4-a716-446655440000"), Err(TenantInvalid)),
        (Some("550e8400-e29b-41d4-a716-446655440000 "), Err(TenantInvalid)),
        (Some(" 50e8400-e29b-41d4-a716-446655440000"), Err(TenantInvalid)),
        (Some("acme"), Err(TenantInvalid)),
        (Some(""), Err(TenantInvalid)),
        (None, Err(TenantMissing)),
    ];
    for (tenant, expected) in rows {
        check(&Policy::default(), |terms| terms.tenant = tenant.map(String::from), *expected);
    }
    assert_eq!(TenantId::parse(TENANT), TenantId::parse("550E8400-E29B-41D4-A716-446655440000"));
}

#[test]
fn without_a_catalogue_the_metadata_is_trusted() {
    let policy = Policy::default();
    check(&policy, |terms| terms.package = None, Ok(Some(10)));
    check(&policy, |terms| terms.package = Some("99_credits".into()), Ok(Some(10)));
    check(&policy, |terms| terms.amount = Some(Minor(1)), Ok(Some(10)));
    check(&policy, |terms| terms.amount = None, Ok(Some(10)));
    check(&policy, |terms| terms.subtotal = None, Ok(Some(10)));
    check(&policy, |terms| terms.currency = Some("jpy".into()), Ok(Some(10)));
    check(&policy, |terms| terms.currency = None, Err(Reason::CurrencyInvalid));
    check(&policy, |terms| (terms.currency, terms.amount) = (None, Some(Minor(0))), Ok(Some(10)));
    for currency in ["", "eu", "euro", "EUR", "e1r", "€"] {
        let change = |terms: &mut ClaimedTerms| terms.currency = Some(currency.into());
        check(&policy, change, Err(Reason::CurrencyInvalid));
    }
}

#[test]
fn with_a_catalogue_all_terms_must_agree_with_it() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    let check = |change: fn(&mut ClaimedTerms), expected| check(&policy, change, expected);
    check(|_| {}, Ok(Some(10)));
    check(|terms| terms.package = None, Err(Reason::PackageUnknown));
    check(|terms| terms.package = Some("99_credits".into()), Err(Reason::PackageUnknown));
    check(|terms| terms.package = Some("10_Credits".into()), Err(Reason::PackageUnknown));
    check(|terms| terms.package = Some(String::new()), Err(Reason::PackageUnknown));
    // The catalogue has the number of credits.
    check(|terms| terms.credits = None, Ok(Some(10)));
    check(|terms| terms.credits = Some("11".into()), Err(Reason::CreditsMismatch));
    check(|terms| terms.credits = Some("010".into()), Err(Reason::CreditsInvalid));
    check(|terms| terms.currency = Some("usd".into()), Err(Reason::CurrencyMismatch));
    check(|terms| terms.currency = Some("EUR".into()), Err(Reason::CurrencyInvalid));
    check(|terms| terms.currency = None, Err(Reason::CurrencyInvalid));
    // The price is compared before tax and discounts if there is a subtotal …
    check(|terms| terms.amount = Some(Minor(30_250)), Ok(Some(10)));
    check(|terms| terms.amount = Some(Minor(0)), Ok(Some(10)));
    check(|terms| terms.amount = None, Ok(Some(10)));
    check(|terms| terms.subtotal = Some(Minor(24_999)), Err(Reason::PriceMismatch));
    check(|terms| terms.subtotal = Some(Minor(25_001)), Err(Reason::PriceMismatch));
    // … else with tax, which can make it more, but not less.
    let without_subtotal = |total: Option<i64>, expected| {
        let total = total.map(Minor);
        self::check(&policy, |terms| (terms.subtotal, terms.amount) = (None, total), expected);
    };
    without_subtotal(Some(25_000), Ok(Some(10)));
    without_subtotal(Some(30_250), Ok(Some(10)));
    without_subtotal(Some(24_999), Err(Reason::PriceMismatch));
    without_subtotal(Some(-25_000), Err(Reason::PriceMismatch));
    without_subtotal(None, Err(Reason::PriceMismatch));
}

#[test]
fn unknown_tenants_are_rejected_if_only_known_ones_may_buy() {
    let policy = Policy { known_tenants_only: true, ..Policy::default() };
    let stranger = "650e8400-e29b-41d4-a716-446655440000";
    check(&policy, |_| {}, Ok(Some(10)));
    check(&policy, |terms| terms.tenant = Some(stranger.into()), Err(Reason::TenantUnknown));
    check(&policy, |terms| terms.tenant = Some("acme".into()), Err(Reason::TenantInvalid));
    check(&Policy::default(), |terms| terms.tenant = Some(stranger.into()), Ok(Some(10)));
}

#[test]
fn subscriptions_and_unreadable_figures_are_never_accepted() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    check(&policy, |terms| terms.recurring = true, Err(Reason::Unlinked));
    check(&policy, |terms| terms.unreadable = true, Err(Reason::Unreadable));
    let bare = |terms: &mut ClaimedTerms| {
        (terms.tenant, terms.package, terms.credits, terms.unreadable) = (None, None, None, true);
    };
    check(&policy, bare, Err(Reason::Unreadable));
}

#[test]
fn a_session_without_our_metadata_claims_nothing() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    let bare = |terms: &mut ClaimedTerms| (terms.tenant, terms.package, terms.credits) = (None, None, None);
    check(&policy, bare, Ok(None));
    // Any one of the three values is a claim.
    check(&policy, |terms| (terms.tenant, terms.credits) = (None, None), Err(Reason::TenantMissing));
    check(&policy, |terms| (terms.tenant, terms.package) = (None, None), Err(Reason::TenantMissing));
    check(&policy, |terms| (terms.package, terms.credits) = (None, None), Err(Reason::PackageUnknown));
}
