//! Notices: written once, in order, in the commit of what they report, with a delivery to each subscribed
//! endpoint.

use std::collections::{BTreeMap, BTreeSet};

use ledger::knowledge::ChargeFacts;
use ledger::{Knowledge, Now};
use store::{EndpointRow, NoticeRow, SigningSecret, Store};

use super::command_requests::{
    adjust, check_each, dry_run, execute_batch, hold_for, request, request_by, spend,
};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([notices, execute_commands, apply_events, expire_due], each_effect_has_one_notice_in_order),
    case!([notices, execute_commands], no_effect_means_no_notice),
    case!([deliveries, execute_commands, apply_events], each_endpoint_receives_the_types_it_subscribed_to),
    case!([notices, apply_events], notice_ids_are_unique),
];

async fn all_notices(store: &Store) -> Vec<NoticeRow> {
    store.notices(None, 0, 1000).await.unwrap()
}

fn kinds(notices: &[NoticeRow]) -> Vec<&str> {
    notices.iter().map(|notice| notice.kind.as_str()).collect()
}

async fn each_effect_has_one_notice_in_order(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought(), purchase.charged()]).await;
    let lines = [(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (1, spend(6), "1:6 | 0 4 0 0")];
    check_each(&store, &lines).await;
    apply(&store, &[purchase.refunded(500)]).await;
    store.expire_due(Now::trusted(NOW.plus_seconds(60)), 10).await.unwrap();
    let notices = all_notices(&store).await;
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
    let fields = [&spent["tenant_id"], &spent["transaction_id"], &spent["credits"], &spent["balance_after"]];
    assert_eq!(fields, [&tenant(1).to_string().into(), &3.into(), &6.into(), &balance]);
    assert_eq!(notices[3].at, NOW.plus_seconds(1));
}

async fn no_effect_means_no_notice(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let done = request("done", spend(1));
    let requests = vec![
        done.clone(),
        done,
        request("refused", spend(99)),
        dry_run(request("dry", spend(1))),
        // Deciding it panics.
        request("too much", adjust(i64::MAX, 50, None)),
    ];
    execute_batch(&store, requests, NOW).await;
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    assert_eq!(kinds(&all_notices(&store).await), ["credits.granted", "credits.spent"]);
}

async fn each_endpoint_receives_the_types_it_subscribed_to(store: Store) {
    let endpoint = async |id: &str, tenant, types: &[&str]| {
        let types = types.iter().map(ToString::to_string).collect();
        let row = EndpointRow::new(id.to_owned(), tenant, "http://127.0.0.1:1/".to_owned(), types, NOW);
        assert!(store.create_endpoint(row, SigningSecret("whsec_".to_owned()), 100).await.unwrap());
    };
    apply(&store, &[TestPurchase::new("early").bought()]).await;
    endpoint("ep_all", None, &["*"]).await;
    endpoint("ep_spent", None, &["credits.spent", "hold.created"]).await;
    endpoint("ep_one", Some(tenant(1)), &["*"]).await;
    endpoint("ep_two", Some(tenant(2)), &["credits.granted"]).await;
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).bought()]).await;
    execute_batch(&store, vec![request("1", spend(1)), request_by(tenant(2), "2", spend(1))], NOW).await;

    let delivered_to = async |id: &str| {
        let listing = store.deliveries(id.to_owned(), None, ALL).await.unwrap();
        let delivered = listing.rows.iter().map(|row| format!("{} {}", row.tenant.0.as_u128(), row.kind));
        delivered.collect::<Vec<_>>().join(", ")
    };
    let all = "1 credits.granted, 2 credits.granted, 1 credits.spent, 2 credits.spent";
    assert_eq!(delivered_to("ep_all").await, all, "nothing from before it was created");
    assert_eq!(delivered_to("ep_spent").await, "1 credits.spent, 2 credits.spent");
    assert_eq!(delivered_to("ep_one").await, "1 credits.granted, 1 credits.spent");
    assert_eq!(delivered_to("ep_two").await, "2 credits.granted");
}

async fn notice_ids_are_unique(store: Store) {
    // If nothing is posted between two equal notices, only their sequence numbers differ.
    let purchase = TestPurchase::new("a");
    let failed = |number| {
        let charges = BTreeMap::from([(
            format!("ch_{number}").as_str().into(),
            ChargeFacts { failed: true, ..ChargeFacts::default() },
        )]);
        purchase.fact(&format!("failed_{number}"), Knowledge { charges, ..Knowledge::default() })
    };
    apply(&store, &[purchase.completed_unpaid(), failed(1), failed(2), failed(3)]).await;
    apply(&store, &[failed(4), purchase.bought(), TestPurchase::new("b").bought()]).await;
    let notices = all_notices(&store).await;
    assert_eq!(notices.len(), 6, "{notices:?}");
    let names: BTreeSet<_> = notices.iter().map(|notice| notice.id.as_str()).collect();
    assert_eq!(names.len(), 6);
    let is_name = |id: &str| id.strip_prefix("msg_").is_some_and(|hex| hex.len() == 32);
    assert!(names.iter().all(|id| is_name(id)), "{names:?}");
}
