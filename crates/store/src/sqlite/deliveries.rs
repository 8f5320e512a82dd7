//! Each notice on its way to each endpoint: what is due, what came of it, and what is asked for again.
//!
//! An endpoint's notices of one tenant are a lane. What is due is taken lane by lane, so that nobody with a
//! long queue hides the others; only endpoints for which something waits are ever looked at.
//! Not here: who wants a notice, which is written with it, and when to try again (`engine`).

use std::collections::{HashMap, HashSet};

use ledger::{TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::{endpoints, notices, paging};
use crate::error::StoreError;
use crate::model::{
    Attempt, AttemptOutcome, DeliveryRow, DeliveryState, Disabled, DispatchBudget, DueDelivery, Lane,
    Listing, NoticeRow, Page, SigningSecret,
};

/// Deliveries of one endpoint that are looked at for lanes, from the longest due. Behind that many of busy
/// lanes, others wait until those are done.
const WINDOW: u32 = 1024;

/// Every endpoint with something to deliver, by one step through the index for each. Deleted ones may be
/// among them.
const WAITING: &str = "WITH RECURSIVE waiting(endpoint) AS (
    SELECT min(endpoint) FROM deliveries INDEXED BY deliveries_due WHERE due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(endpoint) FROM deliveries INDEXED BY deliveries_due
            WHERE due_at IS NOT NULL AND endpoint > waiting.endpoint)
    FROM waiting WHERE waiting.endpoint IS NOT NULL)";

/// An endpoint for which something is due.
struct Waiting {
    id: String,
    of_one_tenant: bool,
    failing: bool,
    /// Failing, or slow to answer.
    late: bool,
    head: i64,
}

/// What is due and there is room for: the endpoints whose next delivery is due longest come first, those that
/// are failing or slow last, in places of their own. Within a lane the order is that of the due times, then
/// of what happened.
pub(super) fn due(
    c: &Connection,
    now: Timestamp,
    room: &DispatchBudget,
) -> Result<Vec<DueDelivery>, StoreError> {
    let mut endpoints = waiting(c, now, &room.slow)?;
    endpoints.sort_by_key(|endpoint| (endpoint.late, endpoint.head));
    let late: HashSet<&str> = endpoints.iter().filter(|one| one.late).map(|one| &*one.id).collect();
    let busy: HashSet<&Lane> = room.busy.iter().collect();
    let mut busy_of: HashMap<&str, usize> = HashMap::new();
    let mut busy_late = 0;
    for lane in &room.busy {
        *busy_of.entry(&lane.endpoint).or_default() += 1;
        // Slow ones also where nothing more is due.
        busy_late += usize::from(late.contains(&*lane.endpoint) || room.slow.contains(&lane.endpoint));
    }
    let mut free = room.lanes.saturating_sub(room.busy.len() - busy_late);
    let mut free_late = room.late_lanes.saturating_sub(busy_late);
    let mut taken = Vec::new();
    for endpoint in &endpoints {
        let own = if endpoint.failing || endpoint.of_one_tenant { 1 } else { room.lanes_per_endpoint };
        let own = own.saturating_sub(busy_of.get(&*endpoint.id).copied().unwrap_or_default());
        let free = if endpoint.late { &mut free_late } else { &mut free };
        let lanes = own.min(*free);
        if lanes == 0 {
            continue;
        }
        let found = take(c, endpoint, &busy, lanes, room.notices_per_lane, now)?;
        *free -= found.iter().map(|delivery| delivery.notice.tenant).collect::<HashSet<_>>().len();
        taken.extend(found);
    }
    Ok(taken)
}

