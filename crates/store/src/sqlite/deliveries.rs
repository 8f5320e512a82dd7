//! Deliveries of notices to endpoints: which are due, their attempts, and resending.
//!
//! The notices of one tenant for one endpoint form a queue. Due deliveries are taken queue by queue, so that
//! a long queue does not block the others; only endpoints with pending deliveries are looked at.

use std::collections::{HashMap, HashSet};

use ledger::{TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::{endpoints, notices, paging};
use crate::error::StoreError;
use crate::model::{
    AttemptOutcome, DeliveryQueue, DeliveryRow, DeliveryState, Disabled, DispatchBudget, DueDelivery,
    FinishedAttempt, NoticeRow, PageRequest, RowPage, SigningSecret,
};

/// The number of an endpoint's due deliveries that are examined for queues, the longest due first. If all of
/// them belong to busy queues, other queues wait until those are done.
const WINDOW: u32 = 1024;

/// All endpoints with pending deliveries, found with one index step per endpoint. Deleted endpoints may be
/// among them.
const PENDING_ENDPOINTS: &str = "WITH RECURSIVE waiting(endpoint) AS (
    SELECT min(endpoint) FROM deliveries INDEXED BY deliveries_due WHERE due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(endpoint) FROM deliveries INDEXED BY deliveries_due
            WHERE due_at IS NOT NULL AND endpoint > waiting.endpoint)
    FROM waiting WHERE waiting.endpoint IS NOT NULL)";

/// An endpoint with due deliveries.
struct DueEndpoint {
    id: String,
    of_one_tenant: bool,
    failing: bool,
    /// Failing, or slow to respond.
    degraded: bool,
    head: i64,
}

/// The due deliveries that fit the budget. The endpoints whose next delivery has been due longest come first,
/// degraded ones last and with limits of their own. Within a queue the order is by due time, then by sequence
/// number.
pub(super) fn due(
    c: &Connection,
    now: Timestamp,
    budget: &DispatchBudget,
) -> Result<Vec<DueDelivery>, StoreError> {
    let mut endpoints = due_endpoints(c, now, &budget.slow_endpoints)?;
    endpoints.sort_by_key(|endpoint| (endpoint.degraded, endpoint.head));
    let degraded: HashSet<&str> = endpoints.iter().filter(|one| one.degraded).map(|one| &*one.id).collect();
    let busy: HashSet<&DeliveryQueue> = budget.busy.iter().collect();
    let mut busy_of: HashMap<&str, usize> = HashMap::new();
    let mut busy_degraded = 0;
    for queue in &budget.busy {
        *busy_of.entry(&queue.endpoint).or_default() += 1;
        // A slow endpoint counts even if nothing more is due for it.
        busy_degraded += usize::from(
            degraded.contains(&*queue.endpoint) || budget.slow_endpoints.contains(&queue.endpoint),
        );
    }
    let mut free = budget.max_queues.saturating_sub(budget.busy.len() - busy_degraded);
    let mut free_degraded = budget.max_degraded_queues.saturating_sub(busy_degraded);
    let mut taken = Vec::new();
    for endpoint in &endpoints {
        let own = if endpoint.failing || endpoint.of_one_tenant { 1 } else { budget.max_queues_per_endpoint };
        let own = own.saturating_sub(busy_of.get(&*endpoint.id).copied().unwrap_or_default());
        let free = if endpoint.degraded { &mut free_degraded } else { &mut free };
        let queues = own.min(*free);
        if queues == 0 {
            continue;
        }
        let found = take(c, endpoint, &busy, queues, budget.max_notices_per_queue, now)?;
        *free -= found.iter().map(|delivery| delivery.notice.tenant).collect::<HashSet<_>>().len();
        taken.extend(found);
    }
    Ok(taken)
}

