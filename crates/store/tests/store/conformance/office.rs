//! The words that the cases about operators are written in: people, their keys, and what they ask for.

use std::sync::Arc;

use ledger::{Credits, Now, Timestamp};
use store::{
    ActionDecided, ActionRefusal, ActionRequest, ActionRow, ActionVerdict, Asked, GrantTerms, Items,
    KeyHolder, KeyRow, NewAction, OperatorLimits, PersonRow, Preview, Store,
};

use super::sale::{NOW, tenant};

/// What one person may move.
pub(crate) const LIMITS: OperatorLimits = OperatorLimits { per_tenant: Credits(100), total: Credits(250) };

/// A person of this name, since `NOW`.
pub(crate) fn person(name: &str) -> PersonRow {
    let id = format!("person_{name}");
    PersonRow { id, name: name.to_owned(), created_at: NOW, created_by: None, removed_at: None }
}

/// A key of this holder, since `NOW`.
pub(crate) fn key(id: &str, holder: KeyHolder) -> KeyRow {
    let (id, name) = (id.to_owned(), format!("{id}'s"));
    KeyRow { id, name, holder, created_at: NOW, expires_at: None, revoked_at: None }
}

/// Registers Ann, alone, with the key `ann`.
pub(crate) async fn open(store: &Store) {
    assert_eq!(store.register_first(person("ann")).await.unwrap(), person("ann"));
    let holder = KeyHolder::Person("person_ann".to_owned());
    store.create_key(key("ann", holder), [1; 32]).await.unwrap();
}

/// Registers Ann, and Bob with the key `bob`.
pub(crate) async fn open_for_two(store: &Store) {
    open(store).await;
    let asked = ask(store, NewAction { alone: true, ..new("ann", add("bob", 2)) }, NOW).await;
    assert!(matches!(&asked, Asked::Kept { action, .. } if action.alone), "{asked:?}");
}

/// Register a person, with a key of their name.
pub(crate) fn add(name: &str, number: u8) -> ActionRequest {
    let holder = KeyHolder::Person(format!("person_{name}"));
    ActionRequest::PersonAdd { person: person(name), key: key(name, holder), hash: [number; 32] }
}

/// Give so many credits to this tenant, or take them.
pub(crate) fn give(number: u128, credits: i64) -> ActionRequest {
    ActionRequest::Adjustment { tenant: tenant(number), credits, priority: 10, expires_at: None }
}

/// Resolve one quarantine item, as the payment says.
pub(crate) fn resolve(item: i64) -> ActionRequest {
    ActionRequest::QuarantineResolve { items: Items::One(item), terms: GrantTerms::default() }
}

/// Resolve one quarantine item: so many credits to this tenant.
pub(crate) fn grant(item: i64, number: u128, credits: i64) -> ActionRequest {
    let (tenant, credits) = (Some(tenant(number)), Some(Credits(credits)));
    let terms = GrantTerms { tenant, credits, ..GrantTerms::default() };
    ActionRequest::QuarantineResolve { items: Items::One(item), terms }
}

/// Dismiss one quarantine item.
pub(crate) fn dismiss(item: i64) -> ActionRequest {
    ActionRequest::QuarantineDismiss { items: Items::One(item) }
}

/// Asked for with this key, without a name.
pub(crate) fn new(key: &str, request: ActionRequest) -> NewAction {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let id = format!("act_{:06}", NUMBER.fetch_add(1, Ordering::Relaxed));
    NewAction { id, request, reason: "because".to_owned(), key: key.to_owned(), alone: false, name: None }
}

pub(crate) async fn ask(store: &Store, new: NewAction, at: Timestamp) -> Asked {
    store.ask_action(new, LIMITS, Arc::default(), Now::trusted(at)).await.unwrap()
}

/// Asked for now with this key; it must be kept.
pub(crate) async fn kept(store: &Store, key: &str, request: ActionRequest) -> ActionRow {
    kept_at(store, key, request, NOW).await
}

pub(crate) async fn kept_at(store: &Store, key: &str, request: ActionRequest, at: Timestamp) -> ActionRow {
    match ask(store, new(key, request), at).await {
        Asked::Kept { action, .. } => *action,
        Asked::Refused(refusal) => panic!("it should be kept: {refusal}"),
    }
}

/// Asked for now with this key; it must not be kept.
pub(crate) async fn refused(store: &Store, key: &str, request: ActionRequest) -> ActionRefusal {
    match ask(store, new(key, request), NOW).await {
        Asked::Kept { action, .. } => panic!("it should be refused: {action:?}"),
        Asked::Refused(refusal) => refusal,
    }
}

pub(crate) async fn preview(
    store: &Store,
    key: &str,
    request: ActionRequest,
) -> Result<Preview, ActionRefusal> {
    store.preview_action(new(key, request), LIMITS, Arc::default(), Now::trusted(NOW)).await.unwrap()
}

/// What became of the word of whoever has this key, in a few words.
pub(crate) async fn decide(store: &Store, id: &str, verdict: ActionVerdict, key: &str) -> String {
    let decided =
        store.decide_action(id.to_owned(), verdict, key.to_owned(), Arc::default(), Now::trusted(NOW)).await;
    match decided.unwrap() {
        Some(ActionDecided::Counted(row)) => format!("counted: {}", row.state),
        Some(ActionDecided::Already(row)) => format!("already: {}", row.state),
        Some(ActionDecided::SamePerson) => "the same person".to_owned(),
        Some(ActionDecided::TooNew) => "too new".to_owned(),
        Some(ActionDecided::NobodyActs) => "nobody acts".to_owned(),
        Some(ActionDecided::Ended) => "ended".to_owned(),
        None => "no such".to_owned(),
    }
}

pub(crate) async fn approve(store: &Store, id: &str, key: &str) -> String {
    decide(store, id, ActionVerdict::Approve, key).await
}
