//! Webhook endpoints: each tenant's are created, listed, changed and removed separately. Also the verbs about
//! notices when there are none.

use std::collections::HashSet;

use ledger::TenantId;
use store::{DeliveryHealth, DispatchBudget, EndpointRow, NoticeRange, SigningSecret, Store};

use super::test_purchase::{ALL, NOW, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([create_endpoint, endpoint, endpoints], an_endpoint_is_found_as_stored),
    case!([create_endpoint, endpoints], each_tenant_and_the_deployment_have_separate_limits),
    case!([delete_endpoint, endpoint], an_endpoint_is_deleted_once),
    case!([rotate_endpoint_secret, endpoint], a_rotated_secret_states_until_when_the_old_one_signs),
    case!([enable_endpoint, endpoint], only_an_existing_endpoint_can_be_enabled),
    case!(
        [due_deliveries, due_delivery, next_delivery, record_attempts, resend, deliveries],
        without_notices_nothing_is_due
    ),
    case!([notices, notice_range, prune_notices, delivery_health], without_notices_nothing_is_listed),
];

/// An endpoint that is subscribed to all types.
pub(crate) fn endpoint(id: &str, tenant: Option<TenantId>) -> EndpointRow {
    EndpointRow::new(id.to_owned(), tenant, format!("https://example.com/{id}"), vec!["*".to_owned()], NOW)
}

/// A budget that allows everything.
pub(crate) fn unlimited_budget() -> DispatchBudget {
    DispatchBudget {
        busy: Vec::new(),
        slow_endpoints: HashSet::new(),
        max_queues: 64,
        max_degraded_queues: 64,
        max_queues_per_endpoint: 8,
        max_notices_per_queue: 8,
    }
}

/// Adds endpoints whose secrets are named after them.
pub(crate) async fn create(store: &Store, endpoints: &[EndpointRow]) {
    for endpoint in endpoints {
        let secret = SigningSecret(format!("whsec_{}", endpoint.id));
        assert!(store.create_endpoint(endpoint.clone(), secret, 100).await.unwrap(), "{}", endpoint.id);
    }
}

async fn an_endpoint_is_found_as_stored(store: Store) {
    let picky = EndpointRow {
        types: vec!["credits.granted".to_owned(), "balance.low".to_owned()],
        description: "the shop's own".to_owned(),
        created_at: NOW.plus_seconds(1),
        ..endpoint("ep_a", Some(tenant(1)))
    };
    let global = endpoint("ep_b", None);
    create(&store, &[picky.clone(), endpoint("ep_c", Some(tenant(1))), global.clone()]).await;
    assert_eq!(store.endpoint("ep_a".to_owned()).await.unwrap(), Some(picky));
    assert_eq!(store.endpoint("ep_d".to_owned()).await.unwrap(), None);
    for (owner, expected) in
        [(Some(tenant(1)), &["ep_c", "ep_a"][..]), (None, &["ep_b"]), (Some(tenant(2)), &[])]
    {
        let listed = store.endpoints(owner, ALL).await.unwrap();
        let ids: Vec<_> = listed.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((ids.as_slice(), listed.total), (expected, expected.len() as i64), "{owner:?}");
    }
}

async fn each_tenant_and_the_deployment_have_separate_limits(store: Store) {
    for (id, owner, expected) in [
        ("ep_a", Some(tenant(1)), true),
        ("ep_b", Some(tenant(1)), true),
        ("ep_c", Some(tenant(1)), false),
        ("ep_d", Some(tenant(2)), true),
        ("ep_e", None, true),
        ("ep_f", None, true),
        ("ep_g", None, false),
    ] {
        let secret = SigningSecret("whsec_x".to_owned());
        assert_eq!(store.create_endpoint(endpoint(id, owner), secret, 2).await.unwrap(), expected, "{id}");
    }
    assert_eq!(store.endpoint("ep_c".to_owned()).await.unwrap(), None);
}

async fn an_endpoint_is_deleted_once(store: Store) {
    create(&store, &[endpoint("ep_a", None), endpoint("ep_b", None)]).await;
    for expected in [true, false] {
        assert_eq!(store.delete_endpoint("ep_a".to_owned()).await.unwrap(), expected);
    }
    assert_eq!(store.endpoint("ep_a".to_owned()).await.unwrap(), None);
    assert!(store.endpoint("ep_b".to_owned()).await.unwrap().is_some());
}

async fn a_rotated_secret_states_until_when_the_old_one_signs(store: Store) {
    create(&store, &[endpoint("ep_a", None)]).await;
    for (id, expected) in [("ep_a", true), ("ep_b", false)] {
        let secret = SigningSecret("whsec_new".to_owned());
        let rolled = store.rotate_endpoint_secret(id.to_owned(), secret, NOW.plus_seconds(60)).await;
        assert_eq!(rolled.unwrap(), expected, "{id}");
    }
    let found = store.endpoint("ep_a".to_owned()).await.unwrap().unwrap();
    assert_eq!(found.old_secret_until, Some(NOW.plus_seconds(60)));
}

async fn only_an_existing_endpoint_can_be_enabled(store: Store) {
    create(&store, &[endpoint("ep_a", None)]).await;
    for (id, expected) in [("ep_a", true), ("ep_b", false)] {
        assert_eq!(store.enable_endpoint(id.to_owned()).await.unwrap(), expected, "{id}");
    }
}

async fn without_notices_nothing_is_due(store: Store) {
    create(&store, &[endpoint("ep_a", None)]).await;
    assert!(store.due_deliveries(NOW, unlimited_budget()).await.unwrap().is_empty());
    assert!(store.due_delivery("ep_a".to_owned(), 1, NOW).await.unwrap().is_none());
    assert_eq!(store.next_delivery(NOW).await.unwrap(), None);
    assert_eq!(store.record_attempts(Vec::new(), NOW, NOW).await.unwrap(), []);
    assert!(!store.resend("ep_a".to_owned(), "msg_000000000001".to_owned(), NOW).await.unwrap());
    assert_eq!(store.deliveries("ep_a".to_owned(), None, ALL).await.unwrap().total, 0);
}

async fn without_notices_nothing_is_listed(store: Store) {
    assert_eq!(store.notices(None, 0, 10).await.unwrap(), []);
    assert_eq!(store.notice_range().await.unwrap(), NoticeRange::default());
    assert_eq!(store.prune_notices(NOW, 10).await.unwrap(), 0);
    assert_eq!(store.delivery_health().await.unwrap(), DeliveryHealth::default());
}
