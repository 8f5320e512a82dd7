//! API keys: stored by the hash of their secret, found by it, revoked for good.

use ledger::Credits;
use store::{KeyRow, RotatedKey, Store};

use super::sale::{NOW, Sale, balance, learn, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([create_key, find_key, keys], a_key_is_found_by_its_hash_as_it_was_written),
    case!([revoke_key, find_key, keys], a_key_is_revoked_once_and_stays_on_the_list),
    case!([revoke_key, find_key], a_revocation_that_nobody_waits_for_counts),
    case!([create_key, tenant], a_key_makes_its_tenant_known_and_leaves_a_balance_alone),
    case!([rotate_key, find_key, keys], a_key_is_replaced_and_never_works_longer_for_it),
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
    // Whoever was just asked about it must not remember it.
    assert_eq!(store.find_key([1; 32]).await.unwrap(), Some(key("key_a", Some(1))));
    assert!(!store.revoke_key("key_b".to_owned(), NOW).await.unwrap());
    assert!(store.revoke_key("key_a".to_owned(), NOW.plus_seconds(1)).await.unwrap());
    assert!(!store.revoke_key("key_a".to_owned(), NOW.plus_seconds(2)).await.unwrap());
    let revoked = KeyRow { revoked_at: Some(NOW.plus_seconds(1)), ..key("key_a", Some(1)) };
    assert_eq!(store.find_key([1; 32]).await.unwrap(), Some(revoked.clone()));
    assert_eq!(store.keys().await.unwrap(), [revoked]);
}

/// The client went away: what it asked for is done, and everybody hears of it.
async fn a_revocation_that_nobody_waits_for_counts(store: Store) {
    for number in 0..20 {
        let (id, hash) = (format!("key_{number}"), [number; 32]);
        store.create_key(key(&id, Some(1)), hash).await.unwrap();
        store.find_key(hash).await.unwrap();
        {
            let mut revoking = std::pin::pin!(store.revoke_key(id, NOW));
            let asked = std::future::poll_fn(|context| {
                let _ = revoking.as_mut().poll(context);
                std::task::Poll::Ready(())
            });
            asked.await;
        }
        // Whatever is written after it is answered after it.
        store.create_key(key(&format!("later_{number}"), None), [number + 100; 32]).await.unwrap();
        assert_eq!(store.find_key(hash).await.unwrap().unwrap().revoked_at, Some(NOW));
    }
}

async fn a_key_makes_its_tenant_known_and_leaves_a_balance_alone(store: Store) {
    store.create_key(key("key_a", Some(1)), [1; 32]).await.unwrap();
    assert_eq!(balance(&store, 1).await, [0; 4]);
    learn(&store, &[Sale::new("a").bought()]).await;
    store.create_key(key("key_b", Some(1)), [2; 32]).await.unwrap();
    assert_eq!(store.tenant(tenant(1)).await.unwrap().unwrap().balance.available, Credits(10));
}

async fn a_key_is_replaced_and_never_works_longer_for_it(store: Store) {
    let at = |seconds| NOW.plus_seconds(seconds);
    let limited = KeyRow { expires_at: Some(at(50)), ..key("limited", Some(1)) };
    store.create_key(key("open", Some(1)), [1; 32]).await.unwrap();
    store.create_key(limited.clone(), [2; 32]).await.unwrap();
    store.create_key(key("revoked", Some(1)), [3; 32]).await.unwrap();
    assert!(store.revoke_key("revoked".to_owned(), NOW).await.unwrap());

    // What is replaced; seconds from then until its end: the end of the new one, and of the old.
    let rows: [(KeyRow, u8, i64, Option<_>, _); 2] =
        [(key("open", Some(1)), 1, 99, None, at(109)), (limited, 2, 99, Some(at(50)), at(50))];
    for (old, number, overlap, new_end, old_end) in rows {
        let (id, hash) = (format!("new_{}", old.id), [number + 10; 32]);
        assert_eq!(store.find_key([number; 32]).await.unwrap(), Some(old.clone()));
        let rotated = store.rotate_key(old.id.clone(), id.clone(), hash, at(10), at(10 + overlap)).await;
        let new = KeyRow { id, created_at: at(10), expires_at: new_end, ..old.clone() };
        let old = KeyRow { expires_at: Some(old_end), ..old };
        assert_eq!(rotated.unwrap(), Some(RotatedKey { key: new.clone(), replaced: old.clone() }));
        assert_eq!(store.find_key(hash).await.unwrap(), Some(new));
        assert_eq!(store.find_key([number; 32]).await.unwrap(), Some(old), "found by its secret as before");
    }
    // Ended, revoked, unknown; and nothing changes where the new secret is taken.
    for (id, now) in [("open", 109), ("limited", 50), ("revoked", 0), ("nobody", 0)] {
        let none = store.rotate_key(id.to_owned(), "key_x".to_owned(), [20; 32], at(now), at(200)).await;
        assert_eq!(none.unwrap(), None, "{id}");
    }
    let before = store.keys().await.unwrap();
    let taken = store.rotate_key("open".to_owned(), "key_x".to_owned(), [2; 32], at(20), at(30)).await;
    assert!(taken.is_err());
    assert_eq!(store.keys().await.unwrap(), before);
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
