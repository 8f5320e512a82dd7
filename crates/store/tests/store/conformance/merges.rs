//! Payments that turn out to be one: their history stays, under the payment that they became.

use std::collections::{BTreeMap, BTreeSet};

use ledger::knowledge::ChargeFacts;
use ledger::{Fact, Knowledge, Minor, Outcome, PaymentId, PaymentStatus, Reason, TransactionKind};
use store::{EventFilter, QuarantineFilter, Store, TransactionFilter};

use super::office::{self, grant};
use super::sale::{ALL, NOW, Sale, balance, learn, payment, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!(
        [apply_events, payment, payments, events],
        facts_that_waited_under_another_name_join_their_purchase
    ),
    case!([apply_events], so_they_do_within_one_batch),
    case!([apply_events, transactions, lots, payments], credits_that_two_payments_gave_are_given_once),
    case!([apply_events, transactions, lots], what_was_absorbed_twice_is_found_under_the_last),
    case!([apply_events, quarantine, quarantine_item], an_open_question_moves_along),
    case!([apply_events, ask_action, quarantine_item], a_question_that_the_other_payment_answers_is_cleared),
];

/// Knows the session and not the payment intent.
pub(super) fn bought_without_intent(sale: &Sale) -> Fact {
    without_intent(sale.bought())
}

fn without_intent(fact: Fact) -> Fact {
    let knowledge = Knowledge { payment_intents: BTreeSet::new(), ..fact.knowledge };
    Fact { knowledge, ..fact }
}

/// Says that session and charge of the sale belong to its payment intent.
fn linked(sale: &Sale) -> Fact {
    let sessions = BTreeSet::from([sale.object("cs")]);
    let charges = BTreeMap::from([(sale.object("ch"), ChargeFacts::default())]);
    sale.fact("linked", Knowledge { sessions, charges, ..Knowledge::default() })
}

/// The charge alone, refunded in part.
fn refunded_without_intent(sale: &Sale) -> Fact {
    let charge = ChargeFacts { refunded: Minor(300), ..ChargeFacts::default() };
    let charges = BTreeMap::from([(sale.object("ch"), charge)]);
    sale.detached("refunded", Knowledge { charges, ..Knowledge::default() })
}

async fn facts_that_waited_under_another_name_join_their_purchase(store: Store) {
    let sale = Sale::new("a");
    let waits = [bought_without_intent(&sale), refunded_without_intent(&sale)];
    assert_eq!(learn(&store, &waits).await, [Outcome::Granted, Outcome::Ignored]);
    assert_eq!(store.payments(None, None, ALL).await.unwrap().total, 2);
    assert_eq!(payment(&store, &sale.object("cs")).await.key, "cs_a");

    assert_eq!(learn(&store, &[linked(&sale)]).await, [Outcome::Revoked]);
    assert_eq!(balance(&store, 1).await, [7, 0, 0, 0]);
    assert_eq!(store.payments(None, None, ALL).await.unwrap().total, 1);
    for kind in ["pi", "cs", "ch"] {
        let row = payment(&store, &sale.object(kind)).await;
        assert_eq!((row.id, row.key.as_str()), (PaymentId(1), "pi_a"), "by its {kind}");
        assert_eq!(row.status, PaymentStatus::PartlyRefunded);
    }
    let of_payment = EventFilter { payment: Some(PaymentId(1)), ..EventFilter::default() };
    let events = store.events(of_payment, ALL).await.unwrap();
    assert_eq!(events.total, 3);
    assert!(events.rows.iter().all(|event| event.payment.as_deref() == Some("pi_a")), "{events:?}");

    learn(&store, &[Sale::new("b").bought()]).await;
    let next = payment(&store, &"pi_b".into()).await.id;
    assert_eq!(next, PaymentId(3), "the id of a payment that was absorbed is never used again");
}

async fn so_they_do_within_one_batch(store: Store) {
    let sale = Sale::new("a");
    let facts =
        [refunded_without_intent(&sale), bought_without_intent(&sale), linked(&sale), sale.refunded(500)];
    let expected = [Outcome::Ignored, Outcome::Granted, Outcome::Revoked, Outcome::Revoked];
    assert_eq!(learn(&store, &facts).await, expected);
    assert_eq!(balance(&store, 1).await, [5, 0, 0, 0]);
    assert_eq!(store.payments(None, None, ALL).await.unwrap().total, 1);
}

