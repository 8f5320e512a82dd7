//! The quarantine: items are opened, changed, and closed by later facts or by an operator.

use ledger::knowledge::{Grant, ReviewedFacts, Ruling, Verdict};
use ledger::{
    Catalogue, Credits, Knowledge, Minor, Now, Outcome, PackageTerms, PaymentStatus, Policy, Reason,
    Rounding, RulingRefused,
};
use store::{
    ActionRefusal, ActionRequest, ActionState, GrantTerms, Items, PageRequest, PurchaseFigures,
    QuarantineFilter, QuarantineRow, Store,
};

use super::action_requests::{self, dismiss, grant, resolve};
use super::test_purchase::{
    ALL, NOW, TestPurchase, apply, apply_batch, apply_with_policy, balance, event_to_apply, ingest, payment,
    tenant,
};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([quarantine, quarantine_item, apply_events], invalid_terms_are_quarantined),
    case!([apply_events, quarantine_item], an_item_shows_current_figures),
    case!([quarantine, apply_events], a_changed_reason_updates_the_same_item),
    case!([quarantine_item, apply_events, replay], a_corrected_catalogue_and_a_replay_clear_the_item),
    case!([quarantine], open_items_are_listed_alone_or_with_closed_ones),
    case!([quarantine_item], an_unknown_item_is_none),
    case!([request_action, quarantine_item, payment], an_operators_grant_adds_credits_and_closes_the_item),
    case!([request_action, tenant], an_operators_grant_is_added_to_the_balance),
    case!([request_action, tenant], an_operators_grant_to_another_tenant_revokes_the_first_grant),
    case!(
        [request_action, quarantine_item, payment],
        an_operators_dismissal_grants_nothing_and_closes_the_item
    ),
    case!([request_action, payment], an_unlinked_purchase_is_granted_by_its_payment_intent),
    case!([positions, request_action], an_operators_grant_has_the_currency_and_price_of_its_payment),
    case!([request_action], an_unknown_item_cannot_be_decided),
    case!([request_action, apply_events], a_grant_out_of_range_changes_nothing),
    case!([request_action, due], resolving_an_event_makes_it_due_again),
    case!([request_action, event], an_item_about_an_event_is_dismissed_once),
];

async fn invalid_terms_are_quarantined(store: Store) {
    let purchase = TestPurchase::new("a");
    assert_eq!(apply(&store, &[purchase.bought_with_invalid_tenant()]).await, [Outcome::Quarantined]);
    let (event, _) = store.event("evt_a_nobody".into()).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.due_at), (Some(Outcome::Quarantined), None));
    assert_eq!((event.reason.as_deref(), event.payment.as_deref()), (Some("tenant_invalid"), Some("pi_a")));

    let item = the_open_item(&store).await;
    assert_eq!((item.event.clone(), item.payment.as_deref()), (None, Some("pi_a")));
    assert_eq!((item.reason, item.opened_at), (Reason::TenantInvalid, NOW));
    assert!(item.detail.contains("Nothing was granted"), "{}", item.detail);
    // The figures are kept even though the tenant is unknown.
    let figures = PurchaseFigures {
        tenant: None,
        credits: Some(Credits(10)),
        package: Some("ten".to_owned()),
        currency: Some("eur".to_owned()),
        amount: Some(Minor(1000)),
    };
    assert_eq!(item.purchase, figures);
    assert_eq!((item.closed_at, item.resolution, item.closed_by, item.note), (None, None, None, None));
    assert_eq!(store.quarantine_item(item.id).await.unwrap().unwrap().payment.as_deref(), Some("pi_a"));
    let row = payment(&store, &purchase.object("pi")).await;
    assert_eq!((row.status, row.tenant), (PaymentStatus::Quarantined, None));
}

async fn an_item_shows_current_figures(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.completed_unpaid()]).await;
    for received in [100, 300] {
        let known =
            Knowledge { received: [(purchase.object("pi"), Minor(received))].into(), ..Knowledge::default() };
        apply(&store, &[purchase.fact(&format!("part{received}"), known)]).await;
        let item = the_open_item(&store).await;
        assert!(item.detail.starts_with(&format!("{received} of 1000 minor units")), "{}", item.detail);
    }
}

