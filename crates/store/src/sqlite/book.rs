//! Loads the part of the ledger that a batch touches: payments, tenants, lots and holds, as far as the batch
//! may need them. The loops query row by row: SQLite runs in this process, and a prepared statement costs
//! less than building a set.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ledger::chain::GENESIS;
use ledger::knowledge::{Ruling, Verdict};
use ledger::{
    Balance, Book, Credits, Fact, HoldId, Knowledge, Lot, LotId, Now, ObjectId, Payment, PaymentId, Tenant,
    TenantId, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::holds;
use crate::error::StoreError;

/// The maximum number of holds and lots that a batch expires before it decides. More would delay all other
/// writes.
const MAX_ENDS: u32 = 1000;

/// The stored expiry of a lot that does not expire, so that the index can sort by it.
pub(super) const NEVER: i64 = i64::MAX;

/// Loads what `facts` touch: their payments, the lots and tenants of those, and for each tenant what is due
/// at `now` and as many other lots as may be needed.
pub(super) fn load<'f>(
    c: &Connection,
    facts: impl Iterator<Item = &'f Fact>,
    now: Now,
) -> Result<Book, StoreError> {
    let mut book = empty(c)?;
    let mut named = Vec::new();
    for fact in facts {
        for object in fact.knowledge.objects() {
            load_object(c, &mut book, object)?;
        }
        named.extend(fact.claimed.as_ref().and_then(|terms| terms.tenant_id()));
    }
    load_tenants(c, &mut book, named, now)?;
    Ok(book)
}

/// Loads what rulings about payments touch. The payments must exist.
pub(super) fn load_for_rulings(
    c: &Connection,
    rulings: &[(PaymentId, Ruling)],
    now: Now,
) -> Result<Book, StoreError> {
    let mut book = empty(c)?;
    let mut named = Vec::new();
    for (payment, ruling) in rulings {
        load_known(c, &mut book, *payment)?;
        if let Verdict::Grant(grant) = &ruling.verdict {
            named.push(grant.tenant);
            if let Some(intent) = &grant.payment_intent {
                load_object(c, &mut book, intent)?;
            }
        }
    }
    load_tenants(c, &mut book, named, now)?;
    Ok(book)
}

/// Loads what the end of these payments' waits touches.
pub(super) fn load_payments(c: &Connection, payments: &[PaymentId], now: Now) -> Result<Book, StoreError> {
    let mut book = empty(c)?;
    payments.iter().try_for_each(|payment| load_known(c, &mut book, *payment))?;
    load_tenants(c, &mut book, Vec::new(), now)?;
    Ok(book)
}

/// Loads all tenants that may gain or lose credits: those in `named`, those in known claims, and those that
/// own a loaded lot (including tenants of an earlier ruling).
fn load_tenants(c: &Connection, book: &mut Book, named: Vec<TenantId>, now: Now) -> Result<(), StoreError> {
    // The maximum number of credits that may be taken from each tenant's other lots.
    let mut needs: BTreeMap<TenantId, Credits> = BTreeMap::new();
    let claims = book.payments.values().flat_map(|payment| &payment.knowledge.claims);
    for tenant in claims.filter_map(|claim| claim.tenant()).chain(named) {
        needs.entry(tenant).or_default();
    }
    for lot in book.lots.values() {
        *needs.entry(lot.tenant).or_default() += lot.granted;
    }
    let mut due = DueLoader::new(now);
    for (tenant, need) in needs {
        load_totals(c, book, tenant)?;
        // If too many are due, `expire_due` expires the rest: an event cannot be refused.
        due.load(c, book, tenant)?;
        load_lots_to_burn(c, book, tenant, need, due.by)?;
    }
    Ok(())
}

