//! What operators ask for by hand: kept before anything moves, decided by a second person where there must be
//! one, and closed with what came of it.
//! Not here: moving credits. That is a command whose pinned name is the adjustment's, so that it is done once
//! however often it is tried.

use ledger::{Action, Credits, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use uuid::Uuid;

use super::names::{self, Thing};
use super::paging;
use crate::error::StoreError;
use crate::model::{
    AdjustmentRow, AdjustmentState, AdjustmentVerdict, AskedAdjustment, DecidedAdjustment, Listing,
    NewAdjustment, Page, Person,
};

const COLUMNS: &str = "a.id, a.tenant, a.kind, a.credits, a.reason, a.priority, a.expires_at, a.state,
    a.waits, a.created_at, a.created_by, coalesce(k.name, ''), a.decided_at, a.decided_by,
    coalesce(d.name, ''), a.note, a.transaction_seq";
const TABLES: &str = "FROM adjustments a LEFT JOIN api_keys k ON k.id = a.created_by
    LEFT JOIN api_keys d ON d.id = a.decided_by";

/// Keeps what is asked for, unless its name stands for something already.
pub(super) fn ask(
    c: &Connection,
    new: &NewAdjustment,
    now: Timestamp,
) -> Result<AskedAdjustment, StoreError> {
    let name = new.pin.name(new.tenant);
    let known: Option<(String, [u8; 32])> = c
        .prepare_cached(
            "SELECT id, fingerprint FROM adjustments WHERE tenant = ?1 AND scope = ?2 AND key = ?3",
        )?
        .query_row(names::columns(&name), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, fingerprint)) = known {
        if fingerprint != new.pin.fingerprint {
            return Ok(AskedAdjustment::KeyReused);
        }
        return Ok(AskedAdjustment::Kept { row: Box::new(kept(c, &id)?), replayed: true });
    }
    if names::taken_elsewhere(c, &name, Thing::Adjustment)? {
        return Ok(AskedAdjustment::KeyReused);
    }
    if matches!(new.action, Action::Adjust { expires_at: Some(end), .. } if end <= now) {
        return Ok(AskedAdjustment::Ended);
    }
    insert(c, new, now)?;
    Ok(AskedAdjustment::Kept { row: Box::new(kept(c, &new.id)?), replayed: false })
}

fn insert(c: &Connection, new: &NewAdjustment, now: Timestamp) -> Result<(), StoreError> {
    let (kind, credits, priority, expires_at) = match new.action {
        Action::Adjust { credits, priority, expires_at } => ("adjustment", credits, priority, expires_at),
        Action::WriteOff { credits } => ("write_off", credits.unwrap_or_default().0, 0, None),
        Action::Spend { .. } | Action::Hold { .. } | Action::Capture { .. } | Action::Release { .. } => {
            return Err(StoreError::Refused("that is no adjustment".to_owned()));
        }
    };
    let state = if new.waits { AdjustmentState::Waiting } else { AdjustmentState::Approved };
    c.prepare_cached(
        "INSERT INTO adjustments (id, tenant, scope, key, fingerprint, kind, credits, reason, priority,
             expires_at, state, waits, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        new.id,
        new.tenant.0,
        new.pin.scope.as_str(),
        new.pin.key,
        new.pin.fingerprint,
        kind,
        credits,
        new.reason,
        priority,
        expires_at.map(|end| end.0),
        state.as_str(),
        new.waits,
        now.0,
        new.by
    ])?;
    Ok(())
}

