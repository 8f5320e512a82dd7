//! The write set of a batch. Decisions write the journal and the payments immediately; the changed tenants,
//! lots and holds are written once at the end, so that a hundred spends of one tenant write its row once.
//! This is the only code that inserts postings.

use std::collections::BTreeSet;

use ledger::{
    Balance, Book, Cause, Changes, HoldId, Lot, LotId, Notice, ObjectId, Payment, PaymentId, PaymentStatus,
    TenantId, Timestamp, Transaction, entitlement,
};
use rusqlite::{Connection, params};

use super::book::NEVER;
use super::{holds, notices};
use crate::error::StoreError;

/// The book on which a batch is decided, and the rows that it changed.
pub(super) struct WriteSet {
    pub(super) book: Book,
    now: Timestamp,
    tenants: BTreeSet<TenantId>,
    lots: BTreeSet<LotId>,
    holds: BTreeSet<HoldId>,
    /// Those of `holds` that are new.
    new_holds: BTreeSet<HoldId>,
    /// Each with the journal's head after its decision.
    notices: Vec<([u8; 32], Notice)>,
}

impl WriteSet {
    pub(super) fn new(book: Book, now: Timestamp) -> Self {
        let (tenants, lots) = (BTreeSet::new(), BTreeSet::new());
        let (holds, new_holds, notices) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        Self { book, now, tenants, lots, holds, new_holds, notices }
    }

    /// Writes one decision to the journal, and applies it to the book for the next decision.
    pub(super) fn add(&mut self, c: &Connection, changes: &Changes) -> Result<(), StoreError> {
        if let Some(payment) = &changes.payment {
            write_payment(c, &self.book, payment, &changes.absorbed, self.now)?;
        }
        changes.transactions.iter().try_for_each(|transaction| write_transaction(c, transaction))?;
        self.tenants.extend(changes.tenants.iter().map(|tenant| tenant.id));
        self.lots.extend(changes.lots.iter().map(|lot| lot.id));
        for hold in &changes.holds {
            self.holds.insert(hold.id);
            if !self.book.holds.contains_key(&hold.id) {
                self.new_holds.insert(hold.id);
            }
        }
        self.book.apply(changes);
        let head = self.book.head;
        self.notices.extend(changes.notices.iter().map(|notice| (head, notice.clone())));
        Ok(())
    }

    /// Writes the changed rows.
    pub(super) fn finish(self, c: &Connection) -> Result<(), StoreError> {
        for id in &self.tenants {
            let Balance { available, held, frozen, debt } = self.book.tenants[id].balance;
            c.prepare_cached(
                "INSERT INTO tenants (id, available, held, frozen, debt, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET available = ?2, held = ?3, frozen = ?4, debt = ?5",
            )?
            .execute(params![id.0, available.0, held.0, frozen.0, debt.0, self.now.0])?;
        }
        self.lots.iter().try_for_each(|id| write_lot(c, &self.book.lots[id]))?;
        for id in &self.holds {
            let hold = &self.book.holds[id];
            if self.new_holds.contains(id) { holds::insert(c, hold)? } else { holds::update(c, hold)? }
        }
        notices::write(c, &self.notices, self.now)
    }
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
    let tenant = entitlement(knowledge).tenant.or_else(|| knowledge.tenant());
    let text = serde_json::to_string(knowledge).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    c.prepare_cached(
        "INSERT INTO payments (id, key, tenant, status, knowledge, amount, currency, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
         ON CONFLICT (id) DO UPDATE SET key = ?2, tenant = ?3, status = ?4, knowledge = ?5, amount = ?6,
             currency = ?7, updated_at = ?8",
    )?
    .execute(params![
        id.0,
        knowledge.key().map(ObjectId::as_str).unwrap_or_default(),
        tenant.map(|tenant| tenant.0),
        PaymentStatus::of(knowledge).as_str(),
        text,
        knowledge.amount_taken().0,
        knowledge.currency(),
        now.0
    ])?;
    for merged in absorbed {
        absorb(c, *merged, *id, now)?;
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

/// Merges a payment into another. The journal's lines keep the old id, and `absorbed` maps it to the new one;
/// the lots are part of the decision.
fn absorb(c: &Connection, merged: PaymentId, into: PaymentId, now: Timestamp) -> Result<(), StoreError> {
    for sql in [
        "INSERT INTO absorbed (payment, into_payment) VALUES (?1, ?2)",
        "UPDATE absorbed SET into_payment = ?2 WHERE into_payment = ?1",
        "UPDATE events SET payment = ?2 WHERE payment = ?1",
    ] {
        c.prepare_cached(sql)?.execute((merged.0, into.0))?;
    }
    c.prepare_cached("DELETE FROM payments WHERE id = ?1")?.execute([merged.0])?;
    // Its open quarantine item moves to the other payment; if that one has an item too, this one is closed.
    c.prepare_cached("UPDATE OR IGNORE quarantine SET payment = ?2 WHERE payment = ?1")?
        .execute((merged.0, into.0))?;
    c.prepare_cached(
        "UPDATE quarantine SET payment = ?2, closed_at = ?3, resolution = 'cleared' WHERE payment = ?1",
    )?
    .execute((merged.0, into.0, now.0))?;
    Ok(())
}

fn write_lot(c: &Connection, lot: &Lot) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO lots VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (id) DO UPDATE SET payment = ?3, purchased_at = ?4, granted = ?5, revoked = ?6,
             available = ?7, held = ?8,
             frozen = ?9, freeze_target = ?10",
    )?
    .execute(params![
        lot.id.0,
        lot.tenant.0,
        lot.payment.map(|payment| payment.0),
        lot.purchased_at,
        lot.granted.0,
        lot.revoked.0,
        lot.available.0,
        lot.held.0,
        lot.frozen.0,
        lot.freeze_target.0,
        lot.priority,
        lot.expires_at.map_or(NEVER, |end| end.0)
    ])?;
    Ok(())
}

fn write_transaction(c: &Connection, entry: &Transaction) -> Result<(), StoreError> {
    let (cause, by) = match &entry.cause {
        Cause::Event(event) => (event.as_str(), None),
        Cause::Operator { by, reason } => (reason.as_str(), Some(by.as_str())),
        Cause::Command(key) => (key.as_str(), None),
        Cause::Clock(what) => (what.as_str(), None),
    };
    let after = entry.balance_after;
    c.prepare_cached("INSERT INTO transactions VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)")?
        .execute(params![
            entry.seq,
            entry.tenant.0,
            entry.kind.as_str(),
            entry.cause.kind().as_str(),
            cause,
            by,
            entry.payment.map(|payment| payment.0),
            entry.at.0,
            after.available.0,
            after.held.0,
            after.frozen.0,
            after.debt.0,
            entry.hash,
            entry.hold.map(|hold| hold.0),
            entry.reference
        ])?;
    let mut statement = c.prepare_cached("INSERT INTO postings VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (line, posting) in (1_i64..).zip(&entry.postings) {
        let lot = posting.lot.map(|lot| lot.0);
        statement.execute(params![entry.seq, line, posting.account.as_str(), lot, posting.amount])?;
    }
    Ok(())
}
