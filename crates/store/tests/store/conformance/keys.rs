//! API keys: stored by the hash of their secret, found by it, revoked for good.

use ledger::Credits;
use store::{KeyRow, Store};

use super::sale::{NOW, Sale, balance, learn, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([create_key, find_key, keys], a_key_is_found_by_its_hash_as_it_was_written),
    case!([revoke_key, find_key, keys], a_key_is_revoked_once_and_stays_on_the_list),
    case!([create_key, tenant], a_key_makes_its_tenant_known_and_leaves_a_balance_alone),
    case!([create_key, keys], neither_a_name_nor_a_secret_is_given_twice),
];

fn key(id: &str, tenant_number: Option<u128>) -> KeyRow {
    KeyRow {
        id: id.to_owned(),
        name: "the shop's".to_owned(),
        tenant: tenant_number.map(tenant),
        permissions: vec!["credits:read".to_owned(), "credits:write".to_owned()],
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}

async fn a_key_is_found_by_its_hash_as_it_was_written(store: Store) {
    let operator = KeyRow { permissions: Vec::new(), created_at: NOW.plus_seconds(2), ..key("key_a", None) };
    let limited = KeyRow { expires_at: Some(NOW.plus_seconds(9)), ..key("key_b", Some(1)) };
    store.create_key(operator.clone(), [1; 32]).await.unwrap();
    store.create_key(limited.clone(), [2; 32]).await.unwrap();
    assert_eq!(store.find_key([1; 32]).await.unwrap(), Some(operator.clone()));
    assert_eq!(store.find_key([2; 32]).await.unwrap(), Some(limited.clone()));
    assert_eq!(store.find_key([3; 32]).await.unwrap(), None);
    assert_eq!(store.keys().await.unwrap(), [limited, operator], "the oldest first");
}

async fn a_key_is_revoked_once_and_stays_on_the_list(store: Store) {
    store.create_key(key("key_a", Some(1)), [1; 32]).await.unwrap();
    assert!(!store.revoke_key("key_b".to_owned(), NOW).await.unwrap());
    assert!(store.revoke_key("key_a".to_owned(), NOW.plus_seconds(1)).await.unwrap());
    assert!(!store.revoke_key("key_a".to_owned(), NOW.plus_seconds(2)).await.unwrap());
    let revoked = KeyRow { revoked_at: Some(NOW.plus_seconds(1)), ..key("key_a", Some(1)) };
    assert_eq!(store.find_key([1; 32]).await.unwrap(), Some(revoked.clone()));
    assert_eq!(store.keys().await.unwrap(), [revoked]);
}

async fn a_key_makes_its_tenant_known_and_leaves_a_balance_alone(store: Store) {
    store.create_key(key("key_a", Some(1)), [1; 32]).await.unwrap();
    assert_eq!(balance(&store, 1).await, [0; 4]);
    learn(&store, &[Sale::new("a").bought()]).await;
    store.create_key(key("key_b", Some(1)), [2; 32]).await.unwrap();
    assert_eq!(store.tenant(tenant(1)).await.unwrap().unwrap().balance.available, Credits(10));
}

async fn neither_a_name_nor_a_secret_is_given_twice(store: Store) {
    store.create_key(key("key_a", None), [1; 32]).await.unwrap();
    for (id, hash) in [("key_a", [2; 32]), ("key_b", [1; 32])] {
        let refused = store.create_key(key(id, Some(2)), hash).await.unwrap_err().to_string();
        assert!(refused.contains("nothing of it was written"), "{refused}");
    }
    assert_eq!(store.keys().await.unwrap(), [key("key_a", None)]);
    assert!(store.tenant(tenant(2)).await.unwrap().is_none(), "nor did its tenant become known");
}
