//! The trust table: what a session says, and whether it is believed. Each row is a session that sells ten
//! credits for 250.00 EUR to a good tenant, with one thing different.

use std::collections::BTreeMap;

use super::{Catalogue, Package, Policy, judge};
use crate::Told;
use crate::fact::{Fact, Offer};
use crate::ids::{EventId, TenantId};
use crate::knowledge::Knowledge;
use crate::money::{CREDITS_PER_PAYMENT_MAX, Credits, Minor};
use crate::outcome::Reason;

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// What the metadata says, and what becomes of it.
type Row = (Option<&'static str>, Result<Option<i64>, Reason>);

fn good() -> Offer {
    Offer {
        tenant: Some(TENANT.into()),
        package: Some("10_credits".into()),
        credits: Some("10".into()),
        currency: Some("eur".into()),
        amount_total: Some(Minor(25_000)),
        amount_subtotal: Some(Minor(25_000)),
        status_unknown: false,
    }
}

fn catalogue() -> Catalogue {
    let ten = Package { credits: Credits(10), price: Minor(25_000), currency: "eur".into() };
    BTreeMap::from([("10_credits".into(), ten)])
}

/// What `policy` makes of the good session after `change`: credits, the reason against, or nothing.
#[track_caller]
fn check(policy: &Policy, change: impl Fn(&mut Offer), expected: Result<Option<i64>, Reason>) {
    let mut offer = good();
    change(&mut offer);
    let told = Told { created: 1, event: EventId::from("evt_1") };
    let fact = Fact { told, knowledge: Knowledge::default(), offer: Some(offer) };
    let mut known = Knowledge::default();
    judge(&mut known, &fact, policy, |tenant| Some(tenant) == TenantId::parse(TENANT));
    let credits = known.claim().map(|claim| claim.terms.credits.0);
    let judged = known.refused.first().map_or(Ok(credits), |refused| Err(refused.reason));
    assert_eq!(judged, expected, "{fact:#?}");
    assert_eq!(known.unrelated, expected == Ok(None), "{fact:#?}");
    assert_eq!(known.claims.len() + known.refused.len(), usize::from(expected != Ok(None)));
    if let Some(refused) = known.refused.first() {
        assert_eq!(refused.amount, fact.offer.as_ref().and_then(|offer| offer.amount_total));
    }
}

#[test]
fn credits_are_a_plain_whole_number_from_one_to_a_billion() {
    use Reason::{CreditsInvalid, CreditsMissing};
    let rows: &[Row] = &[
        (Some("10"), Ok(Some(10))),
        (Some("1"), Ok(Some(1))),
        (Some("1000000000"), Ok(Some(CREDITS_PER_PAYMENT_MAX))),
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
        // Digits, but not ours: Arabic-Indic and full-width.
        (Some("١٠"), Err(CreditsInvalid)),
        (Some("１０"), Err(CreditsInvalid)),
        (None, Err(CreditsMissing)),
    ];
    for (credits, expected) in rows {
        check(&Policy::default(), |offer| offer.credits = credits.map(String::from), *expected);
    }
}

#[test]
fn a_tenant_is_a_hyphenated_uuid() {
    use Reason::{TenantInvalid, TenantMissing};
    let rows: &[Row] = &[
        (Some(TENANT), Ok(Some(10))),
        // The same tenant: hexadecimal digits have two cases.
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
        check(&Policy::default(), |offer| offer.tenant = tenant.map(String::from), *expected);
    }
    assert_eq!(TenantId::parse(TENANT), TenantId::parse("550E8400-E29B-41D4-A716-446655440000"));
}

#[test]
fn without_a_catalogue_the_metadata_is_believed() {
    let policy = Policy::default();
    check(&policy, |offer| offer.package = None, Ok(Some(10)));
    check(&policy, |offer| offer.package = Some("99_credits".into()), Ok(Some(10)));
    check(&policy, |offer| offer.amount_total = Some(Minor(1)), Ok(Some(10)));
    check(&policy, |offer| offer.amount_total = None, Ok(Some(10)));
    check(&policy, |offer| offer.amount_subtotal = None, Ok(Some(10)));
    check(&policy, |offer| offer.currency = Some("jpy".into()), Ok(Some(10)));
    check(&policy, |offer| offer.currency = None, Ok(Some(10)));
    for currency in ["", "eu", "euro", "EUR", "e1r", "€"] {
        let change = |offer: &mut Offer| offer.currency = Some(currency.into());
        check(&policy, change, Err(Reason::CurrencyInvalid));
    }
}

#[test]
fn with_a_catalogue_everything_must_agree_with_it() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    let check = |change: fn(&mut Offer), expected| check(&policy, change, expected);
    check(|_| {}, Ok(Some(10)));
    check(|offer| offer.package = None, Err(Reason::PackageUnknown));
    check(|offer| offer.package = Some("99_credits".into()), Err(Reason::PackageUnknown));
    check(|offer| offer.package = Some("10_Credits".into()), Err(Reason::PackageUnknown));
    check(|offer| offer.package = Some(String::new()), Err(Reason::PackageUnknown));
    // The catalogue knows how many credits it is.
    check(|offer| offer.credits = None, Ok(Some(10)));
    check(|offer| offer.credits = Some("11".into()), Err(Reason::CreditsMismatch));
    check(|offer| offer.credits = Some("010".into()), Err(Reason::CreditsInvalid));
    check(|offer| offer.currency = Some("usd".into()), Err(Reason::CurrencyMismatch));
    check(|offer| offer.currency = Some("EUR".into()), Err(Reason::CurrencyInvalid));
    check(|offer| offer.currency = None, Err(Reason::CurrencyMismatch));
    // The price is compared before tax and discounts where Stripe tells us that …
    check(|offer| offer.amount_total = Some(Minor(30_250)), Ok(Some(10)));
    check(|offer| offer.amount_total = Some(Minor(0)), Ok(Some(10)));
    check(|offer| offer.amount_total = None, Ok(Some(10)));
    check(|offer| offer.amount_subtotal = Some(Minor(24_999)), Err(Reason::PriceMismatch));
    check(|offer| offer.amount_subtotal = Some(Minor(25_001)), Err(Reason::PriceMismatch));
    // … else with tax in it, which makes it more, never less.
    let without_subtotal = |total: Option<i64>, expected| {
        let total = total.map(Minor);
        self::check(&policy, |offer| (offer.amount_subtotal, offer.amount_total) = (None, total), expected);
    };
    without_subtotal(Some(25_000), Ok(Some(10)));
    without_subtotal(Some(30_250), Ok(Some(10)));
    without_subtotal(Some(24_999), Err(Reason::PriceMismatch));
    without_subtotal(Some(-25_000), Err(Reason::PriceMismatch));
    without_subtotal(None, Err(Reason::PriceMismatch));
}

