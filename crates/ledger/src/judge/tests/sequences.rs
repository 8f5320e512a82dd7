//! How judgements of one payment's claims change, or do not, as several events arrive.

use std::collections::{BTreeMap, BTreeSet};

use super::{catalogue, valid_terms};
use crate::claim::{Amounts, Claim, ClaimSource, ClaimedTerms};
use crate::knowledge::{Knowledge, RefundFacts, RefundRank};
use crate::money::{Credits, Minor, Rounding};
use crate::outcome::Reason;
use crate::policy::{PackageTerms, Policy, TermsFrom};
use crate::{Book, EventId, EventRef, Fact, Now, ObjectId, PaymentId, Timestamp, Wait, decide, overdue};

/// An event is replayed after a correction of the catalogue: the new judgement replaces the old one.
#[test]
fn a_replayed_session_event_is_judged_again() {
    let other_price = PackageTerms { credits: Credits(10), price: Minor(9_900), currency: "eur".into() };
    let event = EventRef { created: 1, id: EventId::from("evt_1") };
    let sessions = [ObjectId::from("cs_1")].into();
    let knowledge = Knowledge { sessions, paid: true, ..Knowledge::default() };
    let fact = Fact { event, knowledge, claimed: Some(valid_terms()) };
    let catalogues = [
        BTreeMap::from([("10_credits".into(), other_price.clone())]),
        BTreeMap::from([("5_credits".into(), other_price)]),
        catalogue(),
    ];
    let mut book = Book::default();
    let mut reasons = Vec::new();
    for catalogue in catalogues {
        let policy = Policy { catalogue: Some(catalogue), ..Policy::default() };
        let decision = decide(&book, &fact, &policy, Now::trusted(Timestamp(0)));
        book.apply(&decision.changes);
        reasons.push(decision.review_reason);
    }
    assert_eq!(reasons, [Some(Reason::PriceMismatch), Some(Reason::PackageUnknown), None]);
    let claims: Vec<&Claim> = book.payments.values().flat_map(|payment| &payment.knowledge.claims).collect();
    assert!(matches!(claims[..], [claim] if claim.is_accepted()), "{claims:?}");
}

/// Replaying every event after a change of the settings changes nothing.
#[test]
fn accepted_claims_keep_their_credits_and_rounding() {
    let event_ref = |id: &str| EventRef { created: 1, id: EventId::from(id) };
    let intents: BTreeSet<_> = [ObjectId::from("pi_1")].into();
    let paid = Knowledge { payment_intents: intents.clone(), paid: true, ..Knowledge::default() };
    let session = Fact {
        event: event_ref("evt_1"),
        knowledge: paid,
        claimed: Some(ClaimedTerms { credits: None, ..valid_terms() }),
    };
    let refund = RefundFacts { amount: Minor(1_250), rank: RefundRank::Succeeded };
    let refunds = [(ObjectId::from("re_1"), refund)].into();
    let knowledge = Knowledge { payment_intents: intents, refunds, ..Knowledge::default() };
    let refund = Fact { event: event_ref("evt_2"), knowledge, claimed: None };
    let policy = |credits, refund_rounding| {
        let ten = PackageTerms { credits: Credits(credits), price: Minor(25_000), currency: "eur".into() };
        let catalogue = Some(BTreeMap::from([("10_credits".into(), ten)]));
        Policy { refund_rounding, catalogue, ..Policy::default() }
    };
    for (first, second) in [(Rounding::Floor, Rounding::Ceil), (Rounding::Ceil, Rounding::Floor)] {
        let mut book = Book::default();
        for fact in [&session, &refund] {
            book.apply(&decide(&book, fact, &policy(10, first), Now::trusted(Timestamp(0))).changes);
        }
        let before = book.tenants.clone();
        assert_eq!(
            before.values().next().unwrap().balance.available.0,
            if first == Rounding::Ceil { 9 } else { 10 }
        );
        for fact in [&session, &refund] {
            let decision = decide(&book, fact, &policy(12, second), Now::trusted(Timestamp(0)));
            assert!(decision.changes.transactions.is_empty(), "{decision:?}");
            book.apply(&decision.changes);
        }
        assert_eq!(book.tenants, before);
    }
}

