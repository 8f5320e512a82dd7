//! The trust table: what a session says, and whether it is accepted. Each row is a session that sells ten
//! credits for 250.00 EUR to a good tenant, with one thing different.

use std::collections::BTreeMap;

use super::{Catalogue, Policy, judge};
use crate::EventRef;
use crate::claim::{Amounts, Claim, ClaimSource, ClaimedTerms, Judgement};
use crate::fact::Fact;
use crate::ids::{EventId, TenantId};
use crate::knowledge::Knowledge;
use crate::money::{Credits, MAX_CREDITS_PER_PAYMENT, Minor, Rounding};
use crate::outcome::Reason;
use crate::policy::{PackageTerms, TermsFrom};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// What the metadata says, and what becomes of it.
type Row = (Option<&'static str>, Result<Option<i64>, Reason>);

fn good() -> ClaimedTerms {
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

/// What `policy` makes of the good session after `change`: credits, the reason against, or nothing.
#[track_caller]
fn check(policy: &Policy, change: impl Fn(&mut ClaimedTerms), expected: Result<Option<i64>, Reason>) {
    let mut terms = good();
    change(&mut terms);
    let event = EventRef { created: 1, id: EventId::from("evt_1") };
    let fact = Fact { event, knowledge: Knowledge::default(), claimed: Some(terms) };
    let mut known = Knowledge::default();
    judge(&mut known, &fact, policy, |tenant| Some(tenant) == TenantId::parse(TENANT));
    let judged = match known.claim().map(|claim| claim.judgement) {
        Some(Judgement::Accepted { credits, .. }) => Ok(Some(credits.0)),
        Some(Judgement::Rejected(reason)) => Err(reason),
        Some(Judgement::Waiting) => panic!("a session's claim waits for nothing"),
        None => Ok(None),
    };
    assert_eq!(judged, expected, "{fact:#?}");
    assert_eq!(known.session_without_terms, expected == Ok(None), "{fact:#?}");
    // Whatever was decided, all that was said is kept.
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
        // Digits, but not ours: Arabic-Indic and full-width.
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
        check(&Policy::default(), |terms| terms.tenant = tenant.map(String::from), *expected);
    }
    assert_eq!(TenantId::parse(TENANT), TenantId::parse("550E8400-E29B-41D4-A716-446655440000"));
}

#[test]
fn without_a_catalogue_the_metadata_is_believed() {
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
fn with_a_catalogue_everything_must_agree_with_it() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    let check = |change: fn(&mut ClaimedTerms), expected| check(&policy, change, expected);
    check(|_| {}, Ok(Some(10)));
    check(|terms| terms.package = None, Err(Reason::PackageUnknown));
    check(|terms| terms.package = Some("99_credits".into()), Err(Reason::PackageUnknown));
    check(|terms| terms.package = Some("10_Credits".into()), Err(Reason::PackageUnknown));
    check(|terms| terms.package = Some(String::new()), Err(Reason::PackageUnknown));
    // The catalogue knows how many credits it is.
    check(|terms| terms.credits = None, Ok(Some(10)));
    check(|terms| terms.credits = Some("11".into()), Err(Reason::CreditsMismatch));
    check(|terms| terms.credits = Some("010".into()), Err(Reason::CreditsInvalid));
    check(|terms| terms.currency = Some("usd".into()), Err(Reason::CurrencyMismatch));
    check(|terms| terms.currency = Some("EUR".into()), Err(Reason::CurrencyInvalid));
    check(|terms| terms.currency = None, Err(Reason::CurrencyInvalid));
    // The price is compared before tax and discounts where Stripe tells us that …
    check(|terms| terms.amount = Some(Minor(30_250)), Ok(Some(10)));
    check(|terms| terms.amount = Some(Minor(0)), Ok(Some(10)));
    check(|terms| terms.amount = None, Ok(Some(10)));
    check(|terms| terms.subtotal = Some(Minor(24_999)), Err(Reason::PriceMismatch));
    check(|terms| terms.subtotal = Some(Minor(25_001)), Err(Reason::PriceMismatch));
    // … else with tax in it, which makes it more, never less.
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
fn where_only_known_tenants_may_buy_a_stranger_is_asked_about() {
    let policy = Policy { known_tenants_only: true, ..Policy::default() };
    let stranger = "650e8400-e29b-41d4-a716-446655440000";
    check(&policy, |_| {}, Ok(Some(10)));
    check(&policy, |terms| terms.tenant = Some(stranger.into()), Err(Reason::TenantUnknown));
    check(&policy, |terms| terms.tenant = Some("acme".into()), Err(Reason::TenantInvalid));
    check(&Policy::default(), |terms| terms.tenant = Some(stranger.into()), Ok(Some(10)));
}

#[test]
fn a_subscription_and_a_figure_that_cannot_be_read_are_never_accepted() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    check(&policy, |terms| terms.recurring = true, Err(Reason::Unlinked));
    check(&policy, |terms| terms.unreadable = true, Err(Reason::Unreadable));
    let bare = |terms: &mut ClaimedTerms| {
        (terms.tenant, terms.package, terms.credits, terms.unreadable) = (None, None, None, true);
    };
    check(&policy, bare, Err(Reason::Unreadable));
}

#[test]
fn a_session_with_none_of_our_metadata_sells_something_else() {
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    let bare = |terms: &mut ClaimedTerms| (terms.tenant, terms.package, terms.credits) = (None, None, None);
    check(&policy, bare, Ok(None));
    // Any one of the three makes it ours.
    check(&policy, |terms| (terms.tenant, terms.credits) = (None, None), Err(Reason::TenantMissing));
    check(&policy, |terms| (terms.tenant, terms.package) = (None, None), Err(Reason::TenantMissing));
    check(&policy, |terms| (terms.package, terms.credits) = (None, None), Err(Reason::PackageUnknown));
}

/// A corrected catalogue and a replay: what was said of the claim before is not true any more.
#[test]
fn an_event_that_is_told_again_is_judged_anew() {
    use crate::{Book, Timestamp, decide};
    let other_price = PackageTerms { credits: Credits(10), price: Minor(9_900), currency: "eur".into() };
    let event = EventRef { created: 1, id: EventId::from("evt_1") };
    let sessions = [crate::ObjectId::from("cs_1")].into();
    let knowledge = Knowledge { sessions, paid: true, ..Knowledge::default() };
    let fact = Fact { event, knowledge, claimed: Some(good()) };
    let catalogues = [
        BTreeMap::from([("10_credits".into(), other_price.clone())]),
        BTreeMap::from([("5_credits".into(), other_price)]),
        catalogue(),
    ];
    let mut book = Book::default();
    let mut reasons = Vec::new();
    for catalogue in catalogues {
        let policy = Policy { catalogue: Some(catalogue), ..Policy::default() };
        let decision = decide(&book, &fact, &policy, crate::Now::trusted(Timestamp(0)));
        book.apply(&decision.changes);
        reasons.push(decision.review_reason);
    }
    assert_eq!(reasons, [Some(Reason::PriceMismatch), Some(Reason::PackageUnknown), None]);
    let claims: Vec<&Claim> = book.payments.values().flat_map(|payment| &payment.knowledge.claims).collect();
    assert!(matches!(claims[..], [claim] if claim.is_accepted()), "{claims:?}");
}

/// A changed setting, and every event told again: nothing that was accepted changes.
#[test]
fn what_was_accepted_keeps_its_credits_and_its_rounding() {
    use crate::knowledge::{RefundFacts, RefundRank};
    use crate::{Book, Timestamp, decide};
    let told = |id: &str| EventRef { created: 1, id: EventId::from(id) };
    let intents: std::collections::BTreeSet<_> = [crate::ObjectId::from("pi_1")].into();
    let paid = Knowledge { payment_intents: intents.clone(), paid: true, ..Knowledge::default() };
    let session = Fact {
        event: told("evt_1"),
        knowledge: paid,
        claimed: Some(ClaimedTerms { credits: None, ..good() }),
    };
    let refund = RefundFacts { amount: Minor(1_250), rank: RefundRank::Succeeded };
    let refunds = [(crate::ObjectId::from("re_1"), refund)].into();
    let knowledge = Knowledge { payment_intents: intents, refunds, ..Knowledge::default() };
    let refund = Fact { event: told("evt_2"), knowledge, claimed: None };
    let policy = |credits, refund_rounding| {
        let ten = PackageTerms { credits: Credits(credits), price: Minor(25_000), currency: "eur".into() };
        let catalogue = Some(BTreeMap::from([("10_credits".into(), ten)]));
        Policy { refund_rounding, catalogue, ..Policy::default() }
    };
    for (first, second) in [(Rounding::Floor, Rounding::Ceil), (Rounding::Ceil, Rounding::Floor)] {
        let mut book = Book::default();
        for fact in [&session, &refund] {
            book.apply(&decide(&book, fact, &policy(10, first), crate::Now::trusted(Timestamp(0))).changes);
        }
        let before = book.tenants.clone();
        assert_eq!(
            before.values().next().unwrap().balance.available.0,
            if first == Rounding::Ceil { 9 } else { 10 }
        );
        for fact in [&session, &refund] {
            let decision = decide(&book, fact, &policy(12, second), crate::Now::trusted(Timestamp(0)));
            assert!(decision.changes.transactions.is_empty(), "{decision:?}");
            book.apply(&decision.changes);
        }
        assert_eq!(book.tenants, before);
    }
}

/// A discounted payment intent is judged by its session's amounts, whichever arrives first and however late.
#[test]
fn amounts_come_from_the_session_where_one_is_known() {
    use crate::decide::overdue;
    use crate::{Book, Timestamp, Wait, decide};
    let intents: std::collections::BTreeSet<_> = [crate::ObjectId::from("pi_1")].into();
    let fact = |id: &str, knowledge, claimed| Fact {
        event: EventRef { created: 1, id: EventId::from(id) },
        knowledge: Knowledge { payment_intents: intents.clone(), ..knowledge },
        claimed,
    };
    let received = [(crate::ObjectId::from("pi_1"), Minor(20_000))].into();
    let terms = ClaimedTerms {
        source: ClaimSource::PaymentIntent,
        amount: Some(Minor(20_000)),
        subtotal: None,
        ..good()
    };
    let intent = fact("evt_1", Knowledge { received, ..Knowledge::default() }, Some(terms));
    let session = Knowledge {
        session_total: Some(Minor(20_000)),
        session_subtotal: Some(Minor(25_000)),
        ..Knowledge::default()
    };
    let session = fact("evt_2", session, Some(ClaimedTerms::none(ClaimSource::Session)));
    let policy = Policy { catalogue: Some(catalogue()), ..Policy::default() };
    for order in [[Some(&session), None, Some(&intent)], [Some(&intent), None, Some(&session)]] {
        let mut book = Book::default();
        for step in order {
            let decision = match step {
                Some(fact) => Some(decide(&book, fact, &policy, crate::Now::trusted(Timestamp(0)))),
                None => overdue(
                    &book,
                    crate::PaymentId(1),
                    Wait::Session,
                    &policy,
                    crate::Now::trusted(Timestamp(0)),
                ),
            };
            decision.iter().for_each(|decision| book.apply(&decision.changes));
        }
        let balances: Vec<i64> = book.tenants.values().map(|tenant| tenant.balance.available.0).collect();
        assert_eq!(balances, [10], "{book:#?}");
    }
}

/// An event of payment intent `pi_1`, with our metadata.
fn intent(created: i64, amount: i64, received: i64) -> Fact {
    let object = crate::ObjectId::from("pi_1");
    Fact {
        event: EventRef { created, id: EventId::from(format!("evt_{created}")) },
        knowledge: Knowledge {
            payment_intents: [object.clone()].into(),
            requested: Some(Minor(amount)),
            received: (received > 0).then_some((object, Minor(received))).into_iter().collect(),
            ..Knowledge::default()
        },
        claimed: Some(ClaimedTerms {
            source: ClaimSource::PaymentIntent,
            amount: Some(Minor(amount)),
            subtotal: None,
            ..good()
        }),
    }
}

/// An event of the session of `pi_1`, without metadata of ours.
fn bare_session(created: i64, total: Option<i64>, subtotal: Option<i64>) -> Fact {
    let amounts = Amounts { total: total.map(Minor), subtotal: subtotal.map(Minor) };
    Fact {
        event: EventRef { created, id: EventId::from(format!("evt_{created}")) },
        knowledge: Knowledge {
            payment_intents: [crate::ObjectId::from("pi_1")].into(),
            session_total: amounts.total,
            session_subtotal: amounts.subtotal,
            paid: true,
            ..Knowledge::default()
        },
        claimed: Some(ClaimedTerms {
            amount: amounts.total,
            subtotal: amounts.subtotal,
            currency: Some("eur".into()),
            ..ClaimedTerms::none(ClaimSource::Session)
        }),
    }
}

/// What the tenant has after these facts, each under its policy.
fn available<'f>(facts: impl IntoIterator<Item = (&'f Fact, Policy)>) -> i64 {
    let mut book = crate::Book::default();
    for (fact, policy) in facts {
        book.apply(&crate::decide(&book, fact, &policy, crate::Now::trusted(crate::Timestamp(0))).changes);
    }
    book.tenants.values().map(|tenant| tenant.balance.available.0).sum()
}