#[test]
fn where_only_known_tenants_may_buy_a_stranger_is_asked_about() {
    let policy = Policy { known_tenants_only: true, ..Policy::default() };
    let stranger = "650e8400-e29b-41d4-a716-446655440000";
    check(&policy, |_| {}, Ok(Some(10)));
    check(&policy, |offer| offer.tenant = Some(stranger.into()), Err(Reason::TenantUnknown));
    check(&policy, |offer| offer.tenant = Some("acme".into()), Err(Reason::TenantInvalid));
    check(&Policy::default(), |offer| offer.tenant = Some(stranger.into()), Ok(Some(10)));
}

#[test]
fn a_payment_status_that_we_do_not_know_comes_before_every_other_doubt() {
    let unknown = Err(Reason::PaymentStatusUnknown);
    check(&Policy::default(), |offer| offer.status_unknown = true, unknown);
    let worse = |offer: &mut Offer| (offer.status_unknown, offer.tenant) = (true, None);
    check(&Policy::default(), worse, unknown);
}

#[test]
fn a_session_with_none_of_our_metadata_sells_something_else() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    let bare = |offer: &mut Offer| (offer.tenant, offer.package, offer.credits) = (None, None, None);
    check(&policy, bare, Ok(None));
    // Any one of the three makes it ours.
    check(&policy, |offer| (offer.tenant, offer.credits) = (None, None), Err(Reason::TenantMissing));
    check(&policy, |offer| (offer.tenant, offer.package) = (None, None), Err(Reason::TenantMissing));
    check(&policy, |offer| (offer.package, offer.credits) = (None, None), Err(Reason::PackageUnknown));
}

/// A corrected catalogue and a replay: what was said of the claim before is not true any more.
#[test]
fn an_event_that_is_told_again_is_judged_anew() {
    use crate::{Book, Timestamp, decide};
    let other_price = Package { credits: Credits(10), price: Minor(9_900), currency: "eur".into() };
    let told = Told { created: 1, event: EventId::from("evt_1") };
    let sessions = [crate::ObjectId::from("cs_1")].into();
    let knowledge = Knowledge { sessions, paid: true, ..Knowledge::default() };
    let fact = Fact { told, knowledge, offer: Some(good()) };
    let catalogues = [
        BTreeMap::from([("5_credits".into(), other_price.clone())]),
        BTreeMap::from([("10_credits".into(), other_price)]),
        catalogue(),
    ];
    let mut book = Book::default();
    let mut questions = Vec::new();
    for catalogue in catalogues {
        let policy = Policy { catalogue: Some(catalogue), ..Policy::default() };
        let decision = decide(&book, &fact, &policy, Timestamp(0));
        book.apply(&decision.changes);
        questions.push(decision.question);
    }
    assert_eq!(questions, [Some(Reason::PackageUnknown), Some(Reason::PriceMismatch), None]);
    assert!(book.payments.values().all(|payment| payment.knowledge.refused.is_empty()));
}
