//! Reads payments: lists, and one by any of its Stripe ids.

use ledger::{PaymentId, PaymentStatus, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use uuid::Uuid;

use super::{book, paging};
use crate::error::StoreError;
use crate::model::{PageRequest, PaymentRow, RowPage};

const COLUMNS: &str = "id, key, tenant, knowledge, created_at, updated_at";

/// Payments, optionally of one tenant and of one status.
pub(super) fn list(
    c: &Connection,
    tenant: Option<TenantId>,
    status: Option<PaymentStatus>,
    page: PageRequest,
) -> Result<RowPage<PaymentRow>, StoreError> {
    let (tenant, status) = (tenant.map(|tenant| tenant.0), status.map(PaymentStatus::as_str));
    let mut conditions = vec!["1"];
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(tenant) = &tenant {
        conditions.push("tenant = ?");
        values.push(tenant);
    }
    if let Some(status) = &status {
        conditions.push("status = ?");
        values.push(status);
    }
    let (matching, order) = (conditions.join(" AND "), paging::order(page));
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE {matching} ORDER BY id {order}");
    let count = format!("SELECT count(*) FROM payments WHERE {matching}");
    paging::list(c, &sql, &count, &values, page, read)
}

/// The payment to which this Stripe object id belongs.
pub(super) fn show(c: &Connection, object: &str) -> Result<Option<PaymentRow>, StoreError> {
    let Some(PaymentId(id)) = book::find(c, object)? else { return Ok(None) };
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM payments WHERE id = ?1"))?;
    statement.query_row([id], |row| Ok(read(row))).optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<PaymentRow, StoreError> {
    let knowledge = book::parse(&row.get::<_, String>(3)?)?;
    Ok(PaymentRow {
        id: PaymentId(row.get(0)?),
        key: row.get(1)?,
        tenant: row.get::<_, Option<Uuid>>(2)?.map(TenantId),
        status: PaymentStatus::of(&knowledge),
        knowledge,
        created_at: Timestamp(row.get(4)?),
        updated_at: Timestamp(row.get(5)?),
    })
}
