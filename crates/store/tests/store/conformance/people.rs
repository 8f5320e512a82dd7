//! People and their keys: registration, keys that need two people, and recovery.

use ledger::{Credits, Timestamp};
use store::{
    Access, ActionKind, ActionRefusal, ActionRequest, ActionState, KeyHolder, KeyRow, NewAction, PersonRow,
    Recovery, RequestedAction, Store,
};

use super::action_requests::{
    add_person, adjustment, approve, key, new_action, person, recorded, refused, register_ann,
    register_ann_and_bob, submit,
};
use super::test_purchase::{ALL, NOW, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([register_first, people], the_first_person_is_registered_once),
    case!([request_action, people], a_second_person_is_added_with_a_key_and_removed_with_it),
    case!([request_action, find_key, keys], keys_that_grant_access_need_two_people),
    case!([request_action, find_key], a_rotated_key_never_expires_later_than_before),
    case!([request_action, find_key], a_revocation_that_nobody_awaits_takes_effect),
    case!([recover, people], people_who_lost_access_are_replaced),
    case!([action_totals], completed_actions_are_summed),
];

async fn the_first_person_is_registered_once(store: Store) {
    assert_eq!(store.register_first(person("ann")).await.unwrap(), person("ann"));
    assert_eq!(store.register_first(person("bob")).await.unwrap(), person("ann"), "somebody is registered");
    assert_eq!(store.people().await.unwrap(), [person("ann")]);
}

async fn a_second_person_is_added_with_a_key_and_removed_with_it(store: Store) {
    store.register_first(person("ann")).await.unwrap();
    store.create_key(key("machine", KeyHolder::Machine), [9; 32]).await.unwrap();
    let alone = |key: &str, request| NewAction { alone: true, ..new_action(key, request) };
    // The machine's key acts for the only person. With two people it acts for nobody, so Ann needs her own
    // key first.
    assert_eq!(
        submit(&store, alone("machine", add_person("bob", 2)), NOW).await,
        RequestedAction::Refused(ActionRefusal::OwnKeyRequired)
    );
    let own = key("ann", KeyHolder::Person("person_ann".to_owned()));
    let create = ActionRequest::KeyCreate { key: own, hash: [1; 32] };
    assert!(matches!(submit(&store, alone("machine", create), NOW).await, RequestedAction::Recorded { .. }));
    assert_eq!(
        submit(&store, alone("ann", add_person("ANN", 2)), NOW).await,
        RequestedAction::Refused(ActionRefusal::NameTaken),
        "ignoring case"
    );
    assert!(matches!(
        submit(&store, alone("ann", add_person("bob", 2)), NOW).await,
        RequestedAction::Recorded { .. }
    ));
    let bob = PersonRow { created_by: Some("person_ann".to_owned()), ..person("bob") };
    assert_eq!(store.people().await.unwrap(), [person("ann"), bob.clone()]);
    assert_eq!(refused(&store, "machine", adjustment(1, 1)).await, ActionRefusal::NoRegisteredPerson);
    let machine = ActionRequest::KeyRotate {
        id: "machine".to_owned(),
        new_id: "machine_1".to_owned(),
        hash: [7; 32],
        grace_seconds: 0,
    };
    assert_eq!(recorded(&store, "ann", machine).await.state, ActionState::Waiting);
    assert_eq!(recorded(&store, "bob", adjustment(1, 1)).await.asked_by.name, "bob");

    let remove = |id: &str| ActionRequest::PersonRemove { id: id.to_owned() };
    assert_eq!(refused(&store, "ann", remove("person_eve")).await, ActionRefusal::NoSuchPerson);
    let removal = recorded(&store, "ann", remove("person_bob")).await;
    assert_eq!(removal.state, ActionState::Waiting);
    // Of two people, the one to be removed must approve. If they refuse, a recovery is necessary.
    assert_eq!(approve(&store, &removal.id, "bob").await, "decided: done");
    assert_eq!(store.people().await.unwrap(), [person("ann"), PersonRow { removed_at: Some(NOW), ..bob }]);
    assert_eq!(store.find_key([2; 32]).await.unwrap().unwrap().revoked_at, Some(NOW));
    assert_eq!(refused(&store, "bob", adjustment(1, 1)).await, ActionRefusal::NoRegisteredPerson);
    assert_eq!(refused(&store, "ann", remove("person_ann")).await, ActionRefusal::LastPerson);
    // Bob may know the machine's key, which would now act for Ann.
    assert_eq!(refused(&store, "machine", adjustment(1, 1)).await, ActionRefusal::NoRegisteredPerson);
    store.create_key(key("machine_2", KeyHolder::Machine), [8; 32]).await.unwrap();
    assert_eq!(
        recorded(&store, "machine_2", adjustment(1, 1)).await.asked_by.name,
        "ann",
        "she is the only person"
    );
}