/// The endpoints for which something is due.
fn waiting(c: &Connection, now: Timestamp, slow: &HashSet<String>) -> Result<Vec<Waiting>, StoreError> {
    let mut statement = c.prepare_cached(&format!(
        "{WAITING} SELECT e.id, e.tenant IS NOT NULL, e.failing_since IS NOT NULL,
             (SELECT min(due_at) FROM deliveries d WHERE d.endpoint = e.id AND d.due_at IS NOT NULL) AS head
         FROM waiting JOIN endpoints e ON e.id = waiting.endpoint
         WHERE e.disabled_at IS NULL AND head <= ?1"
    ))?;
    let rows = statement.query_map([now.0], |row| {
        let (id, failing) = (row.get(0)?, row.get(2)?);
        Ok(Waiting {
            late: failing || slow.contains(&id),
            id,
            of_one_tenant: row.get(1)?,
            failing,
            head: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is due at one endpoint, of so many lanes that are not busy.
fn take(
    c: &Connection,
    endpoint: &Waiting,
    busy: &HashSet<&Lane>,
    lanes: usize,
    per_lane: usize,
    now: Timestamp,
) -> Result<Vec<DueDelivery>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT notice, tenant FROM deliveries INDEXED BY deliveries_due
         WHERE endpoint = ?1 AND due_at <= ?2 ORDER BY due_at, notice LIMIT ?3",
    )?;
    let mut rows = statement.query((&endpoint.id, now.0, WINDOW))?;
    let mut counts: HashMap<TenantId, usize> = HashMap::new();
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let (notice, tenant) = (row.get(0)?, TenantId(row.get::<_, Uuid>(1)?));
        if busy.contains(&Lane { endpoint: endpoint.id.clone(), tenant })
            || !counts.contains_key(&tenant) && counts.len() >= lanes
        {
            continue;
        }
        let count = counts.entry(tenant).or_default();
        if *count < per_lane {
            *count += 1;
            taken.extend(find(c, &endpoint.id, notice, now)?);
        } else if endpoint.of_one_tenant
            || counts.values().all(|count| *count >= per_lane) && counts.len() == lanes
        {
            break;
        }
    }
    Ok(taken)
}

/// One delivery as it is to be made at this moment; none when it is not due, or its endpoint is told nothing.
pub(super) fn find(
    c: &Connection,
    endpoint: &str,
    notice: i64,
    now: Timestamp,
) -> Result<Option<DueDelivery>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT n.seq, n.id, n.tenant, n.type, n.at, n.data, d.due_at, d.attempts, e.url, e.secret,
             CASE WHEN e.old_secret_until > ?3 THEN e.old_secret END
         FROM deliveries d JOIN endpoints e ON e.id = d.endpoint JOIN notices n ON n.seq = d.notice
         WHERE d.endpoint = ?1 AND d.notice = ?2 AND d.due_at <= ?3 AND e.disabled_at IS NULL",
    )?;
    let found = statement.query_row((endpoint, notice, now.0), |row| {
        let secrets = [row.get::<_, Option<String>>(9)?, row.get(10)?];
        Ok(DueDelivery {
            endpoint: endpoint.to_owned(),
            url: row.get(8)?,
            secrets: secrets.into_iter().flatten().map(SigningSecret).collect(),
            notice: read_notice(row)?,
            due_at: Timestamp(row.get(6)?),
            attempts: row.get(7)?,
        })
    });
    Ok(found.optional()?)
}

/// A notice from its first six columns.
pub(super) fn read_notice(row: &Row<'_>) -> rusqlite::Result<NoticeRow> {
    Ok(NoticeRow {
        seq: row.get(0)?,
        id: row.get(1)?,
        tenant: TenantId(row.get(2)?),
        kind: row.get(3)?,
        at: Timestamp(row.get(4)?),
        data: row.get(5)?,
    })
}

