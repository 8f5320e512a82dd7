//! People and their keys: who is registered, what takes two, and what becomes of whoever is lost.

use ledger::{Credits, Timestamp};
use store::{
    Access, ActionKind, ActionRefusal, ActionRequest, ActionState, Asked, KeyHolder, KeyRow, NewAction,
    PersonRow, Recovery, Store,
};

use super::office::{add, approve, ask, give, kept, key, new, open, open_for_two, person, refused};
use super::sale::{ALL, NOW, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([register_first, people], the_first_person_is_registered_once),
    case!([ask_action, people], a_second_person_comes_with_a_key_and_goes_with_it),
    case!([ask_action, find_key, keys], keys_that_give_power_take_two),
    case!([ask_action, find_key], a_key_is_replaced_and_never_works_longer_for_it),
    case!([ask_action, find_key], a_revocation_that_nobody_waits_for_counts),
    case!([recover, people], lost_people_are_replaced),
    case!([action_totals], what_people_did_is_added_up),
];

async fn the_first_person_is_registered_once(store: Store) {
    assert_eq!(store.register_first(person("ann")).await.unwrap(), person("ann"));
    assert_eq!(store.register_first(person("bob")).await.unwrap(), person("ann"), "somebody is there");
    assert_eq!(store.people().await.unwrap(), [person("ann")]);
}

async fn a_second_person_comes_with_a_key_and_goes_with_it(store: Store) {
    store.register_first(person("ann")).await.unwrap();
    store.create_key(key("machine", KeyHolder::Machine), [9; 32]).await.unwrap();
    let alone = |key: &str, request| NewAction { alone: true, ..new(key, request) };
    // The machine's key acts for the only person. With two, it acts for nobody, so Ann needs one first.
    assert_eq!(
        ask(&store, alone("machine", add("bob", 2)), NOW).await,
        Asked::Refused(ActionRefusal::NoKeyOfYourOwn)
    );
    let own = key("ann", KeyHolder::Person("person_ann".to_owned()));
    let create = ActionRequest::KeyCreate { key: own, hash: [1; 32] };
    assert!(matches!(ask(&store, alone("machine", create), NOW).await, Asked::Kept { .. }));
    assert_eq!(
        ask(&store, alone("ann", add("ANN", 2)), NOW).await,
        Asked::Refused(ActionRefusal::NameTaken),
        "whatever its case"
    );
    assert!(matches!(ask(&store, alone("ann", add("bob", 2)), NOW).await, Asked::Kept { .. }));
    let bob = PersonRow { created_by: Some("person_ann".to_owned()), ..person("bob") };
    assert_eq!(store.people().await.unwrap(), [person("ann"), bob.clone()]);
    assert_eq!(refused(&store, "machine", give(1, 1)).await, ActionRefusal::NobodyActs);
    let machine = ActionRequest::KeyRotate {
        id: "machine".to_owned(),
        new_id: "machine_1".to_owned(),
        hash: [7; 32],
        grace_seconds: 0,
    };
    assert_eq!(kept(&store, "ann", machine).await.state, ActionState::Waiting);
    assert_eq!(kept(&store, "bob", give(1, 1)).await.asked_by.name, "bob");

    let remove = |id: &str| ActionRequest::PersonRemove { id: id.to_owned() };
    assert_eq!(refused(&store, "ann", remove("person_eve")).await, ActionRefusal::NoSuchPerson);
    let removal = kept(&store, "ann", remove("person_bob")).await;
    assert_eq!(removal.state, ActionState::Waiting);
    // Of two people, the second is the one who goes; who will not, is lost: that is a recovery.
    assert_eq!(approve(&store, &removal.id, "bob").await, "counted: done");
    assert_eq!(store.people().await.unwrap(), [person("ann"), PersonRow { removed_at: Some(NOW), ..bob }]);
    assert_eq!(store.find_key([2; 32]).await.unwrap().unwrap().revoked_at, Some(NOW));
    assert_eq!(refused(&store, "bob", give(1, 1)).await, ActionRefusal::NobodyActs);
    assert_eq!(refused(&store, "ann", remove("person_ann")).await, ActionRefusal::LastPerson);
    // Whoever leaves may know the machine's key, which would act for her now.
    assert_eq!(refused(&store, "machine", give(1, 1)).await, ActionRefusal::NobodyActs);
    store.create_key(key("machine_2", KeyHolder::Machine), [8; 32]).await.unwrap();
    assert_eq!(kept(&store, "machine_2", give(1, 1)).await.asked_by.name, "ann", "she is the only one");
}

