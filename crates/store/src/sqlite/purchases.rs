//! Purchases that were started through the API: stored before Stripe is called, and completed with the
//! session that Stripe creates.

use ledger::{Credits, Minor, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::idempotency::{self, KeyUse};
use crate::error::StoreError;
use crate::model::{BegunPurchase, NewPurchase, PurchaseOrder, PurchaseRow, PurchaseSession};

const COLUMNS: &str = "id, tenant, package, credits, price, currency, form, created_at, session, \
                       checkout_url, expires_at";

/// Stores a purchase under its idempotency key, unless the key is in use. This does not create the tenant,
/// which becomes known by its payment: an operator's typo must not create a tenant.
pub(super) fn begin(
    c: &Connection,
    order: &PurchaseOrder,
    now: Timestamp,
) -> Result<BegunPurchase, StoreError> {
    let key = order.idempotency_key.scoped_to(order.tenant);
    if idempotency::has_other_use(c, &key, KeyUse::Purchase)? {
        return Ok(BegunPurchase::KeyReused);
    }
    let sql =
        format!("SELECT {COLUMNS}, fingerprint FROM purchases WHERE tenant = ?1 AND scope = ?2 AND key = ?3");
    let stored = c
        .prepare_cached(&sql)?
        .query_row(idempotency::columns(&key), |row| Ok((read(row)?, row.get::<_, [u8; 32]>(11)?)))
        .optional()?;
    match (stored, &order.new) {
        (Some((_, fingerprint)), _) if fingerprint != order.idempotency_key.fingerprint => {
            Ok(BegunPurchase::KeyReused)
        }
        (Some((purchase, _)), _) => Ok(BegunPurchase::Purchase(purchase)),
        (None, None) => Ok(BegunPurchase::NotFound),
        (None, Some(new)) => {
            insert(c, order, new, now)?;
            Ok(BegunPurchase::Purchase(PurchaseRow {
                tenant: order.tenant,
                order: new.clone(),
                created_at: now,
                session: None,
            }))
        }
    }
}

fn insert(
    c: &Connection,
    order: &PurchaseOrder,
    new: &NewPurchase,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO purchases
             (id, tenant, scope, key, fingerprint, package, credits, price, currency, form, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        new.id,
        order.tenant.0,
        order.idempotency_key.scope.as_str(),
        order.idempotency_key.key,
        order.idempotency_key.fingerprint,
        new.package,
        new.credits.0,
        new.price.0,
        new.currency,
        new.form,
        now.0
    ])?;
    Ok(())
}

/// Stores the checkout session. The first session stays; returns the stored purchase, or `None` if it was
/// abandoned.
pub(super) fn finish(
    c: &Connection,
    id: &str,
    session: &PurchaseSession,
) -> Result<Option<PurchaseRow>, StoreError> {
    c.prepare_cached(
        "UPDATE purchases SET session = ?2, checkout_url = ?3, expires_at = ?4
         WHERE id = ?1 AND session IS NULL",
    )?
    .execute((id, &session.id, &session.url, session.expires_at.0))?;
    find(c, id)
}

/// Removes a purchase that has no session, which frees its key.
pub(super) fn abandon(c: &Connection, id: &str) -> Result<bool, StoreError> {
    let deleted =
        c.prepare_cached("DELETE FROM purchases WHERE id = ?1 AND session IS NULL")?.execute([id])?;
    Ok(deleted > 0)
}

/// The purchase with this purchase id or session id.
pub(super) fn find(c: &Connection, name: &str) -> Result<Option<PurchaseRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM purchases WHERE session = ?1 OR id = ?1");
    Ok(c.prepare_cached(&sql)?.query_row([name], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PurchaseRow> {
    let session = match row.get(8)? {
        None => None,
        Some(id) => Some(PurchaseSession { id, url: row.get(9)?, expires_at: Timestamp(row.get(10)?) }),
    };
    Ok(PurchaseRow {
        tenant: TenantId(row.get::<_, Uuid>(1)?),
        order: NewPurchase {
            id: row.get(0)?,
            package: row.get(2)?,
            credits: Credits(row.get(3)?),
            price: Minor(row.get(4)?),
            currency: row.get(5)?,
            form: row.get(6)?,
        },
        created_at: Timestamp(row.get(7)?),
        session,
    })
}