async fn credits_that_two_payments_gave_are_given_once(store: Store) {
    let (first, second) = (Sale::new("a"), Sale::new("b"));
    learn(&store, &[bought_without_intent(&first), bought_without_intent(&second)]).await;
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
    // Two sessions of one payment intent, on the same terms: one purchase.
    let sessions = BTreeSet::from([first.object("cs"), second.object("cs")]);
    let same = first.fact("same", Knowledge { sessions, ..Knowledge::default() });
    assert_eq!(learn(&store, &[same]).await, [Outcome::Revoked]);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);

    let of_payment = TransactionFilter { payment: Some(PaymentId(1)), ..TransactionFilter::default() };
    let history = store.transactions(of_payment, ALL).await.unwrap();
    let lines: Vec<_> = history
        .rows
        .iter()
        .map(|row| (row.transaction.kind, row.transaction.payment, row.payment_key.as_deref()))
        .collect();
    let key = Some("pi_a");
    let expected = [
        (TransactionKind::Granted, Some(PaymentId(1)), key),
        (TransactionKind::Granted, Some(PaymentId(2)), key),
        (TransactionKind::Reversed, Some(PaymentId(1)), key),
    ];
    assert_eq!((lines.as_slice(), history.total), (&expected[..], 3));
    let lots = store.lots(tenant(1), ALL).await.unwrap().rows;
    assert!(
        lots.iter()
            .all(|row| (row.lot.payment, row.payment_key.as_deref()) == (Some(PaymentId(1)), Some("pi_a")))
    );
    assert_eq!(lots.len(), 2, "{lots:?}");
    assert_eq!(payment(&store, &second.object("cs")).await.id, PaymentId(1));
}

async fn what_was_absorbed_twice_is_found_under_the_last(store: Store) {
    let sales = ["a", "b", "c"].map(Sale::new);
    learn(&store, &sales.each_ref().map(bought_without_intent)).await;
    let same = |one: &Sale, other: &Sale| {
        let sessions = BTreeSet::from([one.object("cs"), other.object("cs")]);
        one.fact("same", Knowledge { sessions, ..Knowledge::default() })
    };
    learn(&store, &[same(&sales[1], &sales[2])]).await;
    learn(&store, &[same(&sales[0], &sales[1])]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let of_payment = TransactionFilter { payment: Some(PaymentId(1)), ..TransactionFilter::default() };
    let history = store.transactions(of_payment, ALL).await.unwrap();
    assert!(history.rows.iter().all(|row| row.payment_key.as_deref() == Some("pi_a")), "{history:?}");
    let written: Vec<_> = history.rows.iter().filter_map(|row| row.transaction.payment).collect();
    assert_eq!(written, [1, 2, 3, 2, 1].map(PaymentId), "the journal keeps the ids that it was written with");
    let lots = store.lots(tenant(1), ALL).await.unwrap().rows;
    assert_eq!(lots.iter().map(|row| row.lot.payment).collect::<Vec<_>>(), [Some(PaymentId(1)); 3]);
    assert_eq!(payment(&store, &sales[2].object("cs")).await.id, PaymentId(1));
}

async fn an_open_question_moves_along(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[refunded_without_intent(&sale), without_intent(sale.bought_by_nobody())]).await;
    let asked = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows.remove(0);
    assert_eq!((asked.payment.as_deref(), asked.reason), (Some("cs_a"), Reason::TenantInvalid));

    learn(&store, &[linked(&sale)]).await;
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, open[0].opened_at), (asked.id, NOW), "the same question");
    assert_eq!((open[0].payment.as_deref(), open[0].reason), (Some("pi_a"), Reason::TenantInvalid));
}

async fn a_question_that_the_other_payment_answers_is_cleared(store: Store) {
    let (answered, open) = (Sale::new("a"), Sale::new("b"));
    learn(&store, &[answered.bought_by_nobody(), without_intent(open.bought_by_nobody())]).await;
    let asked = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    let [first, asked] = asked.as_slice() else { panic!("two questions: {asked:?}") };
    // A person's word about the one payment, and then the link between the two.
    office::open(&store).await;
    office::kept(&store, "ann", grant(first.id, 1, 10)).await;
    let sessions = BTreeSet::from([open.object("cs")]);
    learn(&store, &[answered.fact("linked", Knowledge { sessions, ..Knowledge::default() })]).await;

    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0);
    let item = store.quarantine_item(asked.id).await.unwrap().expect("questions are kept");
    assert_eq!((item.resolution.as_deref(), item.closed_at), (Some("cleared"), Some(NOW)));
    assert_eq!(item.payment.as_deref(), Some("pi_a"));
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0], "her word stands");
}