async fn keys_that_give_power_take_two(store: Store) {
    open_for_two(&store).await;
    let create = |key: KeyRow, hash| ActionRequest::KeyCreate { key, hash };
    let tenants = KeyHolder::Tenant { tenant: tenant(1), access: Access::Full };
    let made = kept(&store, "ann", create(key("shop", tenants), [20; 32])).await;
    assert_eq!((made.state, made.tenant), (ActionState::Done, Some(tenant(1))));
    assert!(store.find_key([20; 32]).await.unwrap().is_some());
    for (id, holder, hash) in [
        ("backend", KeyHolder::Service, [21; 32]),
        ("anns_phone", KeyHolder::Person("person_ann".to_owned()), [22; 32]),
    ] {
        let waits = kept(&store, "ann", create(key(id, holder.clone()), hash)).await;
        assert_eq!(waits.state, ActionState::Waiting, "{id}");
        assert_eq!(store.find_key(hash).await.unwrap(), None, "{id} does not exist yet");
        assert_eq!(approve(&store, &waits.id, "bob").await, "counted: done");
        // Newer than all that was asked for before it, whatever the clock says: it decides none of that.
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
    assert_eq!(kept(&store, "bob", rotate("bob", 31)).await.state, ActionState::Done, "it adds no power");
    assert_eq!(kept(&store, "ann", rotate("backend", 32)).await.state, ActionState::Waiting);
    assert_eq!(refused(&store, "ann", rotate("nothing", 33)).await, ActionRefusal::NoSuchKey);
}

async fn a_key_is_replaced_and_never_works_longer_for_it(store: Store) {
    open(&store).await;
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
    // What is replaced; the end of the new one, and of the old.
    for (old, number, new_end, old_end) in
        [(key("open", holder()), 41, None, at(109)), (limited, 42, Some(at(50)), at(50))]
    {
        assert_eq!(store.find_key([number; 32]).await.unwrap(), Some(old.clone()));
        ask(&store, new("ann", rotate(&old.id, number + 10)), at(10)).await;
        let (id, created_at) = (format!("new_{}", old.id), at(10));
        let new = KeyRow { id, created_at, expires_at: new_end, ..old.clone() };
        assert_eq!(store.find_key([number + 10; 32]).await.unwrap(), Some(new));
        let old = KeyRow { expires_at: Some(old_end), ..old };
        assert_eq!(store.find_key([number; 32]).await.unwrap(), Some(old), "found by its secret as before");
    }
    let late = ask(&store, new("ann", rotate("limited", 60)), at(50)).await;
    assert_eq!(late, Asked::Refused(ActionRefusal::NoSuchKey));

    let revoke = || ActionRequest::KeyRevoke { id: "open".to_owned() };
    assert_eq!(kept(&store, "ann", revoke()).await.state, ActionState::Done);
    assert_eq!(store.find_key([41; 32]).await.unwrap().unwrap().revoked_at, Some(NOW));
    assert_eq!(refused(&store, "ann", revoke()).await, ActionRefusal::NoSuchKey);
}

/// The client went away: what it asked for is done, and everybody hears of it.
async fn a_revocation_that_nobody_waits_for_counts(store: Store) {
    open(&store).await;
    for number in 0..20 {
        let (id, hash) = (format!("key_{number}"), [number + 50; 32]);
        store.create_key(key(&id, KeyHolder::Service), hash).await.unwrap();
        store.find_key(hash).await.unwrap();
        {
            let revoke = new("ann", ActionRequest::KeyRevoke { id });
            let mut revoking = std::pin::pin!(ask(&store, revoke, NOW));
            let asked = std::future::poll_fn(|context| {
                let _ = revoking.as_mut().poll(context);
                std::task::Poll::Ready(())
            });
            asked.await;
        }
        // Whatever is written after it is answered after it.
        store
            .create_key(key(&format!("later_{number}"), KeyHolder::Service), [number + 100; 32])
            .await
            .unwrap();
        assert_eq!(store.find_key(hash).await.unwrap().unwrap().revoked_at, Some(NOW));
    }
}

async fn lost_people_are_replaced(store: Store) {
    open_for_two(&store).await;
    let waits = kept(&store, "ann", give(1, 500)).await;
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
    assert_eq!(refused(&store, "ann", give(1, 1)).await, ActionRefusal::NobodyActs, "the old key");
    assert_eq!(kept(&store, "ann_71", give(1, 500)).await.state, ActionState::Waiting, "Bob is still there");
    let done = store.recover(recovery(None, "carol", 72), NOW).await.unwrap().unwrap();
    assert_eq!(done.asked_by.name, "carol");
    let left = store.people().await.unwrap().into_iter().filter(|person| person.removed_at.is_none()).count();
    assert_eq!(left, 1);
    assert_eq!(store.actions(Default::default(), ALL).await.unwrap().total, 5);
}

async fn what_people_did_is_added_up(store: Store) {
    open(&store).await;
    let alone = NewAction { alone: true, ..new("ann", give(1, 150)) };
    ask(&store, alone, NOW).await;
    ask(&store, NewAction { alone: true, ..new("ann", add("bob", 2)) }, NOW).await;
    kept(&store, "bob", give(1, -20)).await;
    let large = kept(&store, "bob", give(1, 300)).await;
    kept(&store, "bob", give(1, 400)).await;
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
