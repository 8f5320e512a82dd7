//! Query plans of the statements that the verbs actually run: no frequent statement scans a growing table, or
//! sorts one in memory.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use ledger::{
    Cause, Command, CommandAction, Credits, EventId, HoldId, HoldState, Now, PaymentId, Policy, TenantId,
    Timestamp, TransactionKind,
};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use uuid::Uuid;

use super::{
    Mode, actions, audit, clock, commands, database_file, deliveries, endpoints, events, expire, holds,
    ingest, journal, keys, notice_log, open, payments, people, purchases, quarantine, reports, statement,
    tenants,
};
use crate::body;
use crate::model::{
    ActionFilter, ActionRequest, ActionState, AttemptOutcome, ClockMark, CommandRequest, DeliveryState,
    DispatchBudget, EndpointRow, EventFilter, FinishedAttempt, IdempotencyKey, IncomingEvent, KeyHolder,
    KeyRow, NewAction, NewPurchase, OperatorLimits, PageRequest, PersonRow, PurchaseOrder, Scope,
    SigningSecret, TransactionFilter,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_790_009_000);
const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const HOLD: HoldId = HoldId(Uuid::from_u128(2));
const PAGE: PageRequest = PageRequest { number: 1, size: 20, ascending: false };

thread_local! {
    static STATEMENTS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

#[expect(clippy::needless_pass_by_value, reason = "what SQLite calls looks like this")]
fn record_statement(event: TraceEvent<'_>) {
    // The text of a trigger cannot be executed.
    if let TraceEvent::Stmt(_, sql) = event
        && !sql.starts_with("--")
    {
        STATEMENTS.with_borrow_mut(|statements| statements.insert(sql.to_owned()));
    }
}

#[test]
fn no_frequent_statement_scans_a_growing_table() {
    let folder = std::env::temp_dir().join(format!("store-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut c =
        open::writer(&database_file::DatabaseFile::open(&folder.join("a.db")).unwrap(), Mode::Test).unwrap();
    c.execute("INSERT INTO tenants (id, created_at) VALUES (?1, ?2)", (TENANT.0, NOW.0)).unwrap();
    c.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(record_statement)).unwrap();
    let mut bad_plans = Vec::new();
    for (what, run, accepted) in CASES {
        run(&c);
        let statements = STATEMENTS.take();
        assert!(!statements.is_empty(), "{what} runs no statement");
        for sql in statements {
            // No values are bound: plans do not depend on them (see `open`).
            let mut explained = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let mut steps = explained.raw_query();
            while let Some(row) = steps.next().unwrap() {
                let step: String = row.get(3).unwrap();
                // Reading the last row is not a scan.
                let scan = step.starts_with("SCAN ") && !sql.contains("ORDER BY seq DESC LIMIT 1");
                let costly = scan || step.contains("TEMP B-TREE");
                if costly && !SMALL.contains(&&*step) && !accepted.contains(&&*step) {
                    bad_plans.push(format!("{what}: {step}\n{sql}\n"));
                }
            }
        }
        STATEMENTS.take();
    }
    assert!(bad_plans.is_empty(), "{}", bad_plans.join("\n"));
    drop(c);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Not tables, or tables with a single row.
const SMALL: &[&str] = &[
    "SCAN restores USING INDEX restores_unconfirmed",
    "SCAN CONSTANT ROW",
    "SCAN (subquery-1)",
    "SCAN sqlite_sequence",
    "SCAN endpoint_ids",
    "SCAN waiting",
];

type Case = (&'static str, fn(&Connection), &'static [&'static str]);

/// The statements to run, and the acceptable scans and sorts: a tenant's few endpoints and open holds are
/// sorted, a report sums the lots of a tenant, and the health check reads all endpoints. The first cases
/// create the data for the others.
const CASES: &[Case] = &[
    ("endpoints", endpoints, &["USE TEMP B-TREE FOR ORDER BY"]),
    ("commands", commands, &[]),
    ("arrivals", arrivals, &[]),
    ("holds", holds, &["USE TEMP B-TREE FOR ORDER BY"]),
    ("journal", journal, &[]),
    ("statement", statement, &[]),
    ("reports", reports, &["USE TEMP B-TREE FOR GROUP BY"]),
    ("purchases", purchases, &[]),
    ("actions", actions, &ACTION_STEPS),
    ("deliveries", deliveries, &[]),
    ("notice_log", notice_log, &["SCAN e", "SCAN endpoints"]),
    ("lists", lists, &[]),
    ("health", health, &[]),
    ("clock", clock, &[]),
    ("expire", expire, &[]),
];

/// Listing all actions counts all. There are few people, and each has few actions in a day. A report sums the
/// actions of its period.
const ACTION_STEPS: [&str; 5] = [
    "SCAN a USING INDEX operator_actions_by_time",
    "SCAN a USING COVERING INDEX operator_actions_by_time",
    "SCAN people",
    "USE TEMP B-TREE FOR ORDER BY",
    "USE TEMP B-TREE FOR GROUP BY",
];

fn idempotency_key(key: &str) -> IdempotencyKey {
    IdempotencyKey { scope: Scope::Service, key: key.to_owned(), fingerprint: [0; 32] }
}

fn endpoints(c: &Connection) {
    let row = EndpointRow::new("ep_a".to_owned(), Some(TENANT), String::new(), vec!["*".to_owned()], NOW);
    assert!(endpoints::create(c, &row, &SigningSecret("whsec_".to_owned()), 9).unwrap());
    for tenant in [Some(TENANT), None] {
        endpoints::list(c, tenant, PAGE).unwrap();
    }
    endpoints::show(c, "ep_a").unwrap();
}

fn commands(c: &Connection) {
    let hold = |id| CommandAction::Hold { id, credits: Credits(1), lasts_seconds: 60 };
    let actions = [
        CommandAction::Adjust { credits: 9, priority: 50, expires_at: Some(NOW.plus_seconds(90)) },
        CommandAction::Adjust { credits: 9, priority: 50, expires_at: None },
        CommandAction::Adjust { credits: -1, priority: 50, expires_at: None },
        CommandAction::Spend { credits: Credits(1) },
        hold(HOLD),
        hold(HoldId(Uuid::from_u128(3))),
        CommandAction::Capture { hold: HOLD, credits: None },
        CommandAction::Spend { credits: Credits(999) },
    ];
    for (number, action) in actions.into_iter().enumerate() {
        let command =
            Command { tenant: TENANT, cause: Cause::Command("c".to_owned()), reference: None, action };
        let order = CommandRequest { command, idempotency_key: Some(idempotency_key(&number.to_string())) };
        commands::execute_commands(c, &[order], Now::trusted(NOW)).unwrap();
    }
}

fn arrivals(c: &Connection) {
    let id = EventId::from("evt_a");
    let delivery = IncomingEvent {
        id: id.clone(),
        kind: String::new(),
        created: 0,
        livemode: None,
        body: body::pack(b"{}"),
    };
    ingest::ingest(c, &delivery, NOW).unwrap();
    assert_eq!(ingest::due(c, NOW, 9).unwrap().len(), 1);
    ingest::next_due(c).unwrap();
    ingest::replay(c, std::slice::from_ref(&id), NOW).unwrap();
    events::show(c, &id).unwrap();
}

fn holds(c: &Connection) {
    assert!(holds::show(c, TENANT, HOLD, Now::trusted(NOW)).unwrap().is_some());
    for state in [None].into_iter().chain(HoldState::ALL.iter().copied().map(Some)) {
        holds::list(c, TENANT, state, Now::trusted(NOW), PAGE).unwrap();
    }
    holds::due_of(c, TENANT, NOW, 9).unwrap();
}

fn journal(c: &Connection) {
    let of_tenant = TransactionFilter { tenant: Some(TENANT), ..TransactionFilter::default() };
    let span = TransactionFilter { from: Some(NOW), to: Some(NOW), ..TransactionFilter::default() };
    for filter in [
        TransactionFilter { kind: Some(TransactionKind::Spent), ..of_tenant.clone() },
        TransactionFilter { tenant: Some(TENANT), ..span.clone() },
        of_tenant,
        span,
    ] {
        assert!(journal::list(c, &filter, PAGE).unwrap().total > 0);
    }
    journal::lots(c, TENANT, PAGE).unwrap();
}

fn statement(c: &Connection) {
    let range = statement::range(c, TENANT, Some(NOW), Some(LATER)).unwrap();
    assert!(!statement::lines(c, TENANT, range.after, range.through, 9).unwrap().is_empty());
}

fn reports(c: &Connection) {
    let end = journal::last_until(c, LATER).unwrap();
    assert!(!reports::positions(c, end, None, 9).unwrap().is_empty());
}

fn purchases(c: &Connection) {
    let new = NewPurchase {
        id: "purchase_a".to_owned(),
        package: String::new(),
        credits: Credits(1),
        price: ledger::Minor(1),
        currency: String::new(),
        form: String::new(),
    };
    for new in [Some(new), None] {
        purchases::begin(
            c,
            &PurchaseOrder { tenant: TENANT, idempotency_key: idempotency_key("p"), new },
            NOW,
        )
        .unwrap();
    }
    assert!(purchases::find(c, "purchase_a").unwrap().is_some());
}

fn actions(c: &Connection) {
    let person = PersonRow {
        id: "person_a".to_owned(),
        name: "ann".to_owned(),
        created_at: NOW,
        created_by: None,
        removed_at: None,
    };
    people::add_first(c, &person).unwrap();
    let holder = KeyHolder::Person(person.id);
    let (id, name) = ("key_a".to_owned(), "ann's".to_owned());
    let key = KeyRow { id, name, holder, created_at: NOW, expires_at: None, revoked_at: None };
    keys::create(c, &key, &[1; 32]).unwrap();
    let limits = OperatorLimits { per_tenant: Credits(9), total: Credits(9) };
    for (number, credits) in [1, 1, 99].into_iter().enumerate() {
        let new = NewAction {
            id: format!("act_{number}"),
            request: ActionRequest::Adjustment { tenant: TENANT, credits, priority: 9, expires_at: None },
            reason: String::new(),
            key: "key_a".to_owned(),
            alone: credits > 9,
            idempotency_key: Some(("a".to_owned() + &credits.to_string(), [0; 32])),
        };
        actions::preview(c, &new, limits, &Policy::default(), Now::trusted(NOW)).unwrap().unwrap();
        actions::request(c, &new, limits, &Policy::default(), Now::trusted(NOW)).unwrap();
    }
    for tenant in [None, Some(TENANT)] {
        for state in [None, Some(ActionState::Done)] {
            for person in [None, Some("person_a".to_owned())] {
                let filter = ActionFilter { tenant, state, person, kind: None };
                assert_eq!(actions::list(c, &filter, PAGE).unwrap().total, 2);
            }
        }
    }
    actions::totals(c, NOW, LATER).unwrap();
    keys::find(c, &[1; 32]).unwrap();
}

fn deliveries(c: &Connection) {
    let budget = DispatchBudget {
        max_queues: 9,
        max_degraded_queues: 9,
        max_queues_per_endpoint: 9,
        max_notices_per_queue: 9,
        ..DispatchBudget::default()
    };
    let due = deliveries::due(c, NOW, &budget).unwrap();
    let attempts: Vec<_> = [AttemptOutcome::Delivered, AttemptOutcome::RetryAt(LATER)]
        .into_iter()
        .zip(due)
        .map(|(outcome, due)| FinishedAttempt {
            endpoint: due.endpoint,
            notice: due.notice.seq,
            due_at: due.due_at,
            status: None,
            error: None,
            outcome,
        })
        .collect();
    assert_eq!(attempts.len(), 2);
    deliveries::record(c, &attempts, NOW, NOW).unwrap();
    deliveries::next(c, NOW).unwrap();
    for state in [None].into_iter().chain(DeliveryState::ALL.iter().copied().map(Some)) {
        deliveries::list(c, "ep_a", state, PAGE).unwrap();
    }
    let notice = notice_log::after(c, None, 0, 1).unwrap().remove(0);
    assert!(deliveries::resend(c, "ep_a", &notice.id, NOW).unwrap());
}

fn notice_log(c: &Connection) {
    for tenant in [None, Some(TENANT)] {
        assert!(!notice_log::after(c, tenant, 0, 9).unwrap().is_empty());
    }
    notice_log::range(c).unwrap();
    notice_log::prune(c, LATER, 9).unwrap();
    notice_log::health(c).unwrap();
}

fn lists(c: &Connection) {
    events::list(c, &EventFilter { payment: Some(PaymentId(1)), ..EventFilter::default() }, PAGE).unwrap();
    events::list(c, &EventFilter { pending: true, ..EventFilter::default() }, PAGE).unwrap();
    payments::list(c, Some(TENANT), None, PAGE).unwrap();
    payments::show(c, "pi_a").unwrap();
    tenants::detail(c, TENANT, Now::trusted(NOW)).unwrap();
    quarantine::show(c, 1).unwrap();
}

fn health(c: &Connection) {
    audit::health(c).unwrap();
}

fn clock(c: &Connection) {
    let mark = ClockMark { at: NOW, boot_id: None, since_boot: Duration::ZERO };
    clock::remember(c, &mark, LATER).unwrap();
    clock::record(c).unwrap();
}

fn expire(c: &Connection) {
    expire::next(c).unwrap();
    assert!(expire::expire_due(c, Now::trusted(LATER), 9).unwrap().expired > 1);
}
