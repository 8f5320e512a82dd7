//! Checkouts that were asked for: pinned under their key, finished once, freed where Stripe refused.

use ledger::{Credits, Minor};
use store::{
    BegunPurchase, IdempotencyKey, NewPurchase, Purchase, PurchaseOrder, PurchaseSession, Scope, Store,
};

use super::sale::{NOW, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([begin_purchase, purchase, tenant], a_purchase_is_pinned_under_its_key_as_it_was_asked_for),
    case!([begin_purchase], a_key_stands_for_one_content_of_one_tenant_and_scope),
    case!([begin_purchase], without_anything_to_keep_it_only_looks),
    case!([finish_purchase, purchase], a_purchase_is_finished_once_and_found_by_either_name),
    case!([abandon_purchase, begin_purchase], a_refused_purchase_frees_its_key_and_a_finished_one_never_does),
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

/// Tenant 1's command of this key, which asks for what this number says.
fn order(id: &str, key: &str, content: u8) -> PurchaseOrder {
    let pin = IdempotencyKey { scope: Scope::Tenant, key: key.to_owned(), fingerprint: [content; 32] };
    PurchaseOrder { tenant: tenant(1), pin, new: Some(new(id)) }
}

fn kept(id: &str) -> Purchase {
    Purchase { tenant: tenant(1), order: new(id), created_at: NOW, session: None }
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

async fn a_purchase_is_pinned_under_its_key_as_it_was_asked_for(store: Store) {
    let first = BegunPurchase::Purchase(kept("purchase_1"));
    assert_eq!(begin(&store, order("purchase_1", "key", 1)).await, first);
    let later = store.begin_purchase(order("purchase_2", "key", 1), NOW.plus_seconds(9)).await.unwrap();
    assert_eq!(later, first, "the same command is the same purchase, whatever id was drawn for it");
    assert_eq!(store.purchase("purchase_1".to_owned()).await.unwrap(), Some(kept("purchase_1")));
    assert_eq!(store.purchase("purchase_2".to_owned()).await.unwrap(), None);
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "its tenant is known by its payment");
}

async fn a_key_stands_for_one_content_of_one_tenant_and_scope(store: Store) {
    begin(&store, order("purchase_1", "key", 1)).await;
    assert_eq!(begin(&store, order("purchase_2", "key", 2)).await, BegunPurchase::KeyReused);
    assert_eq!(store.purchase("purchase_2".to_owned()).await.unwrap(), None);
    let another_key = order("purchase_3", "other key", 1);
    let another_tenant = PurchaseOrder { tenant: tenant(2), ..order("purchase_4", "key", 2) };
    let mut an_operators = order("purchase_5", "key", 2);
    an_operators.pin.scope = Scope::Service;
    for order in [another_key, another_tenant, an_operators] {
        let expected = Purchase { tenant: order.tenant, ..kept(&order.new.as_ref().unwrap().id) };
        assert_eq!(begin(&store, order).await, BegunPurchase::Purchase(expected));
    }
}

async fn without_anything_to_keep_it_only_looks(store: Store) {
    let looks = |content| PurchaseOrder { new: None, ..order("", "key", content) };
    assert_eq!(begin(&store, looks(1)).await, BegunPurchase::Nothing);
    assert_eq!(begin(&store, looks(2)).await, BegunPurchase::Nothing, "nothing was pinned by looking");
    begin(&store, order("purchase_1", "key", 1)).await;
    assert_eq!(begin(&store, looks(1)).await, BegunPurchase::Purchase(kept("purchase_1")));
    assert_eq!(begin(&store, looks(2)).await, BegunPurchase::KeyReused);
}

async fn a_purchase_is_finished_once_and_found_by_either_name(store: Store) {
    begin(&store, order("purchase_1", "key", 1)).await;
    let finish = async |id: &str, with| store.finish_purchase(id.to_owned(), session(with)).await.unwrap();
    let finished = Purchase { session: Some(session("cs_1")), ..kept("purchase_1") };
    assert_eq!(finish("purchase_1", "cs_1").await, Some(finished.clone()));
    assert_eq!(finish("purchase_1", "cs_2").await, Some(finished.clone()), "the first answer stays");
    assert_eq!(finish("purchase_9", "cs_9").await, None);
    for name in ["purchase_1", "cs_1"] {
        assert_eq!(store.purchase(name.to_owned()).await.unwrap(), Some(finished.clone()), "{name}");
    }
    for name in ["cs_2", "cs_9", ""] {
        assert_eq!(store.purchase(name.to_owned()).await.unwrap(), None, "{name}");
    }
    let again = begin(&store, order("purchase_2", "key", 1)).await;
    assert_eq!(again, BegunPurchase::Purchase(finished));
}

async fn a_refused_purchase_frees_its_key_and_a_finished_one_never_does(store: Store) {
    begin(&store, order("purchase_1", "key", 1)).await;
    assert!(store.abandon_purchase("purchase_1".to_owned()).await.unwrap());
    assert!(!store.abandon_purchase("purchase_1".to_owned()).await.unwrap(), "it is gone");
    assert_eq!(store.finish_purchase("purchase_1".to_owned(), session("cs_1")).await.unwrap(), None);
    let anew = begin(&store, order("purchase_2", "key", 2)).await;
    assert_eq!(anew, BegunPurchase::Purchase(kept("purchase_2")), "another content, too");
    store.finish_purchase("purchase_2".to_owned(), session("cs_2")).await.unwrap();
    assert!(!store.abandon_purchase("purchase_2".to_owned()).await.unwrap());
    assert!(store.purchase("cs_2".to_owned()).await.unwrap().is_some());
}

async fn one_session_belongs_to_one_purchase(store: Store) {
    begin(&store, order("purchase_1", "key 1", 1)).await;
    begin(&store, order("purchase_2", "key 2", 1)).await;
    store.finish_purchase("purchase_1".to_owned(), session("cs_1")).await.unwrap();
    let refused = store.finish_purchase("purchase_2".to_owned(), session("cs_1")).await.unwrap_err();
    assert!(refused.to_string().contains("nothing of it was written"), "{refused}");
    assert_eq!(store.purchase("purchase_2".to_owned()).await.unwrap(), Some(kept("purchase_2")));
}