async fn keys_that_grant_access_need_two_people(store: Store) {
    register_ann_and_bob(&store).await;
    let create = |key: KeyRow, hash| ActionRequest::KeyCreate { key, hash };
    let tenants = KeyHolder::Tenant { tenant: tenant(1), access: Access::Full };
    let made = recorded(&store, "ann", create(key("shop", tenants), [20; 32])).await;
    assert_eq!((made.state, made.tenant), (ActionState::Done, Some(tenant(1))));
    assert!(store.find_key([20; 32]).await.unwrap().is_some());
    for (id, holder, hash) in [
        ("backend", KeyHolder::Service, [21; 32]),
        ("anns_phone", KeyHolder::Person("person_ann".to_owned()), [22; 32]),
    ] {
        let waits = recorded(&store, "ann", create(key(id, holder.clone()), hash)).await;
        assert_eq!(waits.state, ActionState::Waiting, "{id}");
        assert_eq!(store.find_key(hash).await.unwrap(), None, "{id} does not exist yet");
        assert_eq!(approve(&store, &waits.id, "bob").await, "decided: done");
        // Newer than all earlier requests, whatever the clock says, so it cannot decide them.
        let created_at = Timestamp(NOW.0 + 1);
        assert_eq!(store.find_key(hash).await.unwrap(), Some(KeyRow { created_at, ..key(id, holder) }));
    }
    let again = KeyRow { id: "other".to_owned(), ..key("backend", KeyHolder::Service) };
    assert_eq!(refused(&store, "ann", create(again, [23; 32])).await, ActionRefusal::NameTaken);
    let nobodys = key("x", KeyHolder::Person("person_eve".to_owned()));
    assert_eq!(refused(&store, "ann", create(nobodys, [24; 32])).await, ActionRefusal::NoSuchPerson);
    assert_eq!(store.keys().await.unwrap().len(), 5);

    let rotate = |id: &str, number: u8| ActionRequest::KeyRotate {
        id: id.to_owned(),
        new_id: format!("{id}_{number}"),
        hash: [number; 32],
        grace_seconds: 60,
    };
    assert_eq!(refused(&store, "ann", rotate("bob", 30)).await, ActionRefusal::NotYourKey);
    assert_eq!(
        recorded(&store, "bob", rotate("bob", 31)).await.state,
        ActionState::Done,
        "it grants no new access"
    );
    assert_eq!(recorded(&store, "ann", rotate("backend", 32)).await.state, ActionState::Waiting);
    assert_eq!(refused(&store, "ann", rotate("nothing", 33)).await, ActionRefusal::NoSuchKey);
}

async fn a_rotated_key_never_expires_later_than_before(store: Store) {
    register_ann(&store).await;
    let at = |seconds| NOW.plus_seconds(seconds);
    let holder = || KeyHolder::Tenant { tenant: tenant(1), access: Access::Read };
    let limited = KeyRow { expires_at: Some(at(50)), ..key("limited", holder()) };
    store.create_key(key("open", holder()), [41; 32]).await.unwrap();
    store.create_key(limited.clone(), [42; 32]).await.unwrap();
    let rotate = |id: &str, hash: u8| ActionRequest::KeyRotate {
        id: id.to_owned(),
        new_id: format!("new_{id}"),
        hash: [hash; 32],
        grace_seconds: 99,
    };
    // The replaced key; the expiry of the new one and of the old one.
    for (old, number, new_end, old_end) in
        [(key("open", holder()), 41, None, at(109)), (limited, 42, Some(at(50)), at(50))]
    {
        assert_eq!(store.find_key([number; 32]).await.unwrap(), Some(old.clone()));
        submit(&store, new_action("ann", rotate(&old.id, number + 10)), at(10)).await;
        let (id, created_at) = (format!("new_{}", old.id), at(10));
        let new = KeyRow { id, created_at, expires_at: new_end, ..old.clone() };
        assert_eq!(store.find_key([number + 10; 32]).await.unwrap(), Some(new));
        let old = KeyRow { expires_at: Some(old_end), ..old };
        assert_eq!(store.find_key([number; 32]).await.unwrap(), Some(old), "found by its secret as before");
    }
    let late = submit(&store, new_action("ann", rotate("limited", 60)), at(50)).await;
    assert_eq!(late, RequestedAction::Refused(ActionRefusal::NoSuchKey));

    let revoke = || ActionRequest::KeyRevoke { id: "open".to_owned() };
    assert_eq!(recorded(&store, "ann", revoke()).await.state, ActionState::Done);
    assert_eq!(store.find_key([41; 32]).await.unwrap().unwrap().revoked_at, Some(NOW));
    assert_eq!(refused(&store, "ann", revoke()).await, ActionRefusal::NoSuchKey);
}