async fn a_changed_reason_updates_the_same_item(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought_with_invalid_tenant()]).await;
    let before = the_open_item(&store).await;
    apply(&store, &[purchase.bought()]).await;
    let after = the_open_item(&store).await;
    assert_eq!((after.id, after.opened_at), (before.id, before.opened_at));
    assert_eq!((before.reason, after.reason), (Reason::TenantInvalid, Reason::ClaimsConflict));
    assert_ne!(before.detail, after.detail);
}

async fn a_corrected_catalogue_and_a_replay_clear_the_item(store: Store) {
    let bought = TestPurchase::new("a").bought();
    let selling = |name: &str| Policy {
        catalogue: Some(Catalogue::from([(
            name.to_owned(),
            PackageTerms { credits: Credits(10), price: Minor(1000), currency: "eur".to_owned() },
        )])),
        ..Policy::default()
    };
    let refused = apply_with_policy(&store, &selling("twenty"), std::slice::from_ref(&bought)).await;
    assert_eq!(refused, [Outcome::Quarantined]);
    let item = the_open_item(&store).await;
    assert_eq!(item.reason, Reason::PackageUnknown);
    store.replay(vec![bought.event.id.clone()], NOW).await.unwrap();
    let believed = apply_with_policy(&store, &selling("ten"), std::slice::from_ref(&bought)).await;
    assert_eq!(believed, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let item = store.quarantine_item(item.id).await.unwrap().unwrap();
    assert_eq!((item.closed_at, item.resolution.as_deref()), (Some(NOW), Some("cleared")));
    assert_eq!((item.closed_by, item.note), (None, None), "no operator decided it");
    let (event, _) = store.event(bought.event.id).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.reason), (Some(Outcome::Granted), None));
}

async fn open_items_are_listed_alone_or_with_closed_ones(store: Store) {
    let purchases = ["a", "b", "c"].map(TestPurchase::new);
    apply(&store, &purchases.each_ref().map(TestPurchase::bought_with_invalid_tenant)).await;
    action_requests::register_ann(&store).await;
    action_requests::recorded(&store, "ann", dismiss(2)).await;
    let keys = |rows: Vec<QuarantineRow>| rows.into_iter().filter_map(|row| row.payment).collect::<Vec<_>>();
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    assert_eq!((open.total, keys(open.rows)), (2, vec!["pi_a".to_owned(), "pi_c".to_owned()]));
    let newest = PageRequest { number: 1, size: 2, ascending: false };
    let all = store
        .quarantine(QuarantineFilter { all: true, ..QuarantineFilter::default() }, newest)
        .await
        .unwrap();
    assert_eq!((all.total, keys(all.rows)), (3, vec!["pi_c".to_owned(), "pi_b".to_owned()]));
}

async fn an_unknown_item_is_none(store: Store) {
    assert!(store.quarantine_item(1).await.unwrap().is_none());
}

async fn an_operators_grant_adds_credits_and_closes_the_item(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought_with_invalid_tenant()]).await;
    let item = the_open_item(&store).await;
    action_requests::register_ann(&store).await;
    let at = NOW.plus_seconds(60);
    let done = action_requests::recorded_at(&store, "ann", grant(item.id, 1, 8), at).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(8)));
    assert_eq!(done.result.outcome, Some(Outcome::Granted));
    assert_eq!(balance(&store, 1).await, [8, 0, 0, 0]);
    check_closed(&store, item.id, "resolved").await;
    let row = payment(&store, &purchase.object("pi")).await;
    assert_eq!((row.status, row.tenant), (PaymentStatus::Paid, Some(tenant(1))));
    let verdict = Verdict::Grant(Grant {
        tenant: tenant(1),
        credits: Credits(8),
        amount: None,
        currency: None,
        payment_intent: None,
        refunds_by_hand: false,
        rounding: Rounding::default(),
    });
    let (by, reason) = ("ann (key ann's)".to_owned(), "because".to_owned());
    let answered = ReviewedFacts { reason: Some(Reason::TenantInvalid), grants: None };
    assert_eq!(row.knowledge.ruling, Some(Ruling { at, by, reason, verdict, answered }));
    // Later refunds still count: half of it is refunded.
    assert_eq!(apply(&store, &[purchase.refunded(500)]).await, [Outcome::Revoked]);
    assert_eq!(balance(&store, 1).await, [4, 0, 0, 0]);
}