/// The enabled endpoints with due deliveries.
fn due_endpoints(
    c: &Connection,
    now: Timestamp,
    slow: &HashSet<String>,
) -> Result<Vec<DueEndpoint>, StoreError> {
    let mut statement = c.prepare_cached(&format!(
        "{PENDING_ENDPOINTS} SELECT e.id, e.tenant IS NOT NULL, e.failing_since IS NOT NULL,
             (SELECT min(due_at) FROM deliveries d WHERE d.endpoint = e.id AND d.due_at IS NOT NULL) AS head
         FROM waiting JOIN endpoints e ON e.id = waiting.endpoint
         WHERE e.disabled_at IS NULL AND head <= ?1"
    ))?;
    let rows = statement.query_map([now.0], |row| {
        let (id, failing) = (row.get(0)?, row.get(2)?);
        Ok(DueEndpoint {
            degraded: failing || slow.contains(&id),
            id,
            of_one_tenant: row.get(1)?,
            failing,
            head: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Due deliveries of one endpoint, from at most so many queues that are not busy.
fn take(
    c: &Connection,
    endpoint: &DueEndpoint,
    busy: &HashSet<&DeliveryQueue>,
    queues: usize,
    max_per_queue: usize,
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
        if busy.contains(&DeliveryQueue { endpoint: endpoint.id.clone(), tenant })
            || !counts.contains_key(&tenant) && counts.len() >= queues
        {
            continue;
        }
        let count = counts.entry(tenant).or_default();
        if *count < max_per_queue {
            *count += 1;
            taken.extend(find(c, &endpoint.id, notice, now)?);
        } else if endpoint.of_one_tenant
            || counts.values().all(|count| *count >= max_per_queue) && counts.len() == queues
        {
            break;
        }
    }
    Ok(taken)
}

/// One due delivery; `None` if it is not due, or its endpoint is disabled.
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

/// Reads a notice from the first six columns.
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

/// When the next delivery falls due after `now`. Deliveries that are already due wait for the budget instead.
pub(super) fn next(c: &Connection, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = c.prepare_cached(&format!(
        "{PENDING_ENDPOINTS} SELECT min((SELECT min(due_at) FROM deliveries d INDEXED BY deliveries_due
             WHERE d.endpoint = e.id AND d.due_at > ?1))
         FROM waiting JOIN endpoints e ON e.id = waiting.endpoint WHERE e.disabled_at IS NULL"
    ))?;
    Ok(statement.query_row([now.0], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}

/// Records attempts in the order in which they ended, and returns the endpoints that this disabled.
pub(super) fn record(
    c: &Connection,
    attempts: &[FinishedAttempt],
    disable_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<Disabled>, StoreError> {
    let mut disabled = Vec::new();
    for attempt in attempts {
        let (due_at, delivered_at) = match attempt.outcome {
            AttemptOutcome::Delivered => (None, Some(now.0)),
            AttemptOutcome::RetryAt(at) => (Some(at.0), None),
            AttemptOutcome::Exhausted | AttemptOutcome::Gone => (None, None),
        };
        let name = (&attempt.endpoint, attempt.notice);
        let updated = c
            .prepare_cached(
                "UPDATE deliveries SET attempted_at = ?3, status = ?4, error = ?5
                 WHERE endpoint = ?1 AND notice = ?2",
            )?
            .execute((name.0, name.1, now.0, attempt.status, &attempt.error))?;
        // If the notice was requested again during the attempt, it stays due.
        c.prepare_cached(
            "UPDATE deliveries SET due_at = ?3, delivered_at = ?4, attempts = attempts + 1
             WHERE endpoint = ?1 AND notice = ?2 AND due_at = ?5",
        )?
        .execute((name.0, name.1, due_at, delivered_at, attempt.due_at.0))?;
        if updated == 0 {
            // The endpoint and its deliveries were deleted during the attempt.
            continue;
        }
        if attempt.outcome == AttemptOutcome::Delivered {
            endpoints::succeeded(c, &attempt.endpoint)?;
        } else {
            let gone = attempt.outcome == AttemptOutcome::Gone;
            disabled.extend(endpoints::failed(c, &attempt.endpoint, gone, disable_before, now)?);
        }
    }
    Ok(disabled)
}

/// Makes a notice due at an endpoint, whatever became of it before and even if the endpoint is not subscribed
/// to it. Returns `false` if either does not exist, or if they belong to different tenants.
pub(super) fn resend(
    c: &Connection,
    endpoint: &str,
    notice: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(seq) = notices::seq_in_id(notice) else { return Ok(false) };
    let changed = c
        .prepare_cached(
            "INSERT INTO deliveries (endpoint, notice, tenant, due_at)
             SELECT e.id, n.seq, n.tenant, ?3 FROM endpoints e, notices n
             WHERE e.id = ?1 AND n.seq = ?4 AND n.id = ?2 AND (e.tenant IS NULL OR e.tenant = n.tenant)
             ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = 0, delivered_at = NULL",
        )?
        .execute((endpoint, notice, now.0, seq))?;
    Ok(changed > 0)
}

/// An endpoint's deliveries, in the order of their notices.
pub(super) fn list(
    c: &Connection,
    endpoint: &str,
    state: Option<DeliveryState>,
    page: PageRequest,
) -> Result<RowPage<DeliveryRow>, StoreError> {
    let state = match state {
        None => "1",
        Some(DeliveryState::Pending) => "d.due_at IS NOT NULL",
        Some(DeliveryState::Delivered) => "d.due_at IS NULL AND d.delivered_at IS NOT NULL",
        Some(DeliveryState::GivenUp) => "d.due_at IS NULL AND d.delivered_at IS NULL",
    };
    // Deliveries of deleted endpoints are not shown.
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
    let timestamp = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp));
    let (due_at, delivered_at) = (timestamp(7)?, timestamp(8)?);
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
        attempted_at: timestamp(6)?,
        due_at,
        delivered_at,
        status: row.get(9)?,
        error: row.get(10)?,
    })
}