/// An empty book with the next ids and the journal's head.
pub(super) fn empty(c: &Connection) -> Result<Book, StoreError> {
    let max = |table: &str| -> Result<i64, StoreError> {
        let sql = format!("SELECT coalesce(max(id), 0) + 1 FROM {table}");
        Ok(c.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    };
    let last: Option<(i64, [u8; 32], i64)> = c
        .prepare_cached("SELECT seq, hash, at FROM transactions ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (seq, head, clock) = last.unwrap_or((0, GENESIS, i64::MIN));
    let absorbed: i64 = c
        .prepare_cached("SELECT coalesce(max(payment), 0) + 1 FROM absorbed")?
        .query_row([], |row| row.get(0))?;
    Ok(Book {
        next_payment: PaymentId(max("payments")?.max(absorbed)),
        next_lot: LotId(max("lots")?),
        next_seq: seq + 1,
        head,
        clock: Timestamp(clock),
        ..Book::default()
    })
}

fn load_object(c: &Connection, book: &mut Book, object: &ObjectId) -> Result<(), StoreError> {
    if book.aliases.contains_key(object) {
        return Ok(());
    }
    match find(c, object.as_str())? {
        Some(payment) => load_known(c, book, payment),
        None => Ok(()),
    }
}

/// The payment that an object belongs to.
pub(super) fn find(c: &Connection, object: &str) -> Result<Option<PaymentId>, StoreError> {
    let mut statement = c.prepare_cached("SELECT payment FROM aliases WHERE object = ?1")?;
    Ok(statement.query_row([object], |row| row.get(0)).optional()?.map(PaymentId))
}

fn load_known(c: &Connection, book: &mut Book, id: PaymentId) -> Result<(), StoreError> {
    if book.payments.contains_key(&id) {
        return Ok(());
    }
    let knowledge = knowledge(c, id)?;
    book.aliases.extend(knowledge.objects().map(|object| (object.clone(), id)));
    book.payments.insert(id, Payment { id, knowledge });
    load_lots_of(c, book, id)
}

/// What is known of a payment, which must exist.
pub(super) fn knowledge(c: &Connection, id: PaymentId) -> Result<Knowledge, StoreError> {
    let text: String = c
        .prepare_cached("SELECT knowledge FROM payments WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    parse(&text)
}

fn load_lots_of(c: &Connection, book: &mut Book, payment: PaymentId) -> Result<(), StoreError> {
    let mut statement = c.prepare_cached("SELECT * FROM lots WHERE payment = ?1")?;
    let mut rows = statement.query([payment.0])?;
    while let Some(row) = rows.next()? {
        let lot = read_lot(row)?;
        book.lots.insert(lot.id, lot);
    }
    Ok(())
}

/// Loads a tenant's totals, if it exists.
pub(super) fn load_totals(c: &Connection, book: &mut Book, tenant: TenantId) -> Result<(), StoreError> {
    book.tenants.extend(find_tenant(c, tenant)?.map(|found| (tenant, found)));
    Ok(())
}

/// Loads a tenant's available lots in burn order, up to `need` credits, of those that expire after `at`.
pub(super) fn load_lots_to_burn(
    c: &Connection,
    book: &mut Book,
    tenant: TenantId,
    need: Credits,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT * FROM lots WHERE tenant = ?1 AND available > 0 AND expires_at > ?2
         ORDER BY priority, expires_at, purchased_at, id",
    )?;
    let mut rows = statement.query((tenant.0, at.0))?;
    let mut missing = need;
    while missing > Credits::ZERO {
        let Some(row) = rows.next()? else { break };
        let lot = read_lot(row)?;
        missing = missing.less(lot.available);
        book.lots.entry(lot.id).or_insert(lot);
    }
    Ok(())
}

/// Loads expired holds and lots, which are ended before anything is decided.
pub(super) struct DueLoader {
    /// What ends at or before this time is due.
    pub(super) by: Timestamp,
    /// The number of holds and lots that may still be loaded.
    remaining: u32,
}

impl DueLoader {
    pub(super) fn new(now: Now) -> Self {
        Self { by: now.ended_by(), remaining: MAX_ENDS }
    }

    /// Loads a tenant's due lots that still have credits and its due holds, up to the remaining number.
    /// Returns whether those were all.
    pub(super) fn load(
        &mut self,
        c: &Connection,
        book: &mut Book,
        tenant: TenantId,
    ) -> Result<bool, StoreError> {
        let lots = ended_lots_of(c, tenant, self.by, self.remaining + 1)?;
        let holds = holds::due_of(c, tenant, self.by, self.remaining + 1)?;
        let all = lots.len() + holds.len() <= self.remaining as usize;
        for lot in lots.into_iter().take(self.remaining as usize) {
            load_lot(c, book, lot)?;
            self.remaining -= 1;
        }
        for hold in holds.into_iter().take(self.remaining as usize) {
            load_hold(c, book, hold)?;
            self.remaining -= 1;
        }
        Ok(all)
    }
}

/// A tenant's lots that have expired by `at` and still have credits.
fn ended_lots_of(
    c: &Connection,
    tenant: TenantId,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<LotId>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT id FROM lots INDEXED BY ending_lots_of_tenant WHERE tenant = ?1 AND available > 0
             AND expires_at <= ?2 AND expires_at < 9223372036854775807 ORDER BY expires_at LIMIT ?3",
    )?;
    let rows = statement.query_map((tenant.0, at.0, limit), |row| row.get(0).map(LotId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Loads a hold with its lots, if it exists.
pub(super) fn load_hold(c: &Connection, book: &mut Book, id: HoldId) -> Result<(), StoreError> {
    if book.holds.contains_key(&id) {
        return Ok(());
    }
    let Some(hold) = holds::find(c, id)? else { return Ok(()) };
    for taken in hold.lots.iter().filter(|_| hold.is_open()) {
        load_lot(c, book, taken.lot)?;
        // Returning credits may have to be frozen for the whole payment, which rarely has several lots.
        if let Some(payment) = book.lots.get(&taken.lot).and_then(|lot| lot.payment) {
            load_lots_of(c, book, payment)?;
        }
    }
    book.holds.insert(id, hold);
    Ok(())
}

/// Loads a lot, which must exist.
pub(super) fn load_lot(c: &Connection, book: &mut Book, id: LotId) -> Result<(), StoreError> {
    if let Entry::Vacant(slot) = book.lots.entry(id) {
        let mut statement = c.prepare_cached("SELECT * FROM lots WHERE id = ?1")?;
        slot.insert(statement.query_row([id.0], read_lot)?);
    }
    Ok(())
}

/// A tenant's totals.
pub(super) fn find_tenant(c: &Connection, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT available, held, frozen, debt, low_balance FROM tenants WHERE id = ?1")?;
    let found = statement.query_row([id.0], |row| {
        let low: Option<i64> = row.get(4)?;
        Ok(Tenant { id, balance: read_balance(row, 0)?, low_balance: low.map(Credits) })
    });
    Ok(found.optional()?)
}

/// Reads `available, held, frozen, debt`, starting at `column`.
pub(super) fn read_balance(row: &Row<'_>, column: usize) -> rusqlite::Result<Balance> {
    Ok(Balance {
        available: Credits(row.get(column)?),
        held: Credits(row.get(column + 1)?),
        frozen: Credits(row.get(column + 2)?),
        debt: Credits(row.get(column + 3)?),
    })
}

/// Reads a row of `lots` with all columns in table order.
pub(super) fn read_lot(row: &Row<'_>) -> rusqlite::Result<Lot> {
    Ok(Lot {
        id: LotId(row.get(0)?),
        tenant: TenantId(row.get::<_, Uuid>(1)?),
        payment: row.get::<_, Option<i64>>(2)?.map(PaymentId),
        purchased_at: row.get(3)?,
        granted: Credits(row.get(4)?),
        revoked: Credits(row.get(5)?),
        available: Credits(row.get(6)?),
        held: Credits(row.get(7)?),
        frozen: Credits(row.get(8)?),
        freeze_target: Credits(row.get(9)?),
        priority: row.get(10)?,
        expires_at: Some(row.get(11)?).filter(|end| *end != NEVER).map(Timestamp),
    })
}

/// Reads stored knowledge.
pub(super) fn parse(text: &str) -> Result<Knowledge, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("a payment: {error}")))
}