async fn an_operators_grant_is_added_to_the_balance(store: Store) {
    apply(
        &store,
        &[TestPurchase::new("other").bought(), TestPurchase::new("a").bought_with_invalid_tenant()],
    )
    .await;
    action_requests::register_ann(&store).await;
    action_requests::recorded(&store, "ann", grant(the_open_item(&store).await.id, 1, 5)).await;
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);
}

async fn an_operators_grant_to_another_tenant_revokes_the_first_grant(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(
        &store,
        &[
            purchase.bought(),
            purchase.bought_with_invalid_tenant(),
            TestPurchase::new("b").for_tenant(2).bought(),
        ],
    )
    .await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0], "the first claim counts until somebody decides");
    action_requests::register_ann(&store).await;
    let done = action_requests::recorded(&store, "ann", grant(the_open_item(&store).await.id, 2, 3)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(13)));
    assert_eq!((balance(&store, 1).await, balance(&store, 2).await), ([0; 4], [13, 0, 0, 0]));
}

async fn an_operators_dismissal_grants_nothing_and_closes_the_item(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought_with_invalid_tenant()]).await;
    let item = the_open_item(&store).await;
    action_requests::register_ann(&store).await;
    let done = action_requests::recorded_at(&store, "ann", dismiss(item.id), NOW.plus_seconds(60)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));
    check_closed(&store, item.id, "dismissed").await;
    assert_eq!(payment(&store, &purchase.object("cs")).await.status, PaymentStatus::Dismissed);
    assert_eq!(store.health().await.unwrap().transactions, 0);
}

async fn an_unlinked_purchase_is_granted_by_its_payment_intent(store: Store) {
    let purchase = TestPurchase::new("a");
    // The refund names the payment intent, which nothing links to the invoice.
    apply(&store, &[purchase.invoice_paid(), purchase.charged(), purchase.refunded(500)]).await;
    let at = NOW.plus_seconds(300);
    store.review(Default::default(), Now::trusted(at), 10).await.unwrap();
    let item = the_open_item(&store).await;
    assert_eq!((item.reason, item.payment.as_deref()), (Reason::Unlinked, Some("in_a")));
    action_requests::register_ann(&store).await;
    let refused = action_requests::refused(&store, "ann", grant(item.id, 1, 10)).await;
    assert_eq!(refused, ActionRefusal::Ruling(RulingRefused::PaymentIntentMissing));
    assert_eq!(the_open_item(&store).await.id, item.id, "nothing was changed");
    let terms = GrantTerms {
        tenant: Some(tenant(1)),
        credits: Some(Credits(10)),
        payment_intent: Some(purchase.object("pi")),
        ..GrantTerms::default()
    };
    let by_intent = ActionRequest::QuarantineResolve { items: Items::One(item.id), terms };
    let done = action_requests::recorded_at(&store, "ann", by_intent, at).await;
    assert_eq!((done.state, done.result.outcome), (ActionState::Done, Some(Outcome::Granted)));
    assert_eq!(balance(&store, 1).await, [5, 0, 0, 0], "half of it was refunded");
    let [by_invoice, by_intent] = ["in", "pi"].map(|kind| purchase.object(kind));
    assert_eq!(payment(&store, &by_invoice).await.id, payment(&store, &by_intent).await.id);
}

async fn an_operators_grant_has_the_currency_and_price_of_its_payment(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought_with_invalid_tenant()]).await;
    action_requests::register_ann(&store).await;
    action_requests::recorded(&store, "ann", grant(the_open_item(&store).await.id, 1, 10)).await;
    let end = store.journal_end(NOW).await.unwrap();
    let positions = store.positions(end, None, 10).await.unwrap();
    let lots: Vec<_> = positions.iter().flat_map(|one| &one.lots).collect();
    let [lot] = lots[..] else { panic!("{lots:?}") };
    assert_eq!((lot.currency.as_deref(), lot.sums.price), (Some("eur"), Minor(1000)));
}

