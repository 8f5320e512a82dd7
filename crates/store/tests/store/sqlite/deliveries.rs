//! Deliveries of notices: what is due and in which order, recording attempts, and pruning. The notices are
//! inserted with SQL, so that the tests control them exactly.

use std::collections::BTreeSet;

use ledger::{TenantId, Timestamp};
use rusqlite::Connection;
use store::{
    AttemptOutcome, DeliveryQueue, DeliveryState, DispatchBudget, FinishedAttempt, NoticeRange,
    SigningSecret, Store,
};

use super::{open, raw};
use crate::conformance::endpoints::{create, endpoint, unlimited_budget};
use crate::conformance::test_purchase::{ALL, NOW, tenant};
use crate::folder::Folder;

struct DeliveryTest {
    store: Store,
    raw: Connection,
    _folder: Folder,
}

impl DeliveryTest {
    /// With endpoints `a` and `b` of tenants 1 and 2, and `all` for all tenants.
    async fn new() -> Self {
        let folder = Folder::new();
        let path = folder.file("deliveries");
        let store = open(&path);
        let endpoints =
            [endpoint("a", Some(tenant(1))), endpoint("all", None), endpoint("b", Some(tenant(2)))];
        create(&store, &endpoints).await;
        Self { store, raw: raw(&path), _folder: folder }
    }

    /// Adds a notice of a tenant, due now at these endpoints, and returns its sequence number.
    fn add_notice(&self, tenant_number: u128, endpoints: &[&str]) -> i64 {
        self.add_notice_at(tenant_number, endpoints, NOW)
    }

    fn add_notice_at(&self, tenant_number: u128, endpoints: &[&str], at: Timestamp) -> i64 {
        let sql = "INSERT INTO notices (id, tenant, type, at, data)
                   SELECT printf('msg_%012x', 1 + coalesce((SELECT seq FROM sqlite_sequence), 0)), ?1, 'test', ?2, '{}'";
        self.raw.execute(sql, (tenant(tenant_number).0, at.0)).unwrap();
        let seq = self.raw.last_insert_rowid();
        for endpoint in endpoints {
            let sql = "INSERT INTO deliveries (endpoint, notice, tenant, due_at) VALUES (?1, ?2, ?3, ?4)";
            self.raw.execute(sql, (endpoint, seq, tenant(tenant_number).0, at.0)).unwrap();
        }
        seq
    }

    /// The due deliveries, as `endpoint:seq`.
    async fn due_in(&self, now: Timestamp, budget: DispatchBudget) -> Vec<String> {
        let due = self.store.due_deliveries(now, budget).await.unwrap();
        due.iter().map(|delivery| format!("{}:{}", delivery.endpoint, delivery.notice.seq)).collect()
    }

    async fn due(&self, now: Timestamp) -> Vec<String> {
        self.due_in(now, unlimited_budget()).await
    }

    /// Records an attempt of a due delivery, and returns the endpoints that this disabled.
    async fn record_attempt(
        &self,
        endpoint: &str,
        notice: i64,
        outcome: AttemptOutcome,
        now: Timestamp,
    ) -> Vec<String> {
        let sql = "SELECT due_at FROM deliveries WHERE endpoint = ?1 AND notice = ?2";
        let due_at = self.raw.query_row(sql, (endpoint, notice), |row| row.get(0)).unwrap_or_default();
        self.record_attempt_of(endpoint, notice, Timestamp(due_at), outcome, now).await
    }

    /// The same for a delivery that had been due since `due_at` when the attempt began.
    async fn record_attempt_of(
        &self,
        endpoint: &str,
        notice: i64,
        due_at: Timestamp,
        outcome: AttemptOutcome,
        now: Timestamp,
    ) -> Vec<String> {
        let failed = outcome != AttemptOutcome::Delivered;
        let attempt = FinishedAttempt {
            endpoint: endpoint.to_owned(),
            notice,
            due_at,
            status: Some(if failed { 500 } else { 204 }),
            error: failed.then(|| "it said 500".to_owned()),
            outcome,
        };
        let three_days_ago = now.plus_seconds(-3 * 86_400);
        let disabled = self.store.record_attempts(vec![attempt], three_days_ago, now).await.unwrap();
        disabled.into_iter().map(|one| format!("{}: {}", one.endpoint, one.reason)).collect()
    }
}

