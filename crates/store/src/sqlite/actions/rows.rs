//! The table of operators' actions.

use ledger::{Credits, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::plan::ActionPlan;
use crate::error::StoreError;
use crate::model::{
    ActionFilter, ActionKind, ActionRequest, ActionResult, ActionRow, ActionState, ActionTotals, Actor,
    NewAction, PageRequest, Recovery, RowPage,
};
use crate::sqlite::paging;
use crate::sqlite::people::ActingPerson;

const COLUMNS: &str =
    "a.id, a.request, a.tenant, a.credits, a.reason, a.state, a.alone, a.asked_at, a.person,
    coalesce(p.name, ''), a.key, k.name, a.decided_at, a.decided_by, coalesce(d.name, ''), a.decided_key,
    e.name, a.note, a.result";
const TABLES: &str = "FROM operator_actions a LEFT JOIN people p ON p.id = a.person
    LEFT JOIN api_keys k ON k.id = a.key LEFT JOIN people d ON d.id = a.decided_by
    LEFT JOIN api_keys e ON e.id = a.decided_key";

/// The id and the fingerprint of the action with the same idempotency key.
pub(super) fn find_by_idempotency_key(
    c: &Connection,
    new: &NewAction,
) -> Result<Option<(String, [u8; 32])>, StoreError> {
    let Some(((key, _), tenant)) = new.idempotency_key.as_ref().zip(tenant_of(&new.request)) else {
        return Ok(None);
    };
    let mut statement = c.prepare_cached(
        "SELECT id, fingerprint FROM operator_actions WHERE tenant = ?1 AND idempotency_key = ?2",
    )?;
    Ok(statement.query_row((tenant.0, key), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The tenant to which the action's idempotency key belongs. Only adjustments and write-offs accept a key.
fn tenant_of(request: &ActionRequest) -> Option<TenantId> {
    match request {
        ActionRequest::Adjustment { tenant, .. } | ActionRequest::WriteOff { tenant, .. } => Some(*tenant),
        _ => None,
    }
}

/// Inserts a new action in this state.
#[expect(clippy::too_many_arguments, reason = "each is one column or two of the row")]
pub(super) fn insert(
    c: &Connection,
    new: &NewAction,
    request: &ActionRequest,
    acting: &ActingPerson,
    plan: &ActionPlan,
    state: ActionState,
    alone: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let idempotency_key = new.idempotency_key.as_ref();
    c.prepare_cached(
        "INSERT INTO operator_actions (id, kind, tenant, credits, request, reason, state, alone, asked_at,
             person, key, result, idempotency_key, fingerprint)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        new.id,
        request.kind().as_str(),
        plan.tenant.map(|tenant| tenant.0),
        plan.total().0,
        json(request)?,
        new.reason,
        state.as_str(),
        alone,
        now.0,
        acting.person.id,
        acting.key.id,
        json(&plan.result)?,
        idempotency_key.map(|key| &key.0),
        idempotency_key.map(|key| key.1),
    ])?;
    Ok(())
}

/// Inserts a recovery, which needs no key and no approval.
pub(super) fn insert_recovery(
    c: &Connection,
    recovery: &Recovery,
    removed: Vec<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let request = ActionRequest::Recovery { removed, person: recovery.person.clone() };
    c.prepare_cached(
        "INSERT INTO operator_actions (id, kind, credits, request, reason, state, alone, asked_at, done_at,
             person, result)
         VALUES (?1, ?2, 0, ?3, ?4, 'done', 1, ?5, ?5, ?6, ?7)",
    )?
    .execute(params![
        recovery.id,
        request.kind().as_str(),
        json(&request)?,
        recovery.reason,
        now.0,
        recovery.person.id,
        json(&ActionResult::default())?,
    ])?;
    Ok(())
}

/// Updates an action with its state and result.
pub(super) fn close(
    c: &Connection,
    id: &str,
    state: ActionState,
    note: Option<&str>,
    plan: &ActionPlan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = state == ActionState::Done;
    c.prepare_cached(
        "UPDATE operator_actions SET state = ?2, note = ?3, result = ?4, done_at = ?5,
             credits = CASE WHEN ?6 THEN ?7 ELSE credits END
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        state.as_str(),
        note,
        json(&plan.result)?,
        done.then_some(now.0),
        done,
        plan.total().0
    ])?;
    Ok(())
}

/// Records the second person.
pub(super) fn set_decider(
    c: &Connection,
    id: &str,
    second: &ActingPerson,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "UPDATE operator_actions SET decided_by = ?2, decided_key = ?3, decided_at = ?4 WHERE id = ?1",
    )?
    .execute((id, &second.person.id, &second.key.id, now.0))?;
    Ok(())
}

/// Counts the credits that an action moved against its person's limits.
pub(super) fn count_usage(
    c: &Connection,
    id: &str,
    person: &str,
    plan: &ActionPlan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = c.prepare_cached("INSERT INTO limit_usage VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (tenant, credits) in &plan.credits {
        statement.execute(params![person, tenant.0, now.0, id, credits.0])?;
    }
    Ok(())
}