async fn an_unknown_item_cannot_be_decided(store: Store) {
    action_requests::register_ann(&store).await;
    for request in [grant(1, 1, 5), resolve(1), dismiss(1)] {
        assert_eq!(action_requests::refused(&store, "ann", request).await, ActionRefusal::NoSuchItem);
    }
    assert!(store.tenant(tenant(1)).await.unwrap().is_none());
}

async fn a_grant_out_of_range_changes_nothing(store: Store) {
    apply(
        &store,
        &[TestPurchase::new("other").bought(), TestPurchase::new("a").bought_with_invalid_tenant()],
    )
    .await;
    let item = the_open_item(&store).await;
    action_requests::register_ann(&store).await;
    for credits in [i64::MAX, 0, -5] {
        let refused = action_requests::refused(&store, "ann", grant(item.id, 1, credits)).await;
        assert_eq!(refused, ActionRefusal::Ruling(RulingRefused::CreditsOutOfRange));
    }
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(the_open_item(&store).await.id, item.id);
    // Nor does it count against her limits.
    assert_eq!(
        action_requests::recorded(&store, "ann", grant(item.id, 1, 100)).await.state,
        ActionState::Done
    );
    assert_eq!(balance(&store, 1).await, [110, 0, 0, 0]);
}

async fn resolving_an_event_makes_it_due_again(store: Store) {
    let impossible = TestPurchase::new("a").causing_panic();
    let seq = ingest(&store, &impossible.event.id).await;
    apply_batch(&store, &Policy::default(), vec![event_to_apply(seq, &impossible)]).await;
    let item = the_open_item(&store).await;
    action_requests::register_ann(&store).await;
    assert_eq!(action_requests::refused(&store, "ann", resolve(99)).await, ActionRefusal::NoSuchItem);
    let named = ActionRequest::QuarantineResolve {
        items: Items::One(item.id),
        terms: GrantTerms { credits: Some(Credits(1)), ..GrantTerms::default() },
    };
    assert_eq!(action_requests::refused(&store, "ann", named).await, ActionRefusal::ItemIsEvent);
    let done = action_requests::recorded_at(&store, "ann", resolve(item.id), NOW.plus_seconds(60)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));
    let again = action_requests::refused(&store, "ann", resolve(item.id)).await;
    assert_eq!(again, ActionRefusal::ItemClosed("resolved".to_owned()));
    check_closed(&store, item.id, "resolved").await;
    let due = store.due(NOW.plus_seconds(60), 10).await.unwrap();
    assert_eq!(due.iter().map(|event| event.seq).collect::<Vec<_>>(), [seq]);
    apply_batch(&store, &Policy::default(), vec![event_to_apply(seq, &impossible)]).await;
    assert_ne!(the_open_item(&store).await.id, item.id, "it panics again, so a new item is opened");
}

async fn an_item_about_an_event_is_dismissed_once(store: Store) {
    let impossible = TestPurchase::new("a").causing_panic();
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let seq = ingest(&store, &impossible.event.id).await;
    apply_batch(&store, &Policy::default(), vec![event_to_apply(seq, &impossible)]).await;
    let item = the_open_item(&store).await;
    action_requests::register_ann(&store).await;
    let done = action_requests::recorded_at(&store, "ann", dismiss(item.id), NOW.plus_seconds(60)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));
    let again = action_requests::refused(&store, "ann", dismiss(item.id)).await;
    assert_eq!(again, ActionRefusal::ItemClosed("dismissed".to_owned()));
    check_closed(&store, item.id, "dismissed").await;
    let (event, _) = store.event("evt_a_impossible".into()).await.unwrap().unwrap();
    assert_eq!(event.outcome, Some(Outcome::Quarantined), "its outcome stays");
}

/// Checks that Ann closed the item a minute later.
async fn check_closed(store: &Store, id: i64, resolution: &str) {
    let item = store.quarantine_item(id).await.unwrap().unwrap();
    assert_eq!((item.closed_at, item.resolution.as_deref()), (Some(NOW.plus_seconds(60)), Some(resolution)));
    let said = (Some("ann (key ann's)"), Some("because"));
    assert_eq!((item.closed_by.as_deref(), item.note.as_deref()), said);
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0);
}

async fn the_open_item(store: &Store) -> QuarantineRow {
    let mut open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    assert_eq!((open.total, open.rows.len()), (1, 1), "{open:?}");
    open.rows.remove(0)
}
