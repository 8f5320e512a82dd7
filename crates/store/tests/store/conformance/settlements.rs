//! Applying batches of events: what moves, for which tenant, and what a failing event affects.

use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{Knowledge, Outcome, PaymentStatus, Policy, Reason, TransactionKind};
use store::{
    Access, AppliedEvent, EventToApply, KeyHolder, KeyRow, QuarantineFilter, Reading, Store,
    TransactionFilter,
};

use super::test_purchase::{
    ALL, NOW, TestPurchase, apply, apply_batch, apply_with_policy, balance, delivery, event_to_apply, ingest,
    payment, tenant,
};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([apply_events, tenant, payment, event], a_paid_purchase_adds_its_credits),
    case!([tenant, payment], unknown_tenants_and_payments_are_none),
    case!([apply_events, tenant], purchases_add_up_in_one_batch_and_in_several),
    case!([apply_events, tenant], a_later_payment_is_added_to_the_balance),
    case!([apply_events], an_event_that_is_no_longer_due_is_left_out),
    case!([apply_events, quarantine, event], an_event_on_which_deciding_panics_is_quarantined_alone),
    case!([apply_events, event, quarantine], ignored_and_unreadable_events_have_an_outcome),
    case!([apply_events, transactions], a_refund_that_arrives_first_is_applied_after_the_purchase),
    case!([apply_events, tenant, lots], a_pending_refund_freezes_until_it_is_decided),
    case!([apply_events, tenant, payment], a_dispute_freezes_and_its_loss_revokes),
    case!([apply_events, tenant, quarantine], of_two_claims_to_one_payment_the_earliest_counts),
    case!([apply_events, create_key], with_known_tenants_only_an_api_key_makes_a_tenant_known),
];

async fn a_paid_purchase_adds_its_credits(store: Store) {
    let purchase = TestPurchase::new("a");
    assert_eq!(
        apply(&store, &[purchase.bought(), purchase.charged()]).await,
        [Outcome::Granted, Outcome::Finalized]
    );
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(store.tenant(tenant(1)).await.unwrap().unwrap().id, tenant(1));
    for kind in ["pi", "cs", "ch"] {
        let row = payment(&store, &purchase.object(kind)).await;
        assert_eq!((row.id.0, row.key.as_str(), row.tenant), (1, "pi_a", Some(tenant(1))), "by its {kind}");
        assert_eq!((row.status, row.created_at, row.updated_at), (PaymentStatus::Final, NOW, NOW));
        assert!(row.knowledge.paid && row.knowledge.claims.len() == 1, "{:?}", row.knowledge);
    }
    let (event, _) = store.event("evt_a_bought".into()).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.reason, event.due_at), (Some(Outcome::Granted), None, None));
    assert_eq!(event.payment.as_deref(), Some("pi_a"));
}

async fn unknown_tenants_and_payments_are_none(store: Store) {
    assert!(store.tenant(tenant(1)).await.unwrap().is_none());
    assert!(store.payment("pi_a".to_owned()).await.unwrap().is_none());
}

async fn purchases_add_up_in_one_batch_and_in_several(store: Store) {
    let purchase = |name: &str, credits, number| {
        TestPurchase::new(name).with_credits(credits).for_tenant(number).bought()
    };
    apply(&store, &[purchase("a", 1, 1), purchase("b", 2, 1), purchase("c", 500, 2)]).await;
    apply(&store, &[purchase("d", 4, 1)]).await;
    apply(&store, &[purchase("e", 8, 1), purchase("f", 600, 2)]).await;
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);
    assert_eq!(balance(&store, 2).await, [1100, 0, 0, 0]);
}

async fn a_later_payment_is_added_to_the_balance(store: Store) {
    let later = TestPurchase::new("later").with_credits(5);
    let orders = [TestPurchase::new("a").bought(), later.completed_unpaid()];
    assert_eq!(apply(&store, &orders).await, [Outcome::Granted, Outcome::AwaitingPayment]);
    // This fact names only the payment: its tenant must be known already.
    let paid = later.fact("paid", Knowledge { paid: true, ..Knowledge::default() });
    assert_eq!(apply(&store, &[paid]).await, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);
}