/// Takes a second person's word, if it is one and none was given yet.
pub(super) fn decide(
    c: &Connection,
    id: &str,
    verdict: &AdjustmentVerdict,
    by: &str,
    now: Timestamp,
) -> Result<Option<DecidedAdjustment>, StoreError> {
    let Some(row) = find(c, id)? else { return Ok(None) };
    if row.waits && row.created_by.key == by {
        return Ok(Some(DecidedAdjustment::SamePerson));
    }
    if row.state != AdjustmentState::Waiting {
        return Ok(Some(DecidedAdjustment::Already(Box::new(row))));
    }
    let younger = c
        .prepare_cached("SELECT 1 FROM api_keys WHERE id = ?1 AND created_at > ?2")?
        .exists((by, row.created_at.0))?;
    if younger {
        return Ok(Some(DecidedAdjustment::YoungerKey));
    }
    let (state, note) = match verdict {
        AdjustmentVerdict::Approve => (AdjustmentState::Approved, None),
        AdjustmentVerdict::Reject { reason } => (AdjustmentState::Rejected, Some(reason)),
    };
    c.prepare_cached(
        "UPDATE adjustments SET state = ?2, note = ?3, decided_by = ?4, decided_at = ?5 WHERE id = ?1",
    )?
    .execute(params![id, state.as_str(), note, by, now.0])?;
    Ok(Some(DecidedAdjustment::Counted(Box::new(kept(c, id)?))))
}

/// Closes what was carried out, or was refused: `done` is the transaction, or why not.
pub(super) fn finish(
    c: &Connection,
    id: &str,
    done: &Result<i64, String>,
) -> Result<Option<AdjustmentRow>, StoreError> {
    let (state, transaction, note) = match done {
        Ok(transaction) => (AdjustmentState::Done, Some(transaction), None),
        Err(refusal) => (AdjustmentState::Refused, None, Some(refusal)),
    };
    c.prepare_cached(
        "UPDATE adjustments SET state = ?2, transaction_seq = ?3, note = ?4
         WHERE id = ?1 AND state = 'approved'",
    )?
    .execute((id, state.as_str(), transaction, note))?;
    find(c, id)
}

/// Adjustments, of one tenant or all, of one state or all, in the order in which they were asked for.
pub(super) fn list(
    c: &Connection,
    tenant: Option<TenantId>,
    state: Option<AdjustmentState>,
    page: Page,
) -> Result<Listing<AdjustmentRow>, StoreError> {
    let (tenant, state) = (tenant.map(|tenant| tenant.0), state.map(AdjustmentState::as_str));
    let mut conditions = vec!["1"];
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(tenant) = &tenant {
        conditions.push("a.tenant = ?");
        values.push(tenant);
    }
    if let Some(state) = &state {
        conditions.push("a.state = ?");
        values.push(state);
    }
    let (matching, order) = (conditions.join(" AND "), paging::order(page));
    let sql =
        format!("SELECT {COLUMNS} {TABLES} WHERE {matching} ORDER BY a.created_at {order}, a.id {order}");
    let count = format!("SELECT count(*) FROM adjustments a WHERE {matching}");
    paging::list(c, &sql, &count, &values, page, read)
}

/// One of them.
pub(super) fn find(c: &Connection, id: &str) -> Result<Option<AdjustmentRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} {TABLES} WHERE a.id = ?1"))?;
    statement.query_row([id], |row| Ok(read(row))).optional()?.transpose()
}

fn kept(c: &Connection, id: &str) -> Result<AdjustmentRow, StoreError> {
    find(c, id)?.ok_or_else(|| StoreError::Corrupt(format!("adjustment {id} is gone")))
}

fn read(row: &Row<'_>) -> Result<AdjustmentRow, StoreError> {
    let (kind, state): (String, String) = (row.get(2)?, row.get(7)?);
    let credits: i64 = row.get(3)?;
    let decided_by: Option<String> = row.get(13)?;
    Ok(AdjustmentRow {
        id: row.get(0)?,
        tenant: TenantId(row.get::<_, Uuid>(1)?),
        action: match kind.as_str() {
            "write_off" => Action::WriteOff { credits: Some(Credits(credits)) },
            _ => Action::Adjust {
                credits,
                priority: row.get(5)?,
                expires_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            },
        },
        reason: row.get(4)?,
        state: AdjustmentState::from_name(&state)
            .ok_or_else(|| StoreError::Corrupt(format!("an adjustment's state {state}")))?,
        waits: row.get(8)?,
        created_at: Timestamp(row.get(9)?),
        created_by: Person { key: row.get(10)?, name: row.get(11)? },
        decided_at: row.get::<_, Option<i64>>(12)?.map(Timestamp),
        decided_by: match decided_by {
            Some(key) => Some(Person { key, name: row.get(14)? }),
            None => None,
        },
        note: row.get(15)?,
        transaction: row.get(16)?,
    })
}
