//! Checks the whole journal against itself and against its projections: the chain, the sums and the balances.
//! Every value that follows from the postings is recomputed.

mod holds;

use std::collections::BTreeMap;

use ledger::chain::{GENESIS, hex, seal};
use ledger::{Account, Balance, LotId, TenantId, Transaction};
use rusqlite::Connection;
use uuid::Uuid;

use super::{book, journal, unconfirmed};
use crate::error::StoreError;
use crate::model::{AuditReport, StoreHealth};

/// The maximum number of listed faults.
const MAX_FAULTS: usize = 20;

/// Counts and times for the health check.
pub(super) fn health(c: &Connection) -> Result<StoreHealth, StoreError> {
    let one = |sql: &str| -> Result<Option<i64>, StoreError> {
        Ok(c.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    };
    let at = |micros: Option<i64>| micros.map(ledger::Timestamp);
    Ok(StoreHealth {
        // `seq` is never reused, so the largest one is the count.
        events: one("SELECT max(seq) FROM events")?.unwrap_or_default(),
        pending: one("SELECT count(*) FROM events WHERE due_at IS NOT NULL")?.unwrap_or_default(),
        // Uses only the index: reading every pending event would delay a large backlog further.
        oldest_pending: at(one("SELECT (SELECT received_at FROM events WHERE seq =
                 (SELECT min(seq) FROM events INDEXED BY events_due WHERE due_at IS NOT NULL))")?),
        // Each part has its own index of open items.
        quarantined: one(
            "SELECT (SELECT count(*) FROM quarantine WHERE closed_at IS NULL AND event IS NOT NULL)
                 + (SELECT count(*) FROM quarantine WHERE closed_at IS NULL AND payment IS NOT NULL)",
        )?
        .unwrap_or_default(),
        last_event: at(one("SELECT (SELECT received_at FROM events ORDER BY seq DESC LIMIT 1)")?),
        transactions: one("SELECT max(seq) FROM transactions")?.unwrap_or_default(),
        endpoints_disabled: one(
            "SELECT count(*) FROM (SELECT 1 FROM endpoints WHERE disabled_at IS NOT NULL LIMIT 100)",
        )?
        .unwrap_or_default(),
        restore_unconfirmed: unconfirmed::exists(c)?,
    })
}

/// Reads everything and reports inconsistencies.
pub(super) fn audit(c: &Connection) -> Result<AuditReport, StoreError> {
    let mut check = Check { head: GENESIS, ..Check::default() };
    let sql = format!("SELECT {} FROM transactions t ORDER BY t.seq", journal::COLUMNS);
    let mut statement = c.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        check.transaction(c, &journal::read(c, row)?)?;
    }
    let stray: i64 = c
        .prepare("SELECT count(*) FROM postings WHERE seq NOT IN (SELECT seq FROM transactions)")?
        .query_row([], |row| row.get(0))?;
    if stray > 0 {
        check.faults.add(format!("{stray} postings belong to no transaction"));
    }
    let tenants = check.tenants(c)?;
    let lots = check.lots(c)?;
    check.holds.finish(c, &mut check.faults)?;
    Ok(AuditReport { transactions: check.seq, tenants, lots, head: hex(&check.head), faults: check.faults.0 })
}

/// The inconsistencies, as text; at most [`MAX_FAULTS`].
#[derive(Default)]
struct AuditFaults(Vec<String>);

impl AuditFaults {
    fn add(&mut self, what: String) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(what);
        }
    }
}

#[derive(Default)]
struct Check {
    seq: i64,
    head: [u8; 32],
    /// Per tenant: available, held, frozen, debt. Wide enough that forged amounts cannot overflow a sum.
    balances: BTreeMap<TenantId, [i128; 4]>,
    /// Per lot and its tenant: granted, revoked, available, held, frozen.
    lots: BTreeMap<(LotId, TenantId), [i128; 5]>,
    /// The holds according to the journal.
    holds: holds::HoldAudit,
    faults: AuditFaults,
}

impl Check {
    fn transaction(&mut self, c: &Connection, entry: &Transaction) -> Result<(), StoreError> {
        let seq = entry.seq;
        if seq != self.seq + 1 {
            self.faults.add(format!("transaction {} is missing", self.seq + 1));
        }
        if seal(&self.head, entry) != entry.hash {
            self.faults
                .add(format!("transaction {seq} does not match its hash, or the one before it was changed"));
        }
        if entry.postings.iter().map(|posting| i128::from(posting.amount)).sum::<i128>() != 0 {
            self.faults.add(format!("transaction {seq} does not sum to zero"));
        }
        let balance = self.balances.entry(entry.tenant).or_default();
        for posting in &entry.postings {
            let amount = i128::from(posting.amount);
            match posting.account {
                Account::Available => balance[0] += amount,
                Account::Held => balance[1] += amount,
                Account::Frozen => balance[2] += amount,
                Account::Debt => balance[3] -= amount,
                Account::Issued
                | Account::Consumed
                | Account::Revoked
                | Account::Expired
                | Account::Adjusted
                | Account::WrittenOff => {}
            }
            if let Some(lot) = posting.lot {
                let figures = self.lots.entry((lot, entry.tenant)).or_default();
                match posting.account {
                    Account::Issued => figures[0] -= amount,
                    // Credits that an operator added leave this account; credits that an operator removed
                    // enter it.
                    Account::Adjusted => figures[0] -= amount.min(0),
                    Account::Revoked => figures[1] += amount,
                    Account::Available => figures[2] += amount,
                    Account::Held => figures[3] += amount,
                    Account::Frozen => figures[4] += amount,
                    Account::Consumed | Account::Debt | Account::Expired | Account::WrittenOff => {}
                }
            }
        }
        if *balance != figures(entry.balance_after) {
            self.faults.add(format!("transaction {seq} states a balance that does not match its postings"));
        }
        (self.seq, self.head) = (seq, entry.hash);
        self.holds.add_transaction(c, entry, &mut self.faults)
    }

    fn tenants(&mut self, c: &Connection) -> Result<i64, StoreError> {
        let mut statement = c.prepare("SELECT available, held, frozen, debt, id FROM tenants")?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let tenant = TenantId(row.get::<_, Uuid>(4)?);
            count += 1;
            if figures(book::read_balance(row, 0)?) != self.balances.remove(&tenant).unwrap_or_default() {
                self.faults
                    .add(format!("tenant {tenant}: the stored balance is not the sum of the postings"));
            }
        }
        if let Some(missing) = self.balances.keys().next().copied() {
            self.faults.add(format!("tenant {missing} has postings and no row"));
        }
        Ok(count)
    }

    fn lots(&mut self, c: &Connection) -> Result<i64, StoreError> {
        let mut statement = c.prepare("SELECT * FROM lots")?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let lot = book::read_lot(row)?;
            count += 1;
            let stored = [lot.granted, lot.revoked, lot.available, lot.held, lot.frozen]
                .map(|figure| i128::from(figure.0));
            if stored != self.lots.remove(&(lot.id, lot.tenant)).unwrap_or_default() {
                self.faults
                    .add(format!("lot {}: the stored figures are not the sum of the postings", lot.id));
            }
        }
        if let Some((missing, tenant)) = self.lots.keys().next().copied() {
            self.faults.add(format!("lot {missing} of tenant {tenant} has postings and no row"));
        }
        Ok(count)
    }
}

fn figures(balance: Balance) -> [i128; 4] {
    let Balance { available, held, frozen, debt } = balance;
    [available, held, frozen, debt].map(|credits| i128::from(credits.0))
}
