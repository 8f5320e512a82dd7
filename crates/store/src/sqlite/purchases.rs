//! Checkouts that were asked for through us: pinned before Stripe is asked, finished by its answer.
//! Not here: what to ask Stripe, and the payments that come of it.

use ledger::{Credits, Minor, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::idempotency::{self, KeyUse};
use crate::error::StoreError;
use crate::model::{BegunPurchase, NewPurchase, Purchase, PurchaseOrder, PurchaseSession};

const COLUMNS: &str = "id, tenant, package, credits, price, currency, form, created_at, session, \
                       checkout_url, expires_at";

/// Pins what is asked for under its key, unless something is pinned there. Its tenant becomes known by its
/// payment: a slip of an operator's hand makes nobody.
pub(super) fn begin(
    c: &Connection,
    order: &PurchaseOrder,
    now: Timestamp,
) -> Result<BegunPurchase, StoreError> {
    let name = order.pin.name(order.tenant);
    if idempotency::taken_elsewhere(c, &name, KeyUse::Purchase)? {
        return Ok(BegunPurchase::KeyReused);
    }
    let sql =
        format!("SELECT {COLUMNS}, fingerprint FROM purchases WHERE tenant = ?1 AND scope = ?2 AND key = ?3");
    let pinned = c
        .prepare_cached(&sql)?
        .query_row(idempotency::columns(&name), |row| Ok((read(row)?, row.get::<_, [u8; 32]>(11)?)))
        .optional()?;
    match (pinned, &order.new) {
        (Some((_, fingerprint)), _) if fingerprint != order.pin.fingerprint => Ok(BegunPurchase::KeyReused),
        (Some((purchase, _)), _) => Ok(BegunPurchase::Purchase(purchase)),
        (None, None) => Ok(BegunPurchase::Nothing),
        (None, Some(new)) => {
            insert(c, order, new, now)?;
            Ok(BegunPurchase::Purchase(Purchase {
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
        order.pin.scope.as_str(),
        order.pin.key,
        order.pin.fingerprint,
        new.package,
        new.credits.0,
        new.price.0,
        new.currency,
        new.form,
        now.0
    ])?;
    Ok(())
}

/// Keeps Stripe's answer. The first one stays; answers what is kept then, or None where it was abandoned.
pub(super) fn finish(
    c: &Connection,
    id: &str,
    session: &PurchaseSession,
) -> Result<Option<Purchase>, StoreError> {
    c.prepare_cached(
        "UPDATE purchases SET session = ?2, checkout_url = ?3, expires_at = ?4
         WHERE id = ?1 AND session IS NULL",
    )?
    .execute((id, &session.id, &session.url, session.expires_at.0))?;
    find(c, id)
}

/// Forgets a purchase for which there is no session and never will be, and with it its key.
pub(super) fn abandon(c: &Connection, id: &str) -> Result<bool, StoreError> {
    let gone = c.prepare_cached("DELETE FROM purchases WHERE id = ?1 AND session IS NULL")?.execute([id])?;
    Ok(gone > 0)
}

/// The purchase of this id, or of this session.
pub(super) fn find(c: &Connection, name: &str) -> Result<Option<Purchase>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM purchases WHERE session = ?1 OR id = ?1");
    Ok(c.prepare_cached(&sql)?.query_row([name], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Purchase> {
    let session = match row.get(8)? {
        None => None,
        Some(id) => Some(PurchaseSession { id, url: row.get(9)?, expires_at: Timestamp(row.get(10)?) }),
    };
    Ok(Purchase {
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