/// A discounted payment intent is judged by its session's amounts, whichever arrives first and however late.
#[test]
fn the_amounts_of_a_known_session_take_precedence() {
    let intents: BTreeSet<_> = [ObjectId::from("pi_1")].into();
    let fact = |id: &str, knowledge, claimed| Fact {
        event: EventRef { created: 1, id: EventId::from(id) },
        knowledge: Knowledge { payment_intents: intents.clone(), ..knowledge },
        claimed,
    };
    let received = [(ObjectId::from("pi_1"), Minor(20_000))].into();
    let terms = ClaimedTerms {
        source: ClaimSource::PaymentIntent,
        amount: Some(Minor(20_000)),
        subtotal: None,
        ..valid_terms()
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
                Some(fact) => Some(decide(&book, fact, &policy, Now::trusted(Timestamp(0)))),
                None => overdue(&book, PaymentId(1), Wait::Session, &policy, Now::trusted(Timestamp(0))),
            };
            decision.iter().for_each(|decision| book.apply(&decision.changes));
        }
        let balances: Vec<i64> = book.tenants.values().map(|tenant| tenant.balance.available.0).collect();
        assert_eq!(balances, [10], "{book:#?}");
    }
}

/// An event of payment intent `pi_1`, with our metadata.
fn intent(created: i64, amount: i64, received: i64) -> Fact {
    let object = ObjectId::from("pi_1");
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
            ..valid_terms()
        }),
    }
}

/// An event of the session of `pi_1`, without our metadata.
fn bare_session(created: i64, total: Option<i64>, subtotal: Option<i64>) -> Fact {
    let amounts = Amounts { total: total.map(Minor), subtotal: subtotal.map(Minor) };
    Fact {
        event: EventRef { created, id: EventId::from(format!("evt_{created}")) },
        knowledge: Knowledge {
            payment_intents: [ObjectId::from("pi_1")].into(),
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

/// The available credits after these facts, each with its policy.
fn available<'f>(facts: impl IntoIterator<Item = (&'f Fact, Policy)>) -> i64 {
    let mut book = Book::default();
    for (fact, policy) in facts {
        book.apply(&decide(&book, fact, &policy, Now::trusted(Timestamp(0))).changes);
    }
    book.tenants.values().map(|tenant| tenant.balance.available.0).sum()
}

fn priced(price: i64) -> Policy {
    let ten = PackageTerms { credits: Credits(10), price: Minor(price), currency: "eur".into() };
    let catalogue = Some(BTreeMap::from([("10_credits".into(), ten)]));
    Policy { catalogue, terms_from: TermsFrom::PaymentIntent, ..Policy::default() }
}

#[test]
fn the_catalogue_price_is_due_even_if_a_later_amount_differs() {
    let rows = [
        ([intent(1, 25_000, 0), intent(2, 1, 1)], 0),
        // The tax was removed again: the price is still due.
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
fn session_amounts_may_arrive_in_two_events_in_any_order() {
    let paid = intent(1, 20_000, 20_000);
    let sessions = [bare_session(2, None, None), bare_session(3, Some(20_000), Some(25_000))];
    let facts = [&paid, &sessions[0], &sessions[1]];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(available(order.map(|place| (facts[place], priced(25_000)))), 10, "{order:?}");
    }
}

#[test]
fn a_changed_catalogue_does_not_affect_an_accepted_claim_when_the_session_is_late() {
    let (paid, session) = (intent(1, 25_000, 25_000), bare_session(2, Some(25_000), Some(25_000)));
    for later in [priced(30_000), Policy { refund_rounding: Rounding::Ceil, ..priced(25_000) }] {
        assert_eq!(available([(&paid, priced(25_000)), (&session, later)]), 10);
    }
    // The session's amounts may still contradict the price at which the claim was accepted.
    let more = bare_session(2, Some(30_000), Some(30_000));
    assert_eq!(available([(&paid, priced(25_000)), (&more, priced(30_000))]), 0);
    assert_eq!(available([(&more, priced(25_000)), (&paid, priced(25_000))]), 0);
}

#[test]
fn waiting_claims_are_judged_when_sessions_are_no_longer_expected() {
    let mut book = Book::default();
    let now = Now::trusted(Timestamp(0));
    let waits = Policy { terms_from: TermsFrom::Session, ..priced(25_000) };
    let decision = decide(&book, &intent(1, 25_000, 25_000), &waits, now);
    assert_eq!(decision.waits_for, Some(Wait::Session));
    book.apply(&decision.changes);
    let id = *book.payments.keys().next().unwrap();
    let decision = overdue(&book, id, Wait::Session, &priced(25_000), now).unwrap();
    book.apply(&decision.changes);
    assert_eq!(book.tenants.values().next().unwrap().balance.available, Credits(10));
}