/// Credits that a person has moved since then without a second person, of one tenant or of all.
pub(super) fn used(
    c: &Connection,
    person: &str,
    tenant: Option<TenantId>,
    since: Timestamp,
) -> Result<Credits, StoreError> {
    let used: i64 = match tenant {
        None => c
            .prepare_cached(
                "SELECT coalesce(sum(credits), 0) FROM limit_usage INDEXED BY limit_usage_by_time
                 WHERE person = ?1 AND at > ?2",
            )?
            .query_row((person, since.0), |row| row.get(0))?,
        Some(tenant) => c
            .prepare_cached(
                "SELECT coalesce(sum(credits), 0) FROM limit_usage
                 WHERE person = ?1 AND tenant = ?3 AND at > ?2",
            )?
            .query_row((person, since.0, tenant.0), |row| row.get(0))?,
    };
    Ok(Credits(used))
}

/// Actions by request time.
pub(in crate::sqlite) fn list(
    c: &Connection,
    filter: &ActionFilter,
    page: PageRequest,
) -> Result<RowPage<ActionRow>, StoreError> {
    let tenant = filter.tenant.map(|tenant| tenant.0);
    let (state, kind) = (filter.state.map(ActionState::as_str), filter.kind.map(ActionKind::as_str));
    let mut conditions = vec!["1"];
    let mut values: Vec<&dyn ToSql> = Vec::new();
    let wanted: [(&str, Option<&dyn ToSql>); 4] = [
        ("a.tenant = ?", tenant.as_ref().map(|value| value as &dyn ToSql)),
        ("a.state = ?", state.as_ref().map(|value| value as &dyn ToSql)),
        ("a.kind = ?", kind.as_ref().map(|value| value as &dyn ToSql)),
        ("a.person = ?", filter.person.as_ref().map(|value| value as &dyn ToSql)),
    ];
    for (condition, value) in wanted {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(value);
        }
    }
    let (matching, order) = (conditions.join(" AND "), paging::order(page));
    let sql = format!("SELECT {COLUMNS} {TABLES} WHERE {matching} ORDER BY a.asked_at {order}, a.id {order}");
    let count = format!("SELECT count(*) FROM operator_actions a WHERE {matching}");
    paging::list(c, &sql, &count, &values, page, read)
}

/// One action.
pub(in crate::sqlite) fn find(c: &Connection, id: &str) -> Result<Option<ActionRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} {TABLES} WHERE a.id = ?1"))?;
    statement.query_row([id], |row| Ok(read(row))).optional()?.transpose()
}

/// One action, which must exist.
pub(super) fn get(c: &Connection, id: &str) -> Result<ActionRow, StoreError> {
    find(c, id)?.ok_or_else(|| StoreError::Corrupt(format!("the action {id} is missing")))
}

/// Totals of completed actions for each person and kind between two times, both included.
pub(in crate::sqlite) fn totals(
    c: &Connection,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<ActionTotals>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT a.person, coalesce(p.name, ''), a.kind, count(*), sum(a.credits), sum(a.alone),
             sum(CASE a.alone WHEN 1 THEN a.credits ELSE 0 END), count(a.decided_by),
             sum(CASE WHEN a.decided_by IS NULL THEN 0 ELSE a.credits END)
         FROM operator_actions a LEFT JOIN people p ON p.id = a.person
         WHERE a.done_at BETWEEN ?1 AND ?2
         GROUP BY a.person, a.kind ORDER BY p.name, a.person, a.kind",
    )?;
    let rows = statement.query_and_then((from.0, to.0), |row| {
        let kind: String = row.get(2)?;
        Ok(ActionTotals {
            person: row.get(0)?,
            name: row.get(1)?,
            kind: ActionKind::from_name(&kind)
                .ok_or_else(|| StoreError::Corrupt(format!("an action's kind {kind}")))?,
            actions: row.get(3)?,
            credits: Credits(row.get(4)?),
            alone: row.get(5)?,
            alone_credits: Credits(row.get(6)?),
            approved: row.get(7)?,
            approved_credits: Credits(row.get(8)?),
        })
    })?;
    rows.collect()
}

fn read(row: &Row<'_>) -> Result<ActionRow, StoreError> {
    let (request, state, result): (String, String, String) = (row.get(1)?, row.get(5)?, row.get(18)?);
    let decided_by: Option<String> = row.get(13)?;
    Ok(ActionRow {
        id: row.get(0)?,
        request: parsed(&request)?,
        tenant: row.get::<_, Option<Uuid>>(2)?.map(TenantId),
        credits: Credits(row.get(3)?),
        reason: row.get(4)?,
        state: ActionState::from_name(&state)
            .ok_or_else(|| StoreError::Corrupt(format!("an action's state {state}")))?,
        alone: row.get(6)?,
        asked_at: Timestamp(row.get(7)?),
        asked_by: Actor { person: row.get(8)?, name: row.get(9)?, key: row.get(10)?, key_name: row.get(11)? },
        decided_at: row.get::<_, Option<i64>>(12)?.map(Timestamp),
        decided_by: match decided_by {
            Some(person) => {
                Some(Actor { person, name: row.get(14)?, key: row.get(15)?, key_name: row.get(16)? })
            }
            None => None,
        },
        note: row.get(17)?,
        result: parsed(&result)?,
    })
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(format!("an action: {error}")))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("an action: {error}")))
}