fn priced(price: i64) -> Policy {
    let ten = PackageTerms { credits: Credits(10), price: Minor(price), currency: "eur".into() };
    let catalogue = Some(BTreeMap::from([("10_credits".into(), ten)]));
    Policy { catalogue, terms_from: TermsFrom::PaymentIntent, ..Policy::default() }
}

#[test]
fn the_price_of_the_catalogue_is_due_whatever_a_later_amount_says() {
    let rows = [
        ([intent(1, 25_000, 0), intent(2, 1, 1)], 0),
        // Tax was dropped again: what is due is still the price.
        ([intent(1, 30_000, 0), intent(2, 25_000, 25_000)], 10),
        ([intent(1, 20_000, 0), intent(2, 25_000, 25_000)], 10),
    ];
    for ([a, b], expected) in &rows {
        for order in [[a, b], [b, a]] {
            assert_eq!(available(order.map(|fact| (fact, priced(25_000)))), *expected, "{order:#?}");
        }
    }
}

#[test]
fn a_session_that_tells_its_amounts_in_two_steps_ends_in_one_balance() {
    let paid = intent(1, 20_000, 20_000);
    let sessions = [bare_session(2, None, None), bare_session(3, Some(20_000), Some(25_000))];
    let facts = [&paid, &sessions[0], &sessions[1]];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(available(order.map(|place| (facts[place], priced(25_000)))), 10, "{order:?}");
    }
}