async fn an_event_that_is_no_longer_due_is_left_out(store: Store) {
    let (first, second) = (TestPurchase::new("a").bought(), TestPurchase::new("b").bought());
    let a = ingest(&store, &first.event.id).await;
    let b = ingest(&store, &second.event.id).await;
    let granted = |seq| AppliedEvent { seq, outcome: Outcome::Granted, review: None };
    assert_eq!(apply_batch(&store, &Policy::default(), vec![event_to_apply(a, &first)]).await, [granted(a)]);
    let never_arrived = 77;
    let batch = vec![
        event_to_apply(a, &first),
        event_to_apply(b, &second),
        event_to_apply(b, &second),
        event_to_apply(never_arrived, &TestPurchase::new("c").bought()),
    ];
    assert_eq!(apply_batch(&store, &Policy::default(), batch).await, [granted(b)]);
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
    assert_eq!(apply_batch(&store, &Policy::default(), Vec::new()).await, []);
}

async fn an_event_on_which_deciding_panics_is_quarantined_alone(store: Store) {
    let (a, b) = (TestPurchase::new("a"), TestPurchase::new("b"));
    let outcomes = apply(&store, &[a.bought(), a.causing_panic(), b.bought(), a.refunded(500)]).await;
    let expected = [Outcome::Granted, Outcome::Quarantined, Outcome::Granted, Outcome::Revoked];
    assert_eq!(outcomes, expected);
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);
    let (event, _) = store.event("evt_a_impossible".into()).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.due_at), (Some(Outcome::Quarantined), None));
    assert_eq!(event.reason.as_deref(), Some("panicked"));
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].reason, open[0].event.clone()), (Reason::Panicked, Some(event.id)));
    assert!(payment(&store, &a.object("pi")).await.knowledge.refunds.is_empty(), "nothing of it is stored");
}

async fn ignored_and_unreadable_events_have_an_outcome(store: Store) {
    for id in ["evt_1", "evt_2"] {
        store.ingest(delivery(id), NOW).await.unwrap();
    }
    let unreadable = Reading::Quarantined { reason: Reason::Unreadable, detail: "no JSON".to_owned() };
    let batch = vec![
        EventToApply { seq: 1, reading: Reading::Ignored },
        EventToApply { seq: 2, reading: unreadable },
    ];
    let outcomes: Vec<_> =
        apply_batch(&store, &Policy::default(), batch).await.iter().map(|applied| applied.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ignored, Outcome::Quarantined]);
    let (ignored, _) = store.event("evt_1".into()).await.unwrap().unwrap();
    assert_eq!((ignored.outcome, ignored.reason, ignored.payment), (Some(Outcome::Ignored), None, None));
    let (unreadable, _) = store.event("evt_2".into()).await.unwrap().unwrap();
    assert_eq!(unreadable.reason.as_deref(), Some("unreadable"));
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].detail.as_str(), open[0].opened_at), ("no JSON", NOW));
}

async fn a_refund_that_arrives_first_is_applied_after_the_purchase(store: Store) {
    let purchase = TestPurchase::new("a");
    assert_eq!(apply(&store, &[purchase.refunded(300)]).await, [Outcome::Ignored]);
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "nothing is granted yet");
    assert_eq!(payment(&store, &purchase.object("ch")).await.status, PaymentStatus::Unrelated);
    assert_eq!(apply(&store, &[purchase.bought()]).await, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [7, 0, 0, 0]);
    let lines = store.transactions(TransactionFilter::default(), ALL).await.unwrap().rows;
    let lines: Vec<_> = lines.iter().map(|row| (row.transaction.kind, row.transaction.amount())).collect();
    assert_eq!(lines, [(TransactionKind::Granted, 10), (TransactionKind::Revoked, -3)]);
    assert_eq!(payment(&store, &purchase.object("cs")).await.status, PaymentStatus::PartlyRefunded);
}