fn queue(endpoint: &str, tenant_number: u128) -> DeliveryQueue {
    DeliveryQueue { endpoint: endpoint.to_owned(), tenant: tenant(tenant_number) }
}

fn later(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

#[tokio::test]
async fn due_deliveries_come_queue_by_queue_within_the_budget() {
    let test = DeliveryTest::new().await;
    for tenant_number in [1, 2, 1] {
        test.add_notice(tenant_number, &["all"]);
    }
    test.add_notice_at(1, &["a"], later(1));
    assert_eq!(test.due(NOW).await, ["all:1", "all:2", "all:3"]);
    assert_eq!(test.due(later(1)).await, ["all:1", "all:2", "all:3", "a:4"], "longest due first");
    assert_eq!(test.store.next_delivery(NOW).await.unwrap(), Some(later(1)));
    assert_eq!(test.store.next_delivery(later(1)).await.unwrap(), None, "what is already due is not next");
    for (budget, expected) in [
        (DispatchBudget { max_queues: 1, ..unlimited_budget() }, &["all:1", "all:3"][..]),
        (DispatchBudget { max_queues_per_endpoint: 1, ..unlimited_budget() }, &["all:1", "all:3", "a:4"]),
        (DispatchBudget { max_notices_per_queue: 1, ..unlimited_budget() }, &["all:1", "all:2", "a:4"]),
        (DispatchBudget { busy: vec![queue("all", 1)], ..unlimited_budget() }, &["all:2", "a:4"]),
        (
            DispatchBudget { busy: vec![queue("all", 1)], max_queues_per_endpoint: 1, ..unlimited_budget() },
            &["a:4"],
        ),
        (
            DispatchBudget { busy: vec![queue("all", 9)], max_queues: 2, ..unlimited_budget() },
            &["all:1", "all:3"],
        ),
        (DispatchBudget { max_queues: 0, ..unlimited_budget() }, &[]),
    ] {
        assert_eq!(test.due_in(later(1), budget.clone()).await, expected, "{budget:?}");
    }
    // A queue whose deliveries come after many of another queue.
    for _ in 0..50 {
        test.add_notice(3, &["all"]);
    }
    test.add_notice(4, &["all"]);
    let few = DispatchBudget { max_queues_per_endpoint: 4, max_notices_per_queue: 1, ..unlimited_budget() };
    assert_eq!(test.due_in(NOW, few).await, ["all:1", "all:2", "all:5", "all:55"]);
}

#[tokio::test]
async fn a_failing_endpoint_gets_one_queue_and_comes_last() {
    let test = DeliveryTest::new().await;
    let first = test.add_notice(1, &["all"]);
    test.add_notice(2, &["all", "b"]);
    test.add_notice(3, &["all"]);
    test.record_attempt("all", first, AttemptOutcome::RetryAt(NOW), NOW).await;
    assert_eq!(test.due(NOW).await, ["b:2", "all:1"]);
    assert_eq!(
        test.due_in(NOW, DispatchBudget { max_degraded_queues: 0, ..unlimited_budget() }).await,
        ["b:2"]
    );
    let busy = DispatchBudget { busy: vec![queue("all", 7)], ..unlimited_budget() };
    assert_eq!(test.due_in(NOW, busy).await, ["b:2"]);
    test.record_attempt("all", first, AttemptOutcome::Delivered, NOW).await;
    assert_eq!(test.due(NOW).await, ["all:2", "all:3", "b:2"], "no longer failing");
}

#[tokio::test]
async fn slow_endpoints_come_last_and_have_limits_of_their_own() {
    let test = DeliveryTest::new().await;
    test.add_notice(1, &["all"]);
    test.add_notice(2, &["all"]);
    test.add_notice_at(2, &["b"], NOW);
    let slow = || ["all".to_owned()].into_iter().collect();
    for (budget, expected) in [
        (DispatchBudget { slow_endpoints: slow(), ..unlimited_budget() }, &["b:3", "all:1", "all:2"][..]),
        (
            DispatchBudget { slow_endpoints: slow(), max_degraded_queues: 1, ..unlimited_budget() },
            &["b:3", "all:1"],
        ),
        (DispatchBudget { slow_endpoints: slow(), max_queues: 0, ..unlimited_budget() }, &["all:1", "all:2"]),
        (
            DispatchBudget {
                slow_endpoints: slow(),
                max_queues: 1,
                busy: vec![queue("all", 7)],
                ..unlimited_budget()
            },
            &["b:3", "all:1", "all:2"],
        ),
        (
            DispatchBudget {
                slow_endpoints: slow(),
                max_degraded_queues: 1,
                busy: vec![queue("all", 7)],
                ..unlimited_budget()
            },
            &["b:3"],
        ),
        (
            DispatchBudget {
                slow_endpoints: slow(),
                max_degraded_queues: 1,
                busy: vec![queue("b", 7)],
                max_queues: 1,
                ..unlimited_budget()
            },
            &["all:1"],
        ),
    ] {
        assert_eq!(test.due_in(NOW, budget.clone()).await, expected, "{budget:?}");
    }
}

#[tokio::test]
async fn a_million_due_deliveries_of_one_endpoint_do_not_block_others() {
    let test = DeliveryTest::new().await;
    test.raw
        .execute_batch(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
             INSERT INTO deliveries (endpoint, notice, tenant, due_at) SELECT 'a', i, zeroblob(16), 5 FROM n;
             COMMIT",
        )
        .unwrap();
    test.raw.execute("INSERT INTO sqlite_sequence VALUES ('notices', 1000000)", []).unwrap();
    let seq = test.add_notice(2, &["b", "all"]);
    assert_eq!(test.due(NOW).await, [format!("all:{seq}"), format!("b:{seq}")]);
}

#[tokio::test]
async fn the_outcome_of_an_attempt_is_recorded() {
    let test = DeliveryTest::new().await;
    let [delivered, retried, exhausted] = [(); 3].map(|()| test.add_notice(1, &["a"]));
    test.record_attempt("a", delivered, AttemptOutcome::Delivered, later(1)).await;
    test.record_attempt("a", retried, AttemptOutcome::RetryAt(later(300)), later(2)).await;
    test.record_attempt("a", exhausted, AttemptOutcome::Exhausted, later(3)).await;
    assert_eq!(test.due(later(299)).await, [""; 0]);
    assert_eq!(test.due(later(300)).await, ["a:2"]);
    let attempts = test.store.due_deliveries(later(300), unlimited_budget()).await.unwrap()[0].attempts;
    assert_eq!(attempts, 1);
    let list = async |state| {
        let listed = test.store.deliveries("a".to_owned(), state, ALL).await.unwrap();
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
    // Requested again, whatever became of it.
    for id in ["msg_000000000001", "msg_000000000003"] {
        assert!(test.store.resend("a".to_owned(), id.to_owned(), later(9)).await.unwrap());
    }
    assert_eq!(test.due(later(9)).await, ["a:1", "a:3"]);
    assert_eq!(list(Some(DeliveryState::Pending)).await[0].attempts, 0, "the attempts start again");
}

#[tokio::test]
async fn a_resend_during_an_attempt_stays_due_whatever_its_outcome() {
    for outcome in [
        AttemptOutcome::Delivered,
        AttemptOutcome::RetryAt(later(300)),
        AttemptOutcome::Exhausted,
        AttemptOutcome::RetryAt(later(9)),
    ] {
        let test = DeliveryTest::new().await;
        let seq = test.add_notice(1, &["a"]);
        let taken = test.store.due_deliveries(NOW, unlimited_budget()).await.unwrap().remove(0);
        assert!(test.store.resend("a".to_owned(), taken.notice.id, later(9)).await.unwrap());
        test.record_attempt_of("a", seq, taken.due_at, outcome, later(10)).await;
        assert_eq!(test.due(later(10)).await, ["a:1"], "{outcome:?}");
        let row = test.store.deliveries("a".to_owned(), None, ALL).await.unwrap().rows.remove(0);
        let schedule = (row.due_at, row.attempts, row.delivered_at);
        assert_eq!(schedule, (Some(later(9)), 0, None), "{outcome:?}");
        assert_eq!((row.attempted_at, row.status.is_some()), (Some(later(10)), true), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_delivery_is_due_only_while_its_endpoint_is_enabled() {
    let test = DeliveryTest::new().await;
    let seq = test.add_notice(1, &["a"]);
    let secrets = async |now| {
        let found = test.store.due_delivery("a".to_owned(), seq, now).await.unwrap();
        found.map(|due| due.secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(secrets(later(-1)).await, None, "not due yet");
    assert_eq!(secrets(NOW).await, Some(vec!["whsec_a".to_owned()]));
    let new = SigningSecret("whsec_new".to_owned());
    test.store.rotate_endpoint_secret("a".to_owned(), new, NOW).await.unwrap();
    assert_eq!(secrets(NOW).await, Some(vec!["whsec_new".to_owned()]));
    test.raw.execute("UPDATE endpoints SET disabled_at = 1", []).unwrap();
    assert_eq!(secrets(NOW).await, None);
    test.store.enable_endpoint("a".to_owned()).await.unwrap();
    test.record_attempt("a", seq, AttemptOutcome::Delivered, NOW).await;
    assert_eq!(secrets(NOW).await, None, "it was delivered");
    test.store.resend("a".to_owned(), "msg_000000000001".to_owned(), NOW).await.unwrap();
    test.raw.execute("DELETE FROM endpoints", []).unwrap();
    assert_eq!(secrets(NOW).await, None, "the endpoint was deleted");
}

#[tokio::test]
async fn a_notice_is_resent_to_its_own_tenants_endpoints_only() {
    let test = DeliveryTest::new().await;
    test.add_notice(1, &[]);
    for (endpoint, notice, expected) in [
        ("a", "msg_000000000001", true),
        ("all", "msg_000000000001", true),
        ("b", "msg_000000000001", false),
        ("a", "msg_000000000002", false),
        ("c", "msg_000000000001", false),
    ] {
        let done = test.store.resend(endpoint.to_owned(), notice.to_owned(), NOW).await.unwrap();
        assert_eq!(done, expected, "{notice} to {endpoint}");
    }
    assert_eq!(test.due(NOW).await, ["a:1", "all:1"]);
}

#[tokio::test]
async fn an_endpoint_is_disabled_when_it_is_gone_or_fails_for_three_days() {
    const DAY: i64 = 86_400;
    let test = DeliveryTest::new().await;
    let seq = test.add_notice(1, &["a", "all"]);
    let retry_at = |seconds| AttemptOutcome::RetryAt(later(seconds));
    assert_eq!(test.record_attempt("a", seq, retry_at(DAY), NOW).await, [""; 0]);
    assert_eq!(test.record_attempt("a", seq, retry_at(2 * DAY), later(DAY)).await, [""; 0]);
    assert_eq!(
        test.record_attempt("a", seq, AttemptOutcome::Delivered, later(2 * DAY)).await,
        [""; 0],
        "one success"
    );
    test.store.resend("a".to_owned(), "msg_000000000001".to_owned(), later(2 * DAY)).await.unwrap();
    for day in [2, 3, 4] {
        assert_eq!(test.record_attempt("a", seq, retry_at(0), later(day * DAY)).await, [""; 0], "day {day}");
    }
    let days = test.record_attempt("a", seq, retry_at(0), later(5 * DAY)).await;
    assert_eq!(days, ["a: every delivery attempt has failed for three days"]);
    assert_eq!(test.record_attempt("a", seq, retry_at(0), later(5 * DAY)).await, [""; 0], "only once");
    assert_eq!(
        test.record_attempt("all", seq, AttemptOutcome::Gone, NOW).await,
        ["all: it answered 410 Gone"]
    );
    let found = test.store.endpoint("a".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.failing_since, found.disabled_at), (Some(later(2 * DAY)), Some(later(5 * DAY))));
    assert_eq!(test.due(later(9 * DAY)).await, [""; 0], "nothing is sent to it");
    assert_eq!(test.store.next_delivery(Timestamp(0)).await.unwrap(), None);

    let health = test.store.delivery_health().await.unwrap();
    assert_eq!((health.endpoints, health.failing, health.pending), (1, 0, 0));
    assert_eq!(test.store.health().await.unwrap().endpoints_disabled, 2);
    let named: BTreeSet<_> = health.disabled.into_iter().map(|one| one.endpoint).collect();
    assert_eq!(named, BTreeSet::from(["a".to_owned(), "all".to_owned()]));

    test.store.enable_endpoint("a".to_owned()).await.unwrap();
    assert_eq!(test.due(later(9 * DAY)).await, ["a:1"], "deliveries from the time when it was disabled");
    let health = test.store.delivery_health().await.unwrap();
    assert_eq!((health.endpoints, health.pending, health.next_due), (2, 1, Some(NOW)));
}

#[tokio::test]
async fn both_secrets_sign_during_the_grace_period() {
    let test = DeliveryTest::new().await;
    test.add_notice(1, &["a"]);
    let new = SigningSecret("whsec_new".to_owned());
    test.store.rotate_endpoint_secret("a".to_owned(), new, later(60)).await.unwrap();
    for (now, expected) in [(later(59), &["whsec_new", "whsec_a"][..]), (later(60), &["whsec_new"])] {
        let due = test.store.due_deliveries(now, unlimited_budget()).await.unwrap();
        let secrets: Vec<_> = due[0].secrets.iter().map(SigningSecret::expose).collect();
        assert_eq!(secrets, expected);
    }
}

#[tokio::test]
async fn the_deliveries_of_a_deleted_endpoint_are_removed() {
    let test = DeliveryTest::new().await;
    for _ in 0..10_005 {
        test.raw
            .execute_batch(
                "INSERT INTO deliveries SELECT 'a', 1 + (SELECT count(*) FROM deliveries),
            zeroblob(16), 5, 0, NULL, NULL, NULL, NULL",
            )
            .unwrap();
    }
    assert!(test.store.delete_endpoint("a".to_owned()).await.unwrap());
    assert_eq!(test.due(NOW).await, [""; 0]);
    assert_eq!(test.store.deliveries("a".to_owned(), None, ALL).await.unwrap().total, 0);
    assert_eq!(test.store.prune_notices(Timestamp(0), 3).await.unwrap(), 3);
    assert_eq!(test.store.prune_notices(Timestamp(0), 3).await.unwrap(), 2);
    assert_eq!(test.store.prune_notices(Timestamp(0), 3).await.unwrap(), 0);
    // An attempt that was in progress has no effect.
    assert_eq!(test.record_attempt("a", 1, AttemptOutcome::Gone, NOW).await, [""; 0]);
}

#[tokio::test]
async fn notices_are_read_from_any_position_and_pruned_oldest_first() {
    let test = DeliveryTest::new().await;
    for (at, tenant_number) in [(0, 1), (0, 2), (0, 1), (10, 2)] {
        test.add_notice_at(tenant_number, &[], later(at));
    }
    let read = async |tenant: Option<TenantId>, after, limit| -> Vec<i64> {
        let rows = test.store.notices(tenant, after, limit).await.unwrap();
        rows.iter().map(|row| row.seq).collect()
    };
    assert_eq!(read(None, 0, 10).await, [1, 2, 3, 4]);
    assert_eq!(read(None, 1, 2).await, [2, 3]);
    assert_eq!(read(Some(tenant(2)), 0, 10).await, [2, 4]);
    assert_eq!(read(Some(tenant(2)), 2, 10).await, [4]);
    assert_eq!(read(None, 4, 10).await, [0; 0]);

    // One of them is still due at one endpoint and was delivered to another; a disabled endpoint does not
    // count.
    for endpoint in ["a", "all"] {
        test.store.resend(endpoint.to_owned(), "msg_000000000001".to_owned(), NOW).await.unwrap();
    }
    test.record_attempt("all", 1, AttemptOutcome::Delivered, NOW).await;
    test.store.resend("b".to_owned(), "msg_000000000002".to_owned(), NOW).await.unwrap();
    test.record_attempt("b", 2, AttemptOutcome::Gone, NOW).await;
    test.store.resend("b".to_owned(), "msg_000000000002".to_owned(), NOW).await.unwrap();
    assert_eq!(test.store.prune_notices(later(10), 1).await.unwrap(), 1);
    assert_eq!(test.store.prune_notices(later(10), 5).await.unwrap(), 1);
    assert_eq!(test.store.prune_notices(later(10), 5).await.unwrap(), 0);
    assert_eq!(read(None, 0, 10).await, [1, 4]);
    assert_eq!(test.store.notice_range().await.unwrap(), NoticeRange { pruned: 3, latest: 4 });
    test.record_attempt("a", 1, AttemptOutcome::Delivered, NOW).await;
    assert_eq!(test.store.prune_notices(later(11), 5).await.unwrap(), 2);
    assert_eq!(test.store.notice_range().await.unwrap(), NoticeRange { pruned: 4, latest: 4 });
    let left: i64 = test.raw.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    assert_eq!(test.add_notice(1, &[]), 5, "no number is reused");
}
