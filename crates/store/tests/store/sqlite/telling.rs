//! Telling others: what is due to whom, in which order, what came of it, and what is pruned. The notices are
//! written past the verbs, so that these tests say exactly what there is.

use std::collections::BTreeSet;

use ledger::{TenantId, Timestamp};
use rusqlite::Connection;
use store::{
    Attempt, AttemptOutcome, DeliveryState, DispatchBudget, Lane, NoticeRange, SigningSecret, Store,
};

use super::{open, raw};
use crate::conformance::endpoints::{create, endpoint, room};
use crate::conformance::sale::{ALL, NOW, tenant};
use crate::folder::Folder;

struct Books {
    store: Store,
    raw: Connection,
    _folder: Folder,
}

impl Books {
    /// With endpoints `a` and `b` of tenants 1 and 2, and `all` of all tenants.
    async fn new() -> Self {
        let folder = Folder::new();
        let path = folder.file("telling");
        let store = open(&path);
        let endpoints =
            [endpoint("a", Some(tenant(1))), endpoint("all", None), endpoint("b", Some(tenant(2)))];
        create(&store, &endpoints).await;
        Self { store, raw: raw(&path), _folder: folder }
    }

    /// A notice of a tenant, due now at these endpoints. Its seq is the number in its id.
    fn tell(&self, whose: u128, endpoints: &[&str]) -> i64 {
        self.tell_at(whose, endpoints, NOW)
    }

    fn tell_at(&self, whose: u128, endpoints: &[&str], at: Timestamp) -> i64 {
        let sql = "INSERT INTO notices (id, tenant, type, at, data)
                   SELECT printf('msg_%012x', 1 + coalesce((SELECT seq FROM sqlite_sequence), 0)), ?1, 'test', ?2, '{}'";
        self.raw.execute(sql, (tenant(whose).0, at.0)).unwrap();
        let seq = self.raw.last_insert_rowid();
        for endpoint in endpoints {
            let sql = "INSERT INTO deliveries (endpoint, notice, tenant, due_at) VALUES (?1, ?2, ?3, ?4)";
            self.raw.execute(sql, (endpoint, seq, tenant(whose).0, at.0)).unwrap();
        }
        seq
    }

    /// What is due, as `endpoint:seq`.
    async fn due_in(&self, now: Timestamp, room: DispatchBudget) -> Vec<String> {
        let due = self.store.due_deliveries(now, room).await.unwrap();
        due.iter().map(|delivery| format!("{}:{}", delivery.endpoint, delivery.notice.seq)).collect()
    }

    async fn due(&self, now: Timestamp) -> Vec<String> {
        self.due_in(now, room()).await
    }

    /// Books one attempt of what is due; answers which endpoints it disabled.
    async fn ended(&self, endpoint: &str, notice: i64, fate: AttemptOutcome, now: Timestamp) -> Vec<String> {
        let sql = "SELECT due_at FROM deliveries WHERE endpoint = ?1 AND notice = ?2";
        let due_at = self.raw.query_row(sql, (endpoint, notice), |row| row.get(0)).unwrap_or_default();
        self.taken_ended(endpoint, notice, Timestamp(due_at), fate, now).await
    }

    /// The same, of what had been due since then when it was taken.
    async fn taken_ended(
        &self,
        endpoint: &str,
        notice: i64,
        due_at: Timestamp,
        fate: AttemptOutcome,
        now: Timestamp,
    ) -> Vec<String> {
        let failed = fate != AttemptOutcome::Delivered;
        let attempt = Attempt {
            endpoint: endpoint.to_owned(),
            notice,
            due_at,
            status: Some(if failed { 500 } else { 204 }),
            error: failed.then(|| "it said 500".to_owned()),
            fate,
        };
        let three_days_ago = now.plus_seconds(-3 * 86_400);
        let disabled = self.store.record_attempts(vec![attempt], three_days_ago, now).await.unwrap();
        disabled.into_iter().map(|one| format!("{}: {}", one.endpoint, one.reason)).collect()
    }
}

fn lane(endpoint: &str, whose: u128) -> Lane {
    Lane { endpoint: endpoint.to_owned(), tenant: tenant(whose) }
}