async fn a_pending_refund_freezes_until_it_is_decided(store: Store) {
    let steps = [
        (TestPurchase::new("a").bought(), Outcome::Granted, [10, 0, 0, 0]),
        (TestPurchase::new("a").refund(500, RefundRank::Pending), Outcome::Frozen, [5, 0, 5, 0]),
        (TestPurchase::new("a").refund(500, RefundRank::Succeeded), Outcome::Revoked, [5, 0, 0, 0]),
        (TestPurchase::new("a").refund(500, RefundRank::Failed), Outcome::Restored, [10, 0, 0, 0]),
    ];
    for (fact, outcome, expected) in steps {
        let step = fact.event.id.to_string();
        assert_eq!(apply(&store, &[fact]).await, [outcome], "{step}");
        assert_eq!(balance(&store, 1).await, expected, "{step}");
        let lot = store.lots(tenant(1), ALL).await.unwrap().rows.remove(0).lot;
        assert_eq!([lot.available, lot.held, lot.frozen].map(|credits| credits.0), expected[..3], "{step}");
        assert_eq!(lot.freeze_target, lot.frozen, "{step}");
    }
}

async fn a_dispute_freezes_and_its_loss_revokes(store: Store) {
    let steps = [
        (TestPurchase::new("a").bought(), [10, 0, 0, 0], PaymentStatus::Paid),
        (TestPurchase::new("a").disputed(DisputeOutcome::Open), [0, 0, 10, 0], PaymentStatus::Disputed),
        (TestPurchase::new("a").disputed(DisputeOutcome::Lost), [0, 0, 0, 0], PaymentStatus::DisputeLost),
        (TestPurchase::new("a").disputed(DisputeOutcome::Won), [10, 0, 0, 0], PaymentStatus::Paid),
    ];
    for (fact, expected, status) in steps {
        let step = fact.event.id.to_string();
        apply(&store, &[fact]).await;
        assert_eq!(balance(&store, 1).await, expected, "{step}");
        assert_eq!(payment(&store, &"pi_a".into()).await.status, status, "{step}");
    }
    assert_eq!(payment(&store, &"dp_a".into()).await.key, "pi_a");
}

async fn of_two_claims_to_one_payment_the_earliest_counts(store: Store) {
    let (late, mut early) =
        (TestPurchase::new("a").bought(), TestPurchase::new("a").for_tenant(2).with_credits(20).bought());
    early.event.id = "evt_early".into();
    early.event.created -= 1;
    apply(&store, &[TestPurchase::new("other").for_tenant(2).with_credits(7).bought(), late]).await;
    assert_eq!(apply(&store, &[early]).await, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 0]);
    assert_eq!(balance(&store, 2).await, [27, 0, 0, 0]);
    assert_eq!(payment(&store, &"cs_a".into()).await.tenant, Some(tenant(2)));
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].reason, open[0].payment.as_deref()), (Reason::ClaimsConflict, Some("pi_a")));
}

async fn with_known_tenants_only_an_api_key_makes_a_tenant_known(store: Store) {
    let policy = Policy { known_tenants_only: true, ..Policy::default() };
    let refused = apply_with_policy(&store, &policy, &[TestPurchase::new("a").bought()]).await;
    assert_eq!(refused, [Outcome::Quarantined]);
    let key = KeyRow {
        id: "key_1".to_owned(),
        name: "shop".to_owned(),
        holder: KeyHolder::Tenant { tenant: tenant(1), access: Access::Read },
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    };
    store.create_key(key, [1; 32]).await.unwrap();
    assert_eq!(
        apply_with_policy(&store, &policy, &[TestPurchase::new("b").bought()]).await,
        [Outcome::Granted]
    );
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}
