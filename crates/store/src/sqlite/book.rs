//! Loading the part of the ledger that a batch touches, and writing what was decided. The only place from
//! which postings are inserted.

use std::collections::BTreeMap;

use ledger::chain::GENESIS;
use ledger::knowledge::{Ruling, Verdict};
use ledger::{
    Balance, Book, Cause, Changes, Credits, Fact, Knowledge, Lot, LotId, ObjectId, Payment, PaymentId,
    PaymentStatus, Tenant, TenantId, Timestamp, Transaction, entitlement,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::error::StoreError;

/// Loads what `facts` touch: their payments, the lots and tenants of those, and of each tenant as many other
/// lots as could at most be needed.
pub(super) fn load<'f>(c: &Connection, facts: impl Iterator<Item = &'f Fact>) -> Result<Book, StoreError> {
    let mut book = empty(c)?;
    let mut named = Vec::new();
    for fact in facts {
        for object in fact.knowledge.objects() {
            load_object(c, &mut book, object)?;
        }
        named.extend(fact.offer.as_ref().and_then(|offer| TenantId::parse(offer.tenant.as_deref()?)));
    }
    load_tenants(c, &mut book, named)?;
    Ok(book)
}

/// Loads what a person's word about `payment` touches; the book is without it where there is none.
pub(super) fn load_payment(c: &Connection, payment: PaymentId, ruling: &Ruling) -> Result<Book, StoreError> {
    let mut book = empty(c)?;
    if c.prepare_cached("SELECT 1 FROM payments WHERE id = ?1")?.exists([payment.0])? {
        load_known(c, &mut book, payment)?;
    }
    let named = match ruling.verdict {
        Verdict::Grant { tenant, .. } => vec![tenant],
        Verdict::Dismiss => Vec::new(),
    };
    load_tenants(c, &mut book, named)?;
    Ok(book)
}

/// Loads everyone who may get or give credits: the tenants that are `named`, those whom a known claim names,
/// and those who hold a lot (as whoever an earlier ruling named does).
fn load_tenants(c: &Connection, book: &mut Book, named: Vec<TenantId>) -> Result<(), StoreError> {
    // The most credits that each tenant's other lots may have to give.
    let mut needs: BTreeMap<TenantId, Credits> = BTreeMap::new();
    let claims = book.payments.values().flat_map(|payment| &payment.knowledge.claims);
    for tenant in claims.map(|claim| claim.terms.tenant).chain(named) {
        needs.entry(tenant).or_default();
    }
    for lot in book.lots.values() {
        *needs.entry(lot.tenant).or_default() += lot.granted;
    }
    needs.into_iter().try_for_each(|(tenant, need)| load_tenant(c, book, tenant, need))
}

