//! Whoever asks for little waits for little, however much there is: no statement that runs often reads a
//! whole table that grows, or sorts one in memory. What is explained here is what the verbs really ran.

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
    Mode, actions, audit, clock, commands, database_file, deliveries, endpoints, events, feed, holds, ingest,
    journal, keys, open, payments, people, purchases, quarantine, reports, statement, sweep, tenants,
};
use crate::body;
use crate::model::{
    ActionFilter, ActionRequest, ActionState, Attempt, AttemptOutcome, ClockMark, CommandRequest,
    DeliveryState, DispatchBudget, EndpointRow, EventFilter, IdempotencyKey, IncomingEvent, KeyHolder,
    KeyRow, NewAction, NewPurchase, OperatorLimits, Page, PersonRow, PurchaseOrder, Scope, SigningSecret,
    TransactionFilter,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_790_009_000);
const WHO: TenantId = TenantId(Uuid::from_u128(1));
const HOLD: HoldId = HoldId(Uuid::from_u128(2));
const PAGE: Page = Page { number: 1, size: 20, ascending: false };

thread_local! {
    static HEARD: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

#[expect(clippy::needless_pass_by_value, reason = "what SQLite calls looks like this")]
fn hear(event: TraceEvent<'_>) {
    // A line that begins so is a trigger's, which is not run by its text.
    if let TraceEvent::Stmt(_, sql) = event
        && !sql.starts_with("--")
    {
        HEARD.with_borrow_mut(|heard| heard.insert(sql.to_owned()));
    }
}

#[test]
fn no_statement_that_runs_often_walks_what_grows() {
    let folder = std::env::temp_dir().join(format!("store-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut c =
        open::writer(&database_file::DatabaseFile::open(&folder.join("a.db")).unwrap(), Mode::Test).unwrap();
    c.execute("INSERT INTO tenants (id, created_at) VALUES (?1, ?2)", (WHO.0, NOW.0)).unwrap();
    c.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(hear)).unwrap();
    let mut faults = Vec::new();
    for (what, run, known) in CASES {
        run(&c);
        let heard = HEARD.take();
        assert!(!heard.is_empty(), "{what} asks the database nothing");
        for sql in heard {
            // Nothing is bound: a plan depends on nothing that is (see `open`).
            let mut explained = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let mut steps = explained.raw_query();
            while let Some(row) = steps.next().unwrap() {
                let step: String = row.get(3).unwrap();
                // One row from the end of a table is no walk.
                let scan = step.starts_with("SCAN ") && !sql.contains("ORDER BY seq DESC LIMIT 1");
                let bad = scan || step.contains("TEMP B-TREE");
                if bad && !SMALL.contains(&&*step) && !known.contains(&&*step) {
                    faults.push(format!("{what}: {step}\n{sql}\n"));
                }
            }
        }
        HEARD.take();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    drop(c);
    std::fs::remove_dir_all(folder).unwrap();
}

/// No tables, or one of a single row.
const SMALL: &[&str] = &[
    "SCAN restores USING INDEX restores_unconfirmed",
    "SCAN CONSTANT ROW",
    "SCAN (subquery-1)",
    "SCAN sqlite_sequence",
    "SCAN told",
    "SCAN waiting",
];

type Case = (&'static str, fn(&Connection), &'static [&'static str]);

/// What is run, and which of its steps look bad and are not: a tenant's few endpoints and open holds are
/// sorted, a report sums up its lots, and operators ask after every
/// endpoint. The first cases make what the others find.
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
    ("feed", feed, &["SCAN e", "SCAN endpoints"]),
    ("lists", lists, &[]),
    ("health", health, &[]),
    ("clock", clock, &[]),
    ("sweep", sweep, &[]),
];

/// Whoever lists all actions counts all. People are few, and what one of them does in a day is little. A
/// report adds up what was done in its time.
const ACTION_STEPS: [&str; 5] = [
    "SCAN a USING INDEX operator_actions_by_time",
    "SCAN a USING COVERING INDEX operator_actions_by_time",
    "SCAN people",
    "USE TEMP B-TREE FOR ORDER BY",
    "USE TEMP B-TREE FOR GROUP BY",
];

fn pin(key: &str) -> IdempotencyKey {
    IdempotencyKey { scope: Scope::Service, key: key.to_owned(), fingerprint: [0; 32] }
}

fn endpoints(c: &Connection) {
    let row = EndpointRow::new("ep_a".to_owned(), Some(WHO), String::new(), vec!["*".to_owned()], NOW);
    assert!(endpoints::create(c, &row, &SigningSecret("whsec_".to_owned()), 9).unwrap());
    for tenant in [Some(WHO), None] {
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
        let command = Command { tenant: WHO, cause: Cause::Command("c".to_owned()), reference: None, action };
        let order = CommandRequest { command, pin: Some(pin(&number.to_string())) };
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
    assert!(holds::show(c, WHO, HOLD, Now::trusted(NOW)).unwrap().is_some());
    for state in [None].into_iter().chain(HoldState::ALL.iter().copied().map(Some)) {
        holds::list(c, WHO, state, Now::trusted(NOW), PAGE).unwrap();
    }
    holds::due_of(c, WHO, NOW, 9).unwrap();
}

fn journal(c: &Connection) {
    let of_tenant = TransactionFilter { tenant: Some(WHO), ..TransactionFilter::default() };
    let span = TransactionFilter { from: Some(NOW), to: Some(NOW), ..TransactionFilter::default() };
    for filter in [
        TransactionFilter { kind: Some(TransactionKind::Spent), ..of_tenant.clone() },
        TransactionFilter { tenant: Some(WHO), ..span.clone() },
        of_tenant,
        span,
    ] {
        assert!(journal::list(c, &filter, PAGE).unwrap().total > 0);
    }
    journal::lots(c, WHO, PAGE).unwrap();
}

fn statement(c: &Connection) {
    let range = statement::range(c, WHO, Some(NOW), Some(LATER)).unwrap();
    assert!(!statement::lines(c, WHO, range.after, range.through, 9).unwrap().is_empty());
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
        purchases::begin(c, &PurchaseOrder { tenant: WHO, pin: pin("p"), new }, NOW).unwrap();
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
            request: ActionRequest::Adjustment { tenant: WHO, credits, priority: 9, expires_at: None },
            reason: String::new(),
            key: "key_a".to_owned(),
            alone: credits > 9,
            name: Some(("a".to_owned() + &credits.to_string(), [0; 32])),
        };
        actions::preview(c, &new, limits, &Policy::default(), Now::trusted(NOW)).unwrap().unwrap();
        actions::ask(c, &new, limits, &Policy::default(), Now::trusted(NOW)).unwrap();
    }
    for tenant in [None, Some(WHO)] {
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
    let room = DispatchBudget {
        lanes: 9,
        late_lanes: 9,
        lanes_per_endpoint: 9,
        notices_per_lane: 9,
        ..DispatchBudget::default()
    };
    let due = deliveries::due(c, NOW, &room).unwrap();
    let attempts: Vec<_> = [AttemptOutcome::Delivered, AttemptOutcome::Again(LATER)]
        .into_iter()
        .zip(due)
        .map(|(fate, due)| Attempt {
            endpoint: due.endpoint,
            notice: due.notice.seq,
            due_at: due.due_at,
            status: None,
            error: None,
            fate,
        })
        .collect();
    assert_eq!(attempts.len(), 2);
    deliveries::record(c, &attempts, NOW, NOW).unwrap();
    deliveries::next(c, NOW).unwrap();
    for state in [None].into_iter().chain(DeliveryState::ALL.iter().copied().map(Some)) {
        deliveries::list(c, "ep_a", state, PAGE).unwrap();
    }
    let notice = feed::after(c, None, 0, 1).unwrap().remove(0);
    assert!(deliveries::resend(c, "ep_a", &notice.id, NOW).unwrap());
}

fn feed(c: &Connection) {
    for tenant in [None, Some(WHO)] {
        assert!(!feed::after(c, tenant, 0, 9).unwrap().is_empty());
    }
    feed::range(c).unwrap();
    feed::prune(c, LATER, 9).unwrap();
    feed::health(c).unwrap();
}

fn lists(c: &Connection) {
    events::list(c, &EventFilter { payment: Some(PaymentId(1)), ..EventFilter::default() }, PAGE).unwrap();
    events::list(c, &EventFilter { pending: true, ..EventFilter::default() }, PAGE).unwrap();
    payments::list(c, Some(WHO), None, PAGE).unwrap();
    payments::show(c, "pi_a").unwrap();
    tenants::detail(c, WHO, Now::trusted(NOW)).unwrap();
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

fn sweep(c: &Connection) {
    sweep::next(c).unwrap();
    assert!(sweep::sweep(c, Now::trusted(LATER), 9).unwrap().expired > 1);
}
