//! API keys are stored and found by the hash of their secret.

use ledger::Credits;
use store::{Access, KeyHolder, KeyRow, Store};

use super::test_purchase::{NOW, TestPurchase, apply, balance, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([create_key, find_key, keys], a_key_is_found_by_its_hash),
    case!([create_key, tenant], a_key_makes_its_tenant_known_and_changes_no_balance),
    case!([create_key, keys], key_ids_and_secrets_are_unique),
];

fn key(id: &str, tenant_number: Option<u128>) -> KeyRow {
    KeyRow {
        id: id.to_owned(),
        name: "the shop's".to_owned(),
        holder: tenant_number.map_or(KeyHolder::Machine, |number| KeyHolder::Tenant {
            tenant: tenant(number),
            access: Access::Full,
        }),
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}

async fn a_key_is_found_by_its_hash(store: Store) {
    let operator = KeyRow { created_at: NOW.plus_seconds(2), ..key("key_a", None) };
    let limited = KeyRow { expires_at: Some(NOW.plus_seconds(9)), ..key("key_b", Some(1)) };
    store.create_key(operator.clone(), [1; 32]).await.unwrap();
    store.create_key(limited.clone(), [2; 32]).await.unwrap();
    assert_eq!(store.find_key([1; 32]).await.unwrap(), Some(operator.clone()));
    assert_eq!(store.find_key([2; 32]).await.unwrap(), Some(limited.clone()));
    assert_eq!(store.find_key([3; 32]).await.unwrap(), None);
    let more = [("key_c", KeyHolder::Service), ("key_d", KeyHolder::Person("person_a".to_owned()))];
    let more = more.map(|(id, holder)| KeyRow { holder, created_at: NOW.plus_seconds(3), ..key(id, None) });
    for (number, one) in (4..).zip(&more) {
        store.create_key(one.clone(), [number; 32]).await.unwrap();
        assert_eq!(store.find_key([number; 32]).await.unwrap().as_ref(), Some(one));
    }
    let [service, person] = more;
    assert_eq!(store.keys().await.unwrap(), [limited, operator, service, person], "oldest first");
}

async fn a_key_makes_its_tenant_known_and_changes_no_balance(store: Store) {
    store.create_key(key("key_a", Some(1)), [1; 32]).await.unwrap();
    assert_eq!(balance(&store, 1).await, [0; 4]);
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    store.create_key(key("key_b", Some(1)), [2; 32]).await.unwrap();
    assert_eq!(store.tenant(tenant(1)).await.unwrap().unwrap().balance.available, Credits(10));
}

async fn key_ids_and_secrets_are_unique(store: Store) {
    store.create_key(key("key_a", None), [1; 32]).await.unwrap();
    for (id, hash) in [("key_a", [2; 32]), ("key_b", [1; 32])] {
        let refused = store.create_key(key(id, Some(2)), hash).await.unwrap_err().to_string();
        assert!(refused.contains("nothing was written"), "{refused}");
    }
    assert_eq!(store.keys().await.unwrap(), [key("key_a", None)]);
    assert!(store.tenant(tenant(2)).await.unwrap().is_none(), "its tenant did not become known either");
}
