//! What the store must do when something happens: tell it, in its order, in the same commit, once, to each
//! endpoint that wants to know.
//! Not here: endpoints and what becomes of a delivery (`endpoints`).

use std::collections::{BTreeMap, BTreeSet};

use ledger::knowledge::ChargeFacts;
use ledger::{Knowledge, Now};
use store::{EndpointRow, NoticeRow, SigningSecret, Store};

use super::requests::{batch, dry, give, hold_for, order, order_of, spend, statement};
use super::sale::{ALL, NOW, Sale, learn, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([notices, execute_commands, apply_events, sweep], what_happens_is_told_once_and_in_its_order),
    case!([notices, execute_commands], what_does_not_happen_is_not_told),
    case!([deliveries, execute_commands, apply_events], each_endpoint_is_told_what_it_wants_to_know),
    case!([notices, apply_events], no_two_notices_have_one_name),
];

async fn told(store: &Store) -> Vec<NoticeRow> {
    store.notices(None, 0, 1000).await.unwrap()
}

fn kinds(notices: &[NoticeRow]) -> Vec<&str> {
    notices.iter().map(|notice| notice.kind.as_str()).collect()
}

async fn what_happens_is_told_once_and_in_its_order(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought(), sale.charged()]).await;
    let lines = [(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (1, spend(6), "1:6 | 0 4 0 0")];
    statement(&store, &lines).await;
    learn(&store, &[sale.refunded(500)]).await;
    store.sweep(Now::trusted(NOW.plus_seconds(60)), 10).await.unwrap();
    let notices = told(&store).await;
    let expected = [
        "credits.granted",
        "payment.finalized",
        "hold.created",
        "credits.spent",
        "credits.revoked",
        "debt.created",
        "hold.expired",
        "debt.repaid",
    ];
    assert_eq!(kinds(&notices), expected);
    assert!(notices.is_sorted_by_key(|notice| notice.seq));
    assert!(notices.iter().all(|notice| notice.tenant == tenant(1)));
    let spent: serde_json::Value = serde_json::from_str(&notices[3].data).unwrap();
    let balance = serde_json::json!({ "available": 0, "held": 4, "frozen": 0, "debt": 0, "balance": 4 });
    let told = [&spent["tenant_id"], &spent["transaction_id"], &spent["credits"], &spent["balance_after"]];
    assert_eq!(told, [&tenant(1).to_string().into(), &3.into(), &6.into(), &balance]);
    assert_eq!(notices[3].at, NOW.plus_seconds(1));
}

async fn what_does_not_happen_is_not_told(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let done = order("done", spend(1));
    let again = vec![
        done.clone(),
        done,
        order("refused", spend(99)),
        dry(order("dry", spend(1))),
        // Deciding it panics.
        order("too much", give(i64::MAX, 50, None)),
    ];
    batch(&store, again, NOW).await;
    learn(&store, &[Sale::new("a").bought()]).await;
    assert_eq!(kinds(&told(&store).await), ["credits.granted", "credits.spent"]);
}

async fn each_endpoint_is_told_what_it_wants_to_know(store: Store) {
    let endpoint = async |id: &str, tenant, types: &[&str]| {
        let types = types.iter().map(ToString::to_string).collect();
        let row = EndpointRow::new(id.to_owned(), tenant, "http://127.0.0.1:1/".to_owned(), types, NOW);
        assert!(store.create_endpoint(row, SigningSecret("whsec_".to_owned()), 100).await.unwrap());
    };
    learn(&store, &[Sale::new("early").bought()]).await;
    endpoint("ep_all", None, &["*"]).await;
    endpoint("ep_spent", None, &["credits.spent", "hold.created"]).await;
    endpoint("ep_one", Some(tenant(1)), &["*"]).await;
    endpoint("ep_two", Some(tenant(2)), &["credits.granted"]).await;
    learn(&store, &[Sale::new("a").bought(), Sale::new("b").to(2).bought()]).await;
    batch(&store, vec![order("1", spend(1)), order_of(tenant(2), "2", spend(1))], NOW).await;

    let told = async |id: &str| {
        let listing = store.deliveries(id.to_owned(), None, ALL).await.unwrap();
        let told = listing.rows.iter().map(|row| format!("{} {}", row.tenant.0.as_u128(), row.kind));
        told.collect::<Vec<_>>().join(", ")
    };
    let all = "1 credits.granted, 2 credits.granted, 1 credits.spent, 2 credits.spent";
    assert_eq!(told("ep_all").await, all, "nothing of what was before it");
    assert_eq!(told("ep_spent").await, "1 credits.spent, 2 credits.spent");
    assert_eq!(told("ep_one").await, "1 credits.granted, 1 credits.spent");
    assert_eq!(told("ep_two").await, "2 credits.granted");
}

async fn no_two_notices_have_one_name(store: Store) {
    // Where nothing is posted between two, and both tell the same, nothing but their order sets them apart.
    let sale = Sale::new("a");
    let failed = |number| {
        let charges = BTreeMap::from([(
            format!("ch_{number}").as_str().into(),
            ChargeFacts { failed: true, ..ChargeFacts::default() },
        )]);
        sale.fact(&format!("failed_{number}"), Knowledge { charges, ..Knowledge::default() })
    };
    learn(&store, &[sale.ordered(), failed(1), failed(2), failed(3)]).await;
    learn(&store, &[failed(4), sale.bought(), Sale::new("b").bought()]).await;
    let notices = told(&store).await;
    assert_eq!(notices.len(), 6, "{notices:?}");
    let names: BTreeSet<_> = notices.iter().map(|notice| notice.id.as_str()).collect();
    assert_eq!(names.len(), 6);
    let is_name = |id: &str| id.strip_prefix("msg_").is_some_and(|hex| hex.len() == 32);
    assert!(names.iter().all(|id| is_name(id)), "{names:?}");
}
