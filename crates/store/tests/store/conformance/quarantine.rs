//! What needs a person: asked, changed, answered by later facts or by a person's word.

use ledger::knowledge::{Grant, ReviewedFacts, Ruling, Verdict};
use ledger::{
    Catalogue, Credits, Knowledge, Minor, Now, Outcome, PackageTerms, PaymentStatus, Policy, Reason,
    Rounding, RulingRefused,
};
use store::{
    ActionRefusal, ActionRequest, ActionState, GrantTerms, Items, Page, PurchaseFigures, QuarantineFilter,
    QuarantineRow, Store,
};

use super::office::{self, dismiss, grant, resolve};
use super::sale::{ALL, NOW, Sale, arrive, balance, learn, learn_under, payment, settle, tenant, told};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([quarantine, quarantine_item, apply_events], terms_that_cannot_be_believed_are_a_question),
    case!([apply_events, quarantine_item], an_item_tells_the_figures_of_now),
    case!([quarantine, apply_events], a_question_that_changes_stays_the_same_item),
    case!([quarantine_item, apply_events, replay], a_mended_catalogue_and_a_replay_clear_the_question),
    case!([quarantine], open_questions_are_listed_alone_or_with_those_that_were_closed),
    case!([quarantine_item], a_number_that_was_never_given_is_none),
    case!([ask_action, quarantine_item, payment], a_persons_grant_adds_credits_and_closes_the_question),
    case!([ask_action, tenant], a_persons_grant_is_added_to_what_the_tenant_has),
    case!([ask_action, tenant], a_persons_grant_to_somebody_else_takes_back_what_was_granted),
    case!([ask_action, quarantine_item, payment], a_persons_dismissal_grants_nothing_and_closes_the_question),
    case!([ask_action, payment], an_unlinked_purchase_is_granted_by_its_payment_intent),
    case!([positions, ask_action], a_persons_grant_has_the_currency_and_the_price_of_its_payment),
    case!([ask_action], nothing_can_be_said_about_an_item_that_is_not_there),
    case!([ask_action, apply_events], a_word_that_nobody_can_mean_changes_nothing),
    case!([ask_action, due], an_event_that_was_mended_is_read_again),
    case!([ask_action, event], a_question_about_an_event_is_dismissed_once),
];

async fn terms_that_cannot_be_believed_are_a_question(store: Store) {
    let sale = Sale::new("a");
    assert_eq!(learn(&store, &[sale.bought_by_nobody()]).await, [Outcome::Quarantined]);
    let (event, _) = store.event("evt_a_nobody".into()).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.due_at), (Some(Outcome::Quarantined), None));
    assert_eq!((event.reason.as_deref(), event.payment.as_deref()), (Some("tenant_invalid"), Some("pi_a")));

    let item = the_open_one(&store).await;
    assert_eq!((item.event.clone(), item.payment.as_deref()), (None, Some("pi_a")));
    assert_eq!((item.reason, item.opened_at), (Reason::TenantInvalid, NOW));
    assert!(item.detail.contains("Nothing was granted"), "{}", item.detail);
    // What was paid for what is kept, although nobody knows by whom.
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
    let row = payment(&store, &sale.object("pi")).await;
    assert_eq!((row.status, row.tenant), (PaymentStatus::Quarantined, None));
}

async fn an_item_tells_the_figures_of_now(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.ordered()]).await;
    for received in [100, 300] {
        let known =
            Knowledge { received: [(sale.object("pi"), Minor(received))].into(), ..Knowledge::default() };
        learn(&store, &[sale.fact(&format!("part{received}"), known)]).await;
        let item = the_open_one(&store).await;
        assert!(item.detail.starts_with(&format!("{received} of 1000 minor units")), "{}", item.detail);
    }
}

async fn a_question_that_changes_stays_the_same_item(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought_by_nobody()]).await;
    let before = the_open_one(&store).await;
    learn(&store, &[sale.bought()]).await;
    let after = the_open_one(&store).await;
    assert_eq!((after.id, after.opened_at), (before.id, before.opened_at));
    assert_eq!((before.reason, after.reason), (Reason::TenantInvalid, Reason::ClaimsConflict));
    assert_ne!(before.detail, after.detail);
}

async fn a_mended_catalogue_and_a_replay_clear_the_question(store: Store) {
    let bought = Sale::new("a").bought();
    let selling = |name: &str| Policy {
        catalogue: Some(Catalogue::from([(
            name.to_owned(),
            PackageTerms { credits: Credits(10), price: Minor(1000), currency: "eur".to_owned() },
        )])),
        ..Policy::default()
    };
    let refused = learn_under(&store, &selling("twenty"), std::slice::from_ref(&bought)).await;
    assert_eq!(refused, [Outcome::Quarantined]);
    let asked = the_open_one(&store).await;
    assert_eq!(asked.reason, Reason::PackageUnknown);
    store.replay(vec![bought.event.id.clone()], NOW).await.unwrap();
    let believed = learn_under(&store, &selling("ten"), std::slice::from_ref(&bought)).await;
    assert_eq!(believed, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let item = store.quarantine_item(asked.id).await.unwrap().unwrap();
    assert_eq!((item.closed_at, item.resolution.as_deref()), (Some(NOW), Some("cleared")));
    assert_eq!((item.closed_by, item.note), (None, None), "nobody decided it");
    let (event, _) = store.event(bought.event.id).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.reason), (Some(Outcome::Granted), None));
}