/// When something falls due after `now`, if nothing else happens. What is due already waits for room.
pub(super) fn next(c: &Connection, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = c.prepare_cached(&format!(
        "{WAITING} SELECT min((SELECT min(due_at) FROM deliveries d INDEXED BY deliveries_due
             WHERE d.endpoint = e.id AND d.due_at > ?1))
         FROM waiting JOIN endpoints e ON e.id = waiting.endpoint WHERE e.disabled_at IS NULL"
    ))?;
    Ok(statement.query_row([now.0], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}

/// Books attempts in the order in which they ended, and answers which endpoints were disabled by them.
pub(super) fn record(
    c: &Connection,
    attempts: &[Attempt],
    disable_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<Disabled>, StoreError> {
    let mut disabled = Vec::new();
    for attempt in attempts {
        let (due_at, delivered_at) = match attempt.fate {
            AttemptOutcome::Delivered => (None, Some(now.0)),
            AttemptOutcome::Again(at) => (Some(at.0), None),
            AttemptOutcome::GivenUp | AttemptOutcome::Gone => (None, None),
        };
        let name = (&attempt.endpoint, attempt.notice);
        let known = c
            .prepare_cached(
                "UPDATE deliveries SET attempted_at = ?3, status = ?4, error = ?5
                 WHERE endpoint = ?1 AND notice = ?2",
            )?
            .execute((name.0, name.1, now.0, attempt.status, &attempt.error))?;
        // Asked for again meanwhile, it is due for that.
        c.prepare_cached(
            "UPDATE deliveries SET due_at = ?3, delivered_at = ?4, attempts = attempts + 1
             WHERE endpoint = ?1 AND notice = ?2 AND due_at = ?5",
        )?
        .execute((name.0, name.1, due_at, delivered_at, attempt.due_at.0))?;
        if known == 0 {
            // It was deleted meanwhile, and so was its endpoint.
            continue;
        }
        if attempt.fate == AttemptOutcome::Delivered {
            endpoints::succeeded(c, &attempt.endpoint)?;
        } else {
            let gone = attempt.fate == AttemptOutcome::Gone;
            disabled.extend(endpoints::failed(c, &attempt.endpoint, gone, disable_before, now)?);
        }
    }
    Ok(disabled)
}

/// Makes a notice due at an endpoint, whatever became of it before, or if it was never meant for it. False
/// when either is not there, or the notice is of a tenant that is not the endpoint's.
pub(super) fn resend(
    c: &Connection,
    endpoint: &str,
    notice: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(place) = notices::place(notice) else { return Ok(false) };
    let changed = c
        .prepare_cached(
            "INSERT INTO deliveries (endpoint, notice, tenant, due_at)
             SELECT e.id, n.seq, n.tenant, ?3 FROM endpoints e, notices n
             WHERE e.id = ?1 AND n.seq = ?4 AND n.id = ?2 AND (e.tenant IS NULL OR e.tenant = n.tenant)
             ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = 0, delivered_at = NULL",
        )?
        .execute((endpoint, notice, now.0, place))?;
    Ok(changed > 0)
}

/// An endpoint's deliveries, in the order of what happened.
pub(super) fn list(
    c: &Connection,
    endpoint: &str,
    state: Option<DeliveryState>,
    page: Page,
) -> Result<Listing<DeliveryRow>, StoreError> {
    let state = match state {
        None => "1",
        Some(DeliveryState::Pending) => "d.due_at IS NOT NULL",
        Some(DeliveryState::Delivered) => "d.due_at IS NULL AND d.delivered_at IS NOT NULL",
        Some(DeliveryState::GivenUp) => "d.due_at IS NULL AND d.delivered_at IS NULL",
    };
    // What a deleted endpoint left behind is nobody's.
    let matching = format!("d.endpoint = ?1 AND EXISTS (SELECT 1 FROM endpoints WHERE id = ?1) AND {state}");
    let order = paging::order(page);
    let sql = format!(
        "SELECT n.seq, n.id, n.type, n.tenant, n.at, d.attempts, d.attempted_at, d.due_at, d.delivered_at,
             d.status, d.error
         FROM deliveries d JOIN notices n ON n.seq = d.notice WHERE {matching} ORDER BY d.notice {order}"
    );
    let count = format!("SELECT count(*) FROM deliveries d WHERE {matching}");
    paging::list(c, &sql, &count, &[&endpoint], page, |row| Ok(read(row)?))
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let moment = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp));
    let (due_at, delivered_at) = (moment(7)?, moment(8)?);
    Ok(DeliveryRow {
        seq: row.get(0)?,
        notice: row.get(1)?,
        kind: row.get(2)?,
        tenant: TenantId(row.get(3)?),
        created_at: Timestamp(row.get(4)?),
        state: match (due_at, delivered_at) {
            (Some(_), _) => DeliveryState::Pending,
            (None, Some(_)) => DeliveryState::Delivered,
            (None, None) => DeliveryState::GivenUp,
        },
        attempts: row.get(5)?,
        attempted_at: moment(6)?,
        due_at,
        delivered_at,
        status: row.get(9)?,
        error: row.get(10)?,
    })
}