fn empty(c: &Connection) -> Result<Book, StoreError> {
    let max = |table: &str| -> Result<i64, StoreError> {
        let sql = format!("SELECT coalesce(max(id), 0) + 1 FROM {table}");
        Ok(c.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    };
    let last: Option<(i64, [u8; 32])> = c
        .prepare_cached("SELECT seq, hash FROM transactions ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, head) = last.unwrap_or((0, GENESIS));
    let absorbed: i64 = c
        .prepare_cached("SELECT coalesce(max(payment), 0) + 1 FROM absorbed")?
        .query_row([], |row| row.get(0))?;
    Ok(Book {
        next_payment: PaymentId(max("payments")?.max(absorbed)),
        next_lot: LotId(max("lots")?),
        next_seq: seq + 1,
        head,
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
    let text: String = c
        .prepare_cached("SELECT knowledge FROM payments WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    let knowledge = parse(&text)?;
    book.aliases.extend(knowledge.objects().map(|object| (object.clone(), id)));
    book.payments.insert(id, Payment { id, knowledge });
    let mut statement = c.prepare_cached("SELECT * FROM lots WHERE payment = ?1")?;
    let mut rows = statement.query([id.0])?;
    while let Some(row) = rows.next()? {
        let lot = read_lot(row)?;
        book.lots.insert(lot.id, lot);
    }
    Ok(())
}

fn load_tenant(c: &Connection, book: &mut Book, tenant: TenantId, need: Credits) -> Result<(), StoreError> {
    if let Some(found) = find_tenant(c, tenant)? {
        book.tenants.insert(tenant, found);
    }
    let mut statement =
        c.prepare_cached("SELECT * FROM lots WHERE tenant = ?1 AND available > 0 ORDER BY purchased_at, id")?;
    let mut rows = statement.query([tenant.0])?;
    let mut enough = need;
    while enough > Credits::ZERO {
        let Some(row) = rows.next()? else { break };
        let lot = read_lot(row)?;
        enough = enough.less(lot.available);
        book.lots.entry(lot.id).or_insert(lot);
    }
    Ok(())
}

/// A tenant's totals.
pub(super) fn find_tenant(c: &Connection, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT available, held, frozen, debt FROM tenants WHERE id = ?1")?;
    let balance = statement.query_row([id.0], |row| read_balance(row, 0)).optional()?;
    Ok(balance.map(|balance| Tenant { id, balance }))
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

/// Reads a row of `lots`, all columns in their order.
pub(super) fn read_lot(row: &Row<'_>) -> rusqlite::Result<Lot> {
    Ok(Lot {
        id: LotId(row.get(0)?),
        tenant: TenantId(row.get::<_, Uuid>(1)?),
        payment: PaymentId(row.get(2)?),
        purchased_at: row.get(3)?,
        granted: Credits(row.get(4)?),
        revoked: Credits(row.get(5)?),
        available: Credits(row.get(6)?),
        held: Credits(row.get(7)?),
        frozen: Credits(row.get(8)?),
        freeze_target: Credits(row.get(9)?),
    })
}

/// Reads stored knowledge.
pub(super) fn parse(text: &str) -> Result<Knowledge, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("a payment: {error}")))
}

/// Writes what was decided. `known` is the book before it, which tells what is stored already.
pub(super) fn write(
    c: &Connection,
    known: &Book,
    changes: &Changes,
    now: Timestamp,
) -> Result<(), StoreError> {
    for tenant in &changes.tenants {
        let Balance { available, held, frozen, debt } = tenant.balance;
        c.prepare_cached(
            "INSERT INTO tenants (id, available, held, frozen, debt, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET available = ?2, held = ?3, frozen = ?4, debt = ?5",
        )?
        .execute(params![tenant.id.0, available.0, held.0, frozen.0, debt.0, now.0])?;
    }
    if let Some(payment) = &changes.payment {
        write_payment(c, known, payment, &changes.absorbed, now)?;
    }
    changes.lots.iter().try_for_each(|lot| write_lot(c, lot))?;
    changes.transactions.iter().try_for_each(|transaction| write_transaction(c, transaction))
}

fn write_payment(
    c: &Connection,
    known: &Book,
    payment: &Payment,
    absorbed: &[PaymentId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Payment { id, knowledge } = payment;
    if known.payments.get(id).is_some_and(|before| before.knowledge == *knowledge) && absorbed.is_empty() {
        return Ok(());
    }
    let due = entitlement(knowledge, ledger::Rounding::Floor);
    let tenant = due.tenant.or_else(|| knowledge.claim().map(|claim| claim.terms.tenant));
    let text = serde_json::to_string(knowledge).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    c.prepare_cached(
        "INSERT INTO payments (id, key, tenant, status, knowledge, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT (id) DO UPDATE SET key = ?2, tenant = ?3, status = ?4, knowledge = ?5, updated_at = ?6",
    )?
    .execute(params![
        id.0,
        knowledge.key().map(ObjectId::as_str).unwrap_or_default(),
        tenant.map(|tenant| tenant.0),
        PaymentStatus::of(knowledge).as_str(),
        text,
        now.0
    ])?;
    for gone in absorbed {
        absorb(c, *gone, *id, now)?;
    }
    for object in knowledge.objects().filter(|object| known.aliases.get(object) != Some(id)) {
        c.prepare_cached(
            "INSERT INTO aliases (object, payment) VALUES (?1, ?2)
             ON CONFLICT (object) DO UPDATE SET payment = ?2",
        )?
        .execute((object.as_str(), id.0))?;
    }
    Ok(())
}

/// Two payments turned out to be one. The journal's lines keep the old id, and `absorbed` explains it; the
/// lots are among what was decided.
fn absorb(c: &Connection, gone: PaymentId, into: PaymentId, now: Timestamp) -> Result<(), StoreError> {
    for sql in [
        "INSERT INTO absorbed (payment, into_payment) VALUES (?1, ?2)",
        "UPDATE absorbed SET into_payment = ?2 WHERE into_payment = ?1",
        "UPDATE events SET payment = ?2 WHERE payment = ?1",
    ] {
        c.prepare_cached(sql)?.execute((gone.0, into.0))?;
    }
    c.prepare_cached("DELETE FROM payments WHERE id = ?1")?.execute([gone.0])?;
    // Its open question moves along; where the other has one too, that one is asked for both.
    c.prepare_cached("UPDATE OR IGNORE quarantine SET payment = ?2 WHERE payment = ?1")?
        .execute((gone.0, into.0))?;
    c.prepare_cached(
        "UPDATE quarantine SET payment = ?2, closed_at = ?3, resolution = 'cleared' WHERE payment = ?1",
    )?
    .execute((gone.0, into.0, now.0))?;
    Ok(())
}

fn write_lot(c: &Connection, lot: &Lot) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO lots VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET payment = ?3, purchased_at = ?4, granted = ?5, revoked = ?6,
             available = ?7, held = ?8,
             frozen = ?9, freeze_target = ?10",
    )?
    .execute(params![
        lot.id.0,
        lot.tenant.0,
        lot.payment.0,
        lot.purchased_at,
        lot.granted.0,
        lot.revoked.0,
        lot.available.0,
        lot.held.0,
        lot.frozen.0,
        lot.freeze_target.0
    ])?;
    Ok(())
}

fn write_transaction(c: &Connection, entry: &Transaction) -> Result<(), StoreError> {
    let (cause_kind, cause, by) = match &entry.cause {
        Cause::Event(event) => ("event", event.as_str(), None),
        Cause::Operator { by, reason } => ("operator", reason.as_str(), Some(by.as_str())),
        Cause::Command(key) => ("command", key.as_str(), None),
    };
    let after = entry.balance_after;
    c.prepare_cached("INSERT INTO transactions VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)")?
        .execute(params![
            entry.seq,
            entry.tenant.0,
            entry.kind.as_str(),
            cause_kind,
            cause,
            by,
            entry.payment.map(|payment| payment.0),
            entry.at.0,
            after.available.0,
            after.held.0,
            after.frozen.0,
            after.debt.0,
            entry.hash
        ])?;
    let mut statement = c.prepare_cached("INSERT INTO postings VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (line, posting) in (1_i64..).zip(&entry.postings) {
        let lot = posting.lot.map(|lot| lot.0);
        statement.execute(params![entry.seq, line, posting.account.as_str(), lot, posting.amount])?;
    }
    Ok(())
}