async fn open_questions_are_listed_alone_or_with_those_that_were_closed(store: Store) {
    let sales = ["a", "b", "c"].map(Sale::new);
    learn(&store, &sales.each_ref().map(Sale::bought_by_nobody)).await;
    office::open(&store).await;
    office::kept(&store, "ann", dismiss(2)).await;
    let keys = |rows: Vec<QuarantineRow>| rows.into_iter().filter_map(|row| row.payment).collect::<Vec<_>>();
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    assert_eq!((open.total, keys(open.rows)), (2, vec!["pi_a".to_owned(), "pi_c".to_owned()]));
    let newest = Page { number: 1, size: 2, ascending: false };
    let all = store
        .quarantine(QuarantineFilter { all: true, ..QuarantineFilter::default() }, newest)
        .await
        .unwrap();
    assert_eq!((all.total, keys(all.rows)), (3, vec!["pi_c".to_owned(), "pi_b".to_owned()]));
}

async fn a_number_that_was_never_given_is_none(store: Store) {
    assert!(store.quarantine_item(1).await.unwrap().is_none());
}

async fn a_persons_grant_adds_credits_and_closes_the_question(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought_by_nobody()]).await;
    let asked = the_open_one(&store).await;
    office::open(&store).await;
    let at = NOW.plus_seconds(60);
    let done = office::kept_at(&store, "ann", grant(asked.id, 1, 8), at).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(8)));
    assert_eq!(done.result.outcome, Some(Outcome::Granted));
    assert_eq!(balance(&store, 1).await, [8, 0, 0, 0]);
    check_closed(&store, asked.id, "resolved").await;
    let row = payment(&store, &sale.object("pi")).await;
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
    // What happens to the money afterwards still counts: half of it goes back.
    assert_eq!(learn(&store, &[sale.refunded(500)]).await, [Outcome::Revoked]);
    assert_eq!(balance(&store, 1).await, [4, 0, 0, 0]);
}

async fn a_persons_grant_is_added_to_what_the_tenant_has(store: Store) {
    learn(&store, &[Sale::new("other").bought(), Sale::new("a").bought_by_nobody()]).await;
    office::open(&store).await;
    office::kept(&store, "ann", grant(the_open_one(&store).await.id, 1, 5)).await;
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);
}

async fn a_persons_grant_to_somebody_else_takes_back_what_was_granted(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought(), sale.bought_by_nobody(), Sale::new("b").to(2).bought()]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0], "the first claim counts until somebody decides");
    office::open(&store).await;
    let done = office::kept(&store, "ann", grant(the_open_one(&store).await.id, 2, 3)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(13)));
    assert_eq!((balance(&store, 1).await, balance(&store, 2).await), ([0; 4], [13, 0, 0, 0]));
}

async fn a_persons_dismissal_grants_nothing_and_closes_the_question(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought_by_nobody()]).await;
    let asked = the_open_one(&store).await;
    office::open(&store).await;
    let done = office::kept_at(&store, "ann", dismiss(asked.id), NOW.plus_seconds(60)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));
    check_closed(&store, asked.id, "dismissed").await;
    assert_eq!(payment(&store, &sale.object("cs")).await.status, PaymentStatus::Dismissed);
    assert_eq!(store.health().await.unwrap().transactions, 0);
}

async fn an_unlinked_purchase_is_granted_by_its_payment_intent(store: Store) {
    let sale = Sale::new("a");
    // The refund is known by the payment intent, which nothing links to the invoice.
    learn(&store, &[sale.invoiced(), sale.charged(), sale.refunded(500)]).await;
    let at = NOW.plus_seconds(300);
    store.review(Default::default(), Now::trusted(at), 10).await.unwrap();
    let asked = the_open_one(&store).await;
    assert_eq!((asked.reason, asked.payment.as_deref()), (Reason::Unlinked, Some("in_a")));
    office::open(&store).await;
    let refused = office::refused(&store, "ann", grant(asked.id, 1, 10)).await;
    assert_eq!(refused, ActionRefusal::Ruling(RulingRefused::PaymentIntentMissing));
    assert_eq!(the_open_one(&store).await.id, asked.id, "nothing was changed");
    let terms = GrantTerms {
        tenant: Some(tenant(1)),
        credits: Some(Credits(10)),
        payment_intent: Some(sale.object("pi")),
        ..GrantTerms::default()
    };
    let by_intent = ActionRequest::QuarantineResolve { items: Items::One(asked.id), terms };
    let done = office::kept_at(&store, "ann", by_intent, at).await;
    assert_eq!((done.state, done.result.outcome), (ActionState::Done, Some(Outcome::Granted)));
    assert_eq!(balance(&store, 1).await, [5, 0, 0, 0], "half of it had gone back");
    let [by_invoice, by_intent] = ["in", "pi"].map(|kind| sale.object(kind));
    assert_eq!(payment(&store, &by_invoice).await.id, payment(&store, &by_intent).await.id);
}