#[test]
fn a_changed_catalogue_does_not_reach_back_when_a_session_is_late() {
    let (paid, session) = (intent(1, 25_000, 25_000), bare_session(2, Some(25_000), Some(25_000)));
    for later in [priced(30_000), Policy { refund_rounding: Rounding::Ceil, ..priced(25_000) }] {
        assert_eq!(available([(&paid, priced(25_000)), (&session, later)]), 10);
    }
    // What the session says may still contradict the price at which the claim was accepted.
    let more = bare_session(2, Some(30_000), Some(30_000));
    assert_eq!(available([(&paid, priced(25_000)), (&more, priced(30_000))]), 0);
    assert_eq!(available([(&more, priced(25_000)), (&paid, priced(25_000))]), 0);
}

/// A deployment that stops expecting sessions judges what still waits for one.
#[test]
fn a_claim_that_waited_is_judged_when_sessions_are_not_expected_any_more() {
    let mut book = crate::Book::default();
    let now = crate::Now::trusted(crate::Timestamp(0));
    let waits = Policy { terms_from: TermsFrom::Session, ..priced(25_000) };
    let decision = crate::decide(&book, &intent(1, 25_000, 25_000), &waits, now);
    assert_eq!(decision.waits_for, Some(crate::Wait::Session));
    book.apply(&decision.changes);
    let id = *book.payments.keys().next().unwrap();
    let decision = crate::overdue(&book, id, crate::Wait::Session, &priced(25_000), now).unwrap();
    book.apply(&decision.changes);
    assert_eq!(book.tenants.values().next().unwrap().balance.available, Credits(10));
}