/// The client disconnects: the revocation still takes effect for everybody.
async fn a_revocation_that_nobody_awaits_takes_effect(store: Store) {
    register_ann(&store).await;
    for number in 0..20 {
        let (id, hash) = (format!("key_{number}"), [number + 50; 32]);
        store.create_key(key(&id, KeyHolder::Service), hash).await.unwrap();
        store.find_key(hash).await.unwrap();
        {
            let revoke = new_action("ann", ActionRequest::KeyRevoke { id });
            let mut revoking = std::pin::pin!(submit(&store, revoke, NOW));
            let asked = std::future::poll_fn(|context| {
                let _ = revoking.as_mut().poll(context);
                std::task::Poll::Ready(())
            });
            asked.await;
        }
        // A later write is answered after it.
        store
            .create_key(key(&format!("later_{number}"), KeyHolder::Service), [number + 100; 32])
            .await
            .unwrap();
        assert_eq!(store.find_key(hash).await.unwrap().unwrap().revoked_at, Some(NOW));
    }
}

async fn people_who_lost_access_are_replaced(store: Store) {
    register_ann_and_bob(&store).await;
    let waits = recorded(&store, "ann", adjustment(1, 500)).await;
    let recovery = |lost: Option<&[&str]>, name: &str, number: u8| Recovery {
        id: format!("act_recovery_{number}"),
        lost: lost.map(|lost| lost.iter().map(ToString::to_string).collect()),
        person: PersonRow { id: format!("person_{name}_{number}"), ..person(name) },
        key: key(&format!("{name}_{number}"), KeyHolder::Person(format!("person_{name}_{number}"))),
        hash: [number; 32],
        reason: "lost the laptop".to_owned(),
    };
    for (lost, name, expected) in [
        (Some(&["eve"][..]), "carol", ActionRefusal::NoSuchPerson),
        (Some(&["ann"][..]), "bob", ActionRefusal::NameTaken),
    ] {
        assert_eq!(store.recover(recovery(lost, name, 70), NOW).await.unwrap(), Err(expected));
    }
    let before = store.people().await.unwrap();
    assert!(before.iter().all(|person| person.removed_at.is_none()), "nothing was changed: {before:?}");

    let done = store.recover(recovery(Some(&["Ann"]), "ann", 71), NOW).await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.request.kind(), done.alone),
        (ActionState::Done, ActionKind::Recovery, true)
    );
    assert_eq!((done.asked_by.name.as_str(), done.asked_by.key), ("ann", None));
    assert_eq!(store.action(waits.id).await.unwrap().unwrap().state, ActionState::Rejected);
    assert_eq!(
        refused(&store, "ann", adjustment(1, 1)).await,
        ActionRefusal::NoRegisteredPerson,
        "the old key"
    );
    assert_eq!(
        recorded(&store, "ann_71", adjustment(1, 500)).await.state,
        ActionState::Waiting,
        "Bob is still registered"
    );
    let done = store.recover(recovery(None, "carol", 72), NOW).await.unwrap().unwrap();
    assert_eq!(done.asked_by.name, "carol");
    let left = store.people().await.unwrap().into_iter().filter(|person| person.removed_at.is_none()).count();
    assert_eq!(left, 1);
    assert_eq!(store.actions(Default::default(), ALL).await.unwrap().total, 5);
}

async fn completed_actions_are_summed(store: Store) {
    register_ann(&store).await;
    let alone = NewAction { alone: true, ..new_action("ann", adjustment(1, 150)) };
    submit(&store, alone, NOW).await;
    submit(&store, NewAction { alone: true, ..new_action("ann", add_person("bob", 2)) }, NOW).await;
    recorded(&store, "bob", adjustment(1, -20)).await;
    let large = recorded(&store, "bob", adjustment(1, 300)).await;
    recorded(&store, "bob", adjustment(1, 400)).await;
    approve(&store, &large.id, "ann").await;
    let totals = store.action_totals(NOW, NOW).await.unwrap();
    let lines: Vec<_> = totals
        .iter()
        .map(|line| {
            let credits = [line.credits, line.alone_credits, line.approved_credits].map(|Credits(it)| it);
            (line.name.as_str(), line.kind, [line.actions, line.alone, line.approved], credits)
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("ann", ActionKind::Adjustment, [1, 1, 0], [150, 150, 0]),
            ("ann", ActionKind::PersonAdd, [1, 1, 0], [0, 0, 0]),
            ("bob", ActionKind::Adjustment, [2, 0, 1], [320, 0, 300]),
        ]
    );
    assert!(store.action_totals(NOW.plus_seconds(1), NOW.plus_seconds(9)).await.unwrap().is_empty());
}
