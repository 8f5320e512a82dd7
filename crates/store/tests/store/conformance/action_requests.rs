//! Fixtures for operators' actions: people, their keys, and requests.

use std::sync::Arc;

use ledger::{Credits, Now, Timestamp};
use store::{
    ActionRefusal, ActionRequest, ActionRow, ActionVerdict, DecidedAction, GrantTerms, Items, KeyHolder,
    KeyRow, NewAction, OperatorLimits, PersonRow, Preview, RequestedAction, Store,
};

use super::test_purchase::{NOW, tenant};

/// The limits of one person.
pub(crate) const LIMITS: OperatorLimits = OperatorLimits { per_tenant: Credits(100), total: Credits(250) };

/// A person with this name, registered at `NOW`.
pub(crate) fn person(name: &str) -> PersonRow {
    let id = format!("person_{name}");
    PersonRow { id, name: name.to_owned(), created_at: NOW, created_by: None, removed_at: None }
}

/// A key of this holder, created at `NOW`.
pub(crate) fn key(id: &str, holder: KeyHolder) -> KeyRow {
    let (id, name) = (id.to_owned(), format!("{id}'s"));
    KeyRow { id, name, holder, created_at: NOW, expires_at: None, revoked_at: None }
}

/// Registers Ann, alone, with the key `ann`.
pub(crate) async fn register_ann(store: &Store) {
    assert_eq!(store.register_first(person("ann")).await.unwrap(), person("ann"));
    let holder = KeyHolder::Person("person_ann".to_owned());
    store.create_key(key("ann", holder), [1; 32]).await.unwrap();
}

/// Registers Ann, and Bob with the key `bob`.
pub(crate) async fn register_ann_and_bob(store: &Store) {
    register_ann(store).await;
    let requested =
        submit(store, NewAction { alone: true, ..new_action("ann", add_person("bob", 2)) }, NOW).await;
    assert!(matches!(&requested, RequestedAction::Recorded { action, .. } if action.alone), "{requested:?}");
}

/// A request to register a person with a key of the same name.
pub(crate) fn add_person(name: &str, number: u8) -> ActionRequest {
    let holder = KeyHolder::Person(format!("person_{name}"));
    ActionRequest::PersonAdd { person: person(name), key: key(name, holder), hash: [number; 32] }
}

/// A request to add credits to this tenant, or to remove them.
pub(crate) fn adjustment(number: u128, credits: i64) -> ActionRequest {
    ActionRequest::Adjustment { tenant: tenant(number), credits, priority: 10, expires_at: None }
}

/// A request to resolve an item on the payment's terms.
pub(crate) fn resolve(item: i64) -> ActionRequest {
    ActionRequest::QuarantineResolve { items: Items::One(item), terms: GrantTerms::default() }
}

/// A request to resolve an item with these terms.
pub(crate) fn grant(item: i64, number: u128, credits: i64) -> ActionRequest {
    let (tenant, credits) = (Some(tenant(number)), Some(Credits(credits)));
    let terms = GrantTerms { tenant, credits, ..GrantTerms::default() };
    ActionRequest::QuarantineResolve { items: Items::One(item), terms }
}

/// A request to dismiss an item.
pub(crate) fn dismiss(item: i64) -> ActionRequest {
    ActionRequest::QuarantineDismiss { items: Items::One(item) }
}

/// An action requested with this API key, without an idempotency key.
pub(crate) fn new_action(key: &str, request: ActionRequest) -> NewAction {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let id = format!("act_{:06}", NUMBER.fetch_add(1, Ordering::Relaxed));
    NewAction {
        id,
        request,
        reason: "because".to_owned(),
        key: key.to_owned(),
        alone: false,
        idempotency_key: None,
    }
}

pub(crate) async fn submit(store: &Store, new: NewAction, at: Timestamp) -> RequestedAction {
    store.request_action(new, LIMITS, Arc::default(), Now::trusted(at)).await.unwrap()
}

/// Requests an action now; it must be recorded.
pub(crate) async fn recorded(store: &Store, key: &str, request: ActionRequest) -> ActionRow {
    recorded_at(store, key, request, NOW).await
}

pub(crate) async fn recorded_at(
    store: &Store,
    key: &str,
    request: ActionRequest,
    at: Timestamp,
) -> ActionRow {
    match submit(store, new_action(key, request), at).await {
        RequestedAction::Recorded { action, .. } => *action,
        RequestedAction::Refused(refusal) => panic!("it should be recorded: {refusal}"),
    }
}

/// Requests an action now; it must not be recorded.
pub(crate) async fn refused(store: &Store, key: &str, request: ActionRequest) -> ActionRefusal {
    match submit(store, new_action(key, request), NOW).await {
        RequestedAction::Recorded { action, .. } => panic!("it should be refused: {action:?}"),
        RequestedAction::Refused(refusal) => refusal,
    }
}

pub(crate) async fn preview(
    store: &Store,
    key: &str,
    request: ActionRequest,
) -> Result<Preview, ActionRefusal> {
    store.preview_action(new_action(key, request), LIMITS, Arc::default(), Now::trusted(NOW)).await.unwrap()
}

/// Decides an action with this key, and summarizes the result.
pub(crate) async fn decide(store: &Store, id: &str, verdict: ActionVerdict, key: &str) -> String {
    let decided =
        store.decide_action(id.to_owned(), verdict, key.to_owned(), Arc::default(), Now::trusted(NOW)).await;
    match decided.unwrap() {
        Some(DecidedAction::Decided(row)) => format!("decided: {}", row.state),
        Some(DecidedAction::AlreadyDecided(row)) => format!("already {}", row.state),
        Some(DecidedAction::SamePerson) => "the same person".to_owned(),
        Some(DecidedAction::TooNew) => "too new".to_owned(),
        Some(DecidedAction::NoRegisteredPerson) => "no registered person".to_owned(),
        Some(DecidedAction::GrantExpired) => "grant expired".to_owned(),
        None => "not found".to_owned(),
    }
}

pub(crate) async fn approve(store: &Store, id: &str, key: &str) -> String {
    decide(store, id, ActionVerdict::Approve, key).await
}