fn later(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

#[tokio::test]
async fn what_is_due_comes_lane_by_lane_in_order_and_as_there_is_room() {
    let books = Books::new().await;
    for whose in [1, 2, 1] {
        books.tell(whose, &["all"]);
    }
    books.tell_at(1, &["a"], later(1));
    assert_eq!(books.due(NOW).await, ["all:1", "all:2", "all:3"]);
    assert_eq!(books.due(later(1)).await, ["all:1", "all:2", "all:3", "a:4"], "the longest due first");
    assert_eq!(books.store.next_delivery(NOW).await.unwrap(), Some(later(1)));
    assert_eq!(books.store.next_delivery(later(1)).await.unwrap(), None, "what is due already is not next");
    for (room, expected) in [
        (DispatchBudget { lanes: 1, ..room() }, &["all:1", "all:3"][..]),
        (DispatchBudget { lanes_per_endpoint: 1, ..room() }, &["all:1", "all:3", "a:4"]),
        (DispatchBudget { notices_per_lane: 1, ..room() }, &["all:1", "all:2", "a:4"]),
        (DispatchBudget { busy: vec![lane("all", 1)], ..room() }, &["all:2", "a:4"]),
        (DispatchBudget { busy: vec![lane("all", 1)], lanes_per_endpoint: 1, ..room() }, &["a:4"]),
        (DispatchBudget { busy: vec![lane("all", 9)], lanes: 2, ..room() }, &["all:1", "all:3"]),
        (DispatchBudget { lanes: 0, ..room() }, &[]),
    ] {
        assert_eq!(books.due_in(later(1), room.clone()).await, expected, "{room:?}");
    }
    // A lane from the middle of what another lane has waiting.
    for _ in 0..50 {
        books.tell(3, &["all"]);
    }
    books.tell(4, &["all"]);
    let few = DispatchBudget { lanes_per_endpoint: 4, notices_per_lane: 1, ..room() };
    assert_eq!(books.due_in(NOW, few).await, ["all:1", "all:2", "all:5", "all:55"]);
}

#[tokio::test]
async fn a_failing_endpoint_gets_one_lane_and_comes_last() {
    let books = Books::new().await;
    let first = books.tell(1, &["all"]);
    books.tell(2, &["all", "b"]);
    books.tell(3, &["all"]);
    books.ended("all", first, AttemptOutcome::Again(NOW), NOW).await;
    assert_eq!(books.due(NOW).await, ["b:2", "all:1"]);
    assert_eq!(books.due_in(NOW, DispatchBudget { late_lanes: 0, ..room() }).await, ["b:2"]);
    let busy = DispatchBudget { busy: vec![lane("all", 7)], ..room() };
    assert_eq!(books.due_in(NOW, busy).await, ["b:2"]);
    books.ended("all", first, AttemptOutcome::Delivered, NOW).await;
    assert_eq!(books.due(NOW).await, ["all:2", "all:3", "b:2"], "well again");
}

#[tokio::test]
async fn slow_endpoints_come_last_and_take_no_place_of_the_others() {
    let books = Books::new().await;
    books.tell(1, &["all"]);
    books.tell(2, &["all"]);
    books.tell_at(2, &["b"], NOW);
    let slow = || ["all".to_owned()].into_iter().collect();
    for (room, expected) in [
        (DispatchBudget { slow: slow(), ..room() }, &["b:3", "all:1", "all:2"][..]),
        (DispatchBudget { slow: slow(), late_lanes: 1, ..room() }, &["b:3", "all:1"]),
        (DispatchBudget { slow: slow(), lanes: 0, ..room() }, &["all:1", "all:2"]),
        (
            DispatchBudget { slow: slow(), lanes: 1, busy: vec![lane("all", 7)], ..room() },
            &["b:3", "all:1", "all:2"],
        ),
        (DispatchBudget { slow: slow(), late_lanes: 1, busy: vec![lane("all", 7)], ..room() }, &["b:3"]),
        (
            DispatchBudget { slow: slow(), late_lanes: 1, busy: vec![lane("b", 7)], lanes: 1, ..room() },
            &["all:1"],
        ),
    ] {
        assert_eq!(books.due_in(NOW, room.clone()).await, expected, "{room:?}");
    }
}

#[tokio::test]
async fn a_million_due_at_one_endpoint_hide_nobody() {
    let books = Books::new().await;
    books
        .raw
        .execute_batch(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
             INSERT INTO deliveries (endpoint, notice, tenant, due_at) SELECT 'a', i, zeroblob(16), 5 FROM n;
             COMMIT",
        )
        .unwrap();
    books.raw.execute("INSERT INTO sqlite_sequence VALUES ('notices', 1000000)", []).unwrap();
    let seq = books.tell(2, &["b", "all"]);
    assert_eq!(books.due(NOW).await, [format!("all:{seq}"), format!("b:{seq}")]);
}

#[tokio::test]
async fn what_came_of_an_attempt_is_booked() {
    let books = Books::new().await;
    let [arrived, again, given_up] = [(); 3].map(|()| books.tell(1, &["a"]));
    books.ended("a", arrived, AttemptOutcome::Delivered, later(1)).await;
    books.ended("a", again, AttemptOutcome::Again(later(300)), later(2)).await;
    books.ended("a", given_up, AttemptOutcome::GivenUp, later(3)).await;
    assert_eq!(books.due(later(299)).await, [""; 0]);
    assert_eq!(books.due(later(300)).await, ["a:2"]);
    let attempts = books.store.due_deliveries(later(300), room()).await.unwrap()[0].attempts;
    assert_eq!(attempts, 1);
    let list = async |state| {
        let listed = books.store.deliveries("a".to_owned(), state, ALL).await.unwrap();
        assert_eq!(listed.total, listed.rows.len() as i64);
        listed.rows
    };
    let all = list(None).await;
    assert_eq!(
        all.iter().map(|row| row.notice.as_str()).collect::<Vec<_>>(),
        ["msg_000000000001", "msg_000000000002", "msg_000000000003"]
    );
    assert_eq!(
        (all[0].delivered_at, all[0].status, all[0].error.as_deref()),
        (Some(later(1)), Some(204), None)
    );
    assert_eq!((all[1].due_at, all[1].attempts, all[1].attempted_at), (Some(later(300)), 1, Some(later(2))));
    assert_eq!((all[2].status, all[2].error.as_deref()), (Some(500), Some("it said 500")));
    for (state, expected) in [
        (DeliveryState::Delivered, "msg_000000000001"),
        (DeliveryState::Pending, "msg_000000000002"),
        (DeliveryState::GivenUp, "msg_000000000003"),
    ] {
        let rows = list(Some(state)).await;
        let found: Vec<_> = rows.iter().map(|row| (row.notice.as_str(), row.state)).collect();
        assert_eq!(found, [(expected, state)]);
    }
    // Asked for again, whatever became of it.
    for id in ["msg_000000000001", "msg_000000000003"] {
        assert!(books.store.resend("a".to_owned(), id.to_owned(), later(9)).await.unwrap());
    }
    assert_eq!(books.due(later(9)).await, ["a:1", "a:3"]);
    assert_eq!(list(Some(DeliveryState::Pending)).await[0].attempts, 0, "with a schedule of its own");
}

#[tokio::test]
async fn what_is_asked_for_again_during_an_attempt_is_due_whatever_comes_of_that() {
    for fate in [
        AttemptOutcome::Delivered,
        AttemptOutcome::Again(later(300)),
        AttemptOutcome::GivenUp,
        AttemptOutcome::Again(later(9)),
    ] {
        let books = Books::new().await;
        let seq = books.tell(1, &["a"]);
        let taken = books.store.due_deliveries(NOW, room()).await.unwrap().remove(0);
        assert!(books.store.resend("a".to_owned(), taken.notice.id, later(9)).await.unwrap());
        books.taken_ended("a", seq, taken.due_at, fate, later(10)).await;
        assert_eq!(books.due(later(10)).await, ["a:1"], "{fate:?}");
        let row = books.store.deliveries("a".to_owned(), None, ALL).await.unwrap().rows.remove(0);
        let schedule = (row.due_at, row.attempts, row.delivered_at);
        assert_eq!(schedule, (Some(later(9)), 0, None), "{fate:?}");
        assert_eq!((row.attempted_at, row.status.is_some()), (Some(later(10)), true), "{fate:?}");
    }
}

#[tokio::test]
async fn what_was_taken_is_due_only_as_long_as_its_endpoint_is_told() {
    let books = Books::new().await;
    let seq = books.tell(1, &["a"]);
    let secrets = async |now| {
        let found = books.store.due_delivery("a".to_owned(), seq, now).await.unwrap();
        found.map(|due| due.secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(secrets(later(-1)).await, None, "not yet");
    assert_eq!(secrets(NOW).await, Some(vec!["whsec_a".to_owned()]));
    let new = SigningSecret("whsec_new".to_owned());
    books.store.roll_endpoint_secret("a".to_owned(), new, NOW).await.unwrap();
    assert_eq!(secrets(NOW).await, Some(vec!["whsec_new".to_owned()]));
    books.raw.execute("UPDATE endpoints SET disabled_at = 1", []).unwrap();
    assert_eq!(secrets(NOW).await, None);
    books.store.enable_endpoint("a".to_owned()).await.unwrap();
    books.ended("a", seq, AttemptOutcome::Delivered, NOW).await;
    assert_eq!(secrets(NOW).await, None, "it has arrived");
    books.store.resend("a".to_owned(), "msg_000000000001".to_owned(), NOW).await.unwrap();
    books.raw.execute("DELETE FROM endpoints", []).unwrap();
    assert_eq!(secrets(NOW).await, None, "its deliveries are still being removed");
}

#[tokio::test]
async fn a_notice_is_resent_to_its_own_tenants_endpoints_only() {
    let books = Books::new().await;
    books.tell(1, &[]);
    for (endpoint, notice, expected) in [
        ("a", "msg_000000000001", true),
        ("all", "msg_000000000001", true),
        ("b", "msg_000000000001", false),
        ("a", "msg_000000000002", false),
        ("c", "msg_000000000001", false),
    ] {
        let done = books.store.resend(endpoint.to_owned(), notice.to_owned(), NOW).await.unwrap();
        assert_eq!(done, expected, "{notice} to {endpoint}");
    }
    assert_eq!(books.due(NOW).await, ["a:1", "all:1"]);
}

#[tokio::test]
async fn an_endpoint_is_disabled_when_it_is_gone_or_fails_for_three_days() {
    const DAY: i64 = 86_400;
    let books = Books::new().await;
    let seq = books.tell(1, &["a", "all"]);
    let again = |seconds| AttemptOutcome::Again(later(seconds));
    assert_eq!(books.ended("a", seq, again(DAY), NOW).await, [""; 0]);
    assert_eq!(books.ended("a", seq, again(2 * DAY), later(DAY)).await, [""; 0]);
    assert_eq!(
        books.ended("a", seq, AttemptOutcome::Delivered, later(2 * DAY)).await,
        [""; 0],
        "one success"
    );
    books.store.resend("a".to_owned(), "msg_000000000001".to_owned(), later(2 * DAY)).await.unwrap();
    for day in [2, 3, 4] {
        assert_eq!(books.ended("a", seq, again(0), later(day * DAY)).await, [""; 0], "day {day}");
    }
    let days = books.ended("a", seq, again(0), later(5 * DAY)).await;
    assert_eq!(days, ["a: nothing has arrived there for three days, and every attempt failed"]);
    assert_eq!(books.ended("a", seq, again(0), later(5 * DAY)).await, [""; 0], "once");
    assert_eq!(books.ended("all", seq, AttemptOutcome::Gone, NOW).await, ["all: it answered 410 Gone"]);
    let found = books.store.endpoint("a".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.failing_since, found.disabled_at), (Some(later(2 * DAY)), Some(later(5 * DAY))));
    assert_eq!(books.due(later(9 * DAY)).await, [""; 0], "nothing is sent to it");
    assert_eq!(books.store.next_delivery(Timestamp(0)).await.unwrap(), None);

    let health = books.store.notice_health().await.unwrap();
    assert_eq!((health.endpoints, health.failing, health.pending), (1, 0, 0));
    assert_eq!(books.store.health().await.unwrap().endpoints_disabled, 2);
    let named: BTreeSet<_> = health.disabled.into_iter().map(|one| one.endpoint).collect();
    assert_eq!(named, BTreeSet::from(["a".to_owned(), "all".to_owned()]));

    books.store.enable_endpoint("a".to_owned()).await.unwrap();
    assert_eq!(books.due(later(9 * DAY)).await, ["a:1"], "what it was not told");
    let health = books.store.notice_health().await.unwrap();
    assert_eq!((health.endpoints, health.pending, health.next_due), (2, 1, Some(NOW)));
}

#[tokio::test]
async fn both_secrets_sign_until_the_overlap_ends() {
    let books = Books::new().await;
    books.tell(1, &["a"]);
    let new = SigningSecret("whsec_new".to_owned());
    books.store.roll_endpoint_secret("a".to_owned(), new, later(60)).await.unwrap();
    for (now, expected) in [(later(59), &["whsec_new", "whsec_a"][..]), (later(60), &["whsec_new"])] {
        let due = books.store.due_deliveries(now, room()).await.unwrap();
        let secrets: Vec<_> = due[0].secrets.iter().map(SigningSecret::expose).collect();
        assert_eq!(secrets, expected);
    }
}

#[tokio::test]
async fn a_deleted_endpoint_leaves_nothing_behind() {
    let books = Books::new().await;
    for _ in 0..10_005 {
        books
            .raw
            .execute_batch(
                "INSERT INTO deliveries SELECT 'a', 1 + (SELECT count(*) FROM deliveries),
            zeroblob(16), 5, 0, NULL, NULL, NULL, NULL",
            )
            .unwrap();
    }
    assert!(books.store.delete_endpoint("a".to_owned()).await.unwrap());
    assert_eq!(books.due(NOW).await, [""; 0]);
    assert_eq!(books.store.deliveries("a".to_owned(), None, ALL).await.unwrap().total, 0);
    assert_eq!(books.store.prune_notices(Timestamp(0), 3).await.unwrap(), 3);
    assert_eq!(books.store.prune_notices(Timestamp(0), 3).await.unwrap(), 2);
    assert_eq!(books.store.prune_notices(Timestamp(0), 3).await.unwrap(), 0);
    // An attempt that was under way says nothing any more.
    assert_eq!(books.ended("a", 1, AttemptOutcome::Gone, NOW).await, [""; 0]);
}

#[tokio::test]
async fn the_feed_is_read_from_any_place_and_pruned_from_its_old_end() {
    let books = Books::new().await;
    for (at, whose) in [(0, 1), (0, 2), (0, 1), (10, 2)] {
        books.tell_at(whose, &[], later(at));
    }
    let read = async |whose: Option<TenantId>, after, limit| -> Vec<i64> {
        let rows = books.store.notices(whose, after, limit).await.unwrap();
        rows.iter().map(|row| row.seq).collect()
    };
    assert_eq!(read(None, 0, 10).await, [1, 2, 3, 4]);
    assert_eq!(read(None, 1, 2).await, [2, 3]);
    assert_eq!(read(Some(tenant(2)), 0, 10).await, [2, 4]);
    assert_eq!(read(Some(tenant(2)), 2, 10).await, [4]);
    assert_eq!(read(None, 4, 10).await, [0; 0]);

    // One of them is still due, elsewhere it was delivered; an endpoint that is disabled waits for nothing.
    for endpoint in ["a", "all"] {
        books.store.resend(endpoint.to_owned(), "msg_000000000001".to_owned(), NOW).await.unwrap();
    }
    books.ended("all", 1, AttemptOutcome::Delivered, NOW).await;
    books.store.resend("b".to_owned(), "msg_000000000002".to_owned(), NOW).await.unwrap();
    books.ended("b", 2, AttemptOutcome::Gone, NOW).await;
    books.store.resend("b".to_owned(), "msg_000000000002".to_owned(), NOW).await.unwrap();
    assert_eq!(books.store.prune_notices(later(10), 1).await.unwrap(), 1);
    assert_eq!(books.store.prune_notices(later(10), 5).await.unwrap(), 1);
    assert_eq!(books.store.prune_notices(later(10), 5).await.unwrap(), 0);
    assert_eq!(read(None, 0, 10).await, [1, 4]);
    assert_eq!(books.store.notice_range().await.unwrap(), NoticeRange { pruned: 3, latest: 4 });
    books.ended("a", 1, AttemptOutcome::Delivered, NOW).await;
    assert_eq!(books.store.prune_notices(later(11), 5).await.unwrap(), 2);
    assert_eq!(books.store.notice_range().await.unwrap(), NoticeRange { pruned: 4, latest: 4 });
    let left: i64 = books.raw.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    assert_eq!(books.tell(1, &[]), 5, "no number is given twice");
}