async fn a_persons_grant_has_the_currency_and_the_price_of_its_payment(store: Store) {
    learn(&store, &[Sale::new("a").bought_by_nobody()]).await;
    office::open(&store).await;
    office::kept(&store, "ann", grant(the_open_one(&store).await.id, 1, 10)).await;
    let end = store.journal_end(NOW).await.unwrap();
    let positions = store.positions(end, None, 10).await.unwrap();
    let lots: Vec<_> = positions.iter().flat_map(|one| &one.lots).collect();
    let [lot] = lots[..] else { panic!("{lots:?}") };
    assert_eq!((lot.currency.as_deref(), lot.sums.price), (Some("eur"), Minor(1000)));
}

async fn nothing_can_be_said_about_an_item_that_is_not_there(store: Store) {
    office::open(&store).await;
    for request in [grant(1, 1, 5), resolve(1), dismiss(1)] {
        assert_eq!(office::refused(&store, "ann", request).await, ActionRefusal::NoSuchItem);
    }
    assert!(store.tenant(tenant(1)).await.unwrap().is_none());
}

async fn a_word_that_nobody_can_mean_changes_nothing(store: Store) {
    learn(&store, &[Sale::new("other").bought(), Sale::new("a").bought_by_nobody()]).await;
    let asked = the_open_one(&store).await;
    office::open(&store).await;
    for credits in [i64::MAX, 0, -5] {
        let refused = office::refused(&store, "ann", grant(asked.id, 1, credits)).await;
        assert_eq!(refused, ActionRefusal::Ruling(RulingRefused::CreditsOutOfRange));
    }
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(the_open_one(&store).await.id, asked.id);
    // It counts for nothing against her limits either.
    assert_eq!(office::kept(&store, "ann", grant(asked.id, 1, 100)).await.state, ActionState::Done);
    assert_eq!(balance(&store, 1).await, [110, 0, 0, 0]);
}

async fn an_event_that_was_mended_is_read_again(store: Store) {
    let impossible = Sale::new("a").impossible();
    let seq = arrive(&store, &impossible.event.id).await;
    settle(&store, &Policy::default(), vec![told(seq, &impossible)]).await;
    let asked = the_open_one(&store).await;
    office::open(&store).await;
    assert_eq!(office::refused(&store, "ann", resolve(99)).await, ActionRefusal::NoSuchItem);
    let named = ActionRequest::QuarantineResolve {
        items: Items::One(asked.id),
        terms: GrantTerms { credits: Some(Credits(1)), ..GrantTerms::default() },
    };
    assert_eq!(office::refused(&store, "ann", named).await, ActionRefusal::AboutAnEvent);
    let done = office::kept_at(&store, "ann", resolve(asked.id), NOW.plus_seconds(60)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));
    let again = office::refused(&store, "ann", resolve(asked.id)).await;
    assert_eq!(again, ActionRefusal::ItemClosed("resolved".to_owned()));
    check_closed(&store, asked.id, "resolved").await;
    let due = store.due(NOW.plus_seconds(60), 10).await.unwrap();
    assert_eq!(due.iter().map(|event| event.seq).collect::<Vec<_>>(), [seq]);
    settle(&store, &Policy::default(), vec![told(seq, &impossible)]).await;
    assert_ne!(the_open_one(&store).await.id, asked.id, "still impossible, so it is asked anew");
}

async fn a_question_about_an_event_is_dismissed_once(store: Store) {
    let impossible = Sale::new("a").impossible();
    learn(&store, &[Sale::new("a").bought()]).await;
    let seq = arrive(&store, &impossible.event.id).await;
    settle(&store, &Policy::default(), vec![told(seq, &impossible)]).await;
    let asked = the_open_one(&store).await;
    office::open(&store).await;
    let done = office::kept_at(&store, "ann", dismiss(asked.id), NOW.plus_seconds(60)).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));
    let again = office::refused(&store, "ann", dismiss(asked.id)).await;
    assert_eq!(again, ActionRefusal::ItemClosed("dismissed".to_owned()));
    check_closed(&store, asked.id, "dismissed").await;
    let (event, _) = store.event("evt_a_impossible".into()).await.unwrap().unwrap();
    assert_eq!(event.outcome, Some(Outcome::Quarantined), "what became of it stays");
}

/// Ann closed the item a minute later.
async fn check_closed(store: &Store, id: i64, resolution: &str) {
    let item = store.quarantine_item(id).await.unwrap().unwrap();
    assert_eq!((item.closed_at, item.resolution.as_deref()), (Some(NOW.plus_seconds(60)), Some(resolution)));
    let said = (Some("ann (key ann's)"), Some("because"));
    assert_eq!((item.closed_by.as_deref(), item.note.as_deref()), said);
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0);
}

async fn the_open_one(store: &Store) -> QuarantineRow {
    let mut open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    assert_eq!((open.total, open.rows.len()), (1, 1), "{open:?}");
    open.rows.remove(0)
}
