//! Purchases: stored under their idempotency key, finished once, and abandoned if Stripe refuses.

use ledger::{Credits, Minor};
use store::{
    BegunPurchase, IdempotencyKey, NewPurchase, PurchaseOrder, PurchaseRow, PurchaseSession, Scope, Store,
};

use super::test_purchase::{NOW, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([begin_purchase, purchase, tenant], a_purchase_is_stored_under_its_idempotency_key),
    case!([begin_purchase], a_key_stands_for_one_request_of_one_tenant_and_scope),
    case!([begin_purchase], without_a_purchase_the_key_is_only_looked_up),
    case!([finish_purchase, purchase], a_purchase_is_finished_once_and_found_by_either_id),
    case!(
        [abandon_purchase, begin_purchase],
        an_abandoned_purchase_frees_its_key_and_a_finished_one_never_does
    ),
    case!([begin_purchase, finish_purchase], one_session_belongs_to_one_purchase),
];

fn new(id: &str) -> NewPurchase {
    NewPurchase {
        id: id.to_owned(),
        package: "10_credits".to_owned(),
        credits: Credits(10),
        price: Minor(25_000),
        currency: "eur".to_owned(),
        form: format!("mode=payment&client_reference_id={id}"),
    }
}

/// A request of tenant 1 with this key and fingerprint.
fn order(id: &str, key: &str, content: u8) -> PurchaseOrder {
    let idempotency_key =
        IdempotencyKey { scope: Scope::Tenant, key: key.to_owned(), fingerprint: [content; 32] };
    PurchaseOrder { tenant: tenant(1), idempotency_key, new: Some(new(id)) }
}

fn stored(id: &str) -> PurchaseRow {
    PurchaseRow { tenant: tenant(1), order: new(id), created_at: NOW, session: None }
}

fn session(id: &str) -> PurchaseSession {
    PurchaseSession {
        id: id.to_owned(),
        url: format!("https://pay/{id}"),
        expires_at: NOW.plus_seconds(86_400),
    }
}

async fn begin(store: &Store, order: PurchaseOrder) -> BegunPurchase {
    store.begin_purchase(order, NOW).await.unwrap()
}

async fn a_purchase_is_stored_under_its_idempotency_key(store: Store) {
    let first = BegunPurchase::Purchase(stored("purchase_1"));
    assert_eq!(begin(&store, order("purchase_1", "key", 1)).await, first);
    let later = store.begin_purchase(order("purchase_2", "key", 1), NOW.plus_seconds(9)).await.unwrap();
    assert_eq!(later, first, "the same request gets the same purchase, whatever its new id");
    assert_eq!(store.purchase("purchase_1".to_owned()).await.unwrap(), Some(stored("purchase_1")));
    assert_eq!(store.purchase("purchase_2".to_owned()).await.unwrap(), None);
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "the payment makes the tenant known");
}

async fn a_key_stands_for_one_request_of_one_tenant_and_scope(store: Store) {
    begin(&store, order("purchase_1", "key", 1)).await;
    assert_eq!(begin(&store, order("purchase_2", "key", 2)).await, BegunPurchase::KeyReused);
    assert_eq!(store.purchase("purchase_2".to_owned()).await.unwrap(), None);
    let another_key = order("purchase_3", "other key", 1);
    let another_tenant = PurchaseOrder { tenant: tenant(2), ..order("purchase_4", "key", 2) };
    let mut an_operators = order("purchase_5", "key", 2);
    an_operators.idempotency_key.scope = Scope::Service;
    for order in [another_key, another_tenant, an_operators] {
        let expected = PurchaseRow { tenant: order.tenant, ..stored(&order.new.as_ref().unwrap().id) };
        assert_eq!(begin(&store, order).await, BegunPurchase::Purchase(expected));
    }
}

async fn without_a_purchase_the_key_is_only_looked_up(store: Store) {
    let looks = |content| PurchaseOrder { new: None, ..order("", "key", content) };
    assert_eq!(begin(&store, looks(1)).await, BegunPurchase::NotFound);
    assert_eq!(begin(&store, looks(2)).await, BegunPurchase::NotFound, "the lookup stored nothing");
    begin(&store, order("purchase_1", "key", 1)).await;
    assert_eq!(begin(&store, looks(1)).await, BegunPurchase::Purchase(stored("purchase_1")));
    assert_eq!(begin(&store, looks(2)).await, BegunPurchase::KeyReused);
}

async fn a_purchase_is_finished_once_and_found_by_either_id(store: Store) {
    begin(&store, order("purchase_1", "key", 1)).await;
    let finish = async |id: &str, with| store.finish_purchase(id.to_owned(), session(with)).await.unwrap();
    let finished = PurchaseRow { session: Some(session("cs_1")), ..stored("purchase_1") };
    assert_eq!(finish("purchase_1", "cs_1").await, Some(finished.clone()));
    assert_eq!(finish("purchase_1", "cs_2").await, Some(finished.clone()), "the first session stays");
    assert_eq!(finish("purchase_9", "cs_9").await, None);
    for name in ["purchase_1", "cs_1"] {
        assert_eq!(store.purchase(name.to_owned()).await.unwrap(), Some(finished.clone()), "{name}");
    }
    for name in ["cs_2", "cs_9", ""] {
        assert_eq!(store.purchase(name.to_owned()).await.unwrap(), None, "{name}");
    }
    let repeated = begin(&store, order("purchase_2", "key", 1)).await;
    assert_eq!(repeated, BegunPurchase::Purchase(finished));
}

async fn an_abandoned_purchase_frees_its_key_and_a_finished_one_never_does(store: Store) {
    begin(&store, order("purchase_1", "key", 1)).await;
    assert!(store.abandon_purchase("purchase_1".to_owned()).await.unwrap());
    assert!(!store.abandon_purchase("purchase_1".to_owned()).await.unwrap(), "it is already removed");
    assert_eq!(store.finish_purchase("purchase_1".to_owned(), session("cs_1")).await.unwrap(), None);
    let anew = begin(&store, order("purchase_2", "key", 2)).await;
    assert_eq!(anew, BegunPurchase::Purchase(stored("purchase_2")), "for another request, too");
    store.finish_purchase("purchase_2".to_owned(), session("cs_2")).await.unwrap();
    assert!(!store.abandon_purchase("purchase_2".to_owned()).await.unwrap());
    assert!(store.purchase("cs_2".to_owned()).await.unwrap().is_some());
}

async fn one_session_belongs_to_one_purchase(store: Store) {
    begin(&store, order("purchase_1", "key 1", 1)).await;
    begin(&store, order("purchase_2", "key 2", 1)).await;
    store.finish_purchase("purchase_1".to_owned(), session("cs_1")).await.unwrap();
    let refused = store.finish_purchase("purchase_2".to_owned(), session("cs_1")).await.unwrap_err();
    assert!(refused.to_string().contains("nothing was written"), "{refused}");
    assert_eq!(store.purchase("purchase_2".to_owned()).await.unwrap(), Some(stored("purchase_2")));
}
