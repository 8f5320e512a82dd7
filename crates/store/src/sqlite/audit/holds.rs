//! Compares the holds in the journal with the stored rows. Held credits always belong to a hold, so if the
//! two agree, the held credits of each lot and tenant are the sum of its open holds. A hold is compared with
//! its row when the journal ends it, so that only open holds are kept in memory.

use std::collections::BTreeMap;

use ledger::{Account, Hold, HoldId, HoldState, LotId, TenantId, Timestamp, Transaction, TransactionKind};
use rusqlite::Connection;

use super::AuditFaults;
use crate::error::StoreError;
use crate::sqlite::holds;

/// The holds according to the journal so far.
#[derive(Default)]
pub(super) struct HoldAudit {
    /// The number of holds that were created.
    created: i64,
    /// The holds that have not ended.
    open: BTreeMap<HoldId, HoldHistory>,
}

/// One hold, according to the journal or to its row.
#[derive(PartialEq)]
struct HoldHistory {
    tenant: TenantId,
    created_at: Timestamp,
    /// The credits that it took, by lot.
    taken: BTreeMap<LotId, i64>,
    /// How it ended, how much was captured, and when.
    end: Option<(HoldState, i64, Timestamp)>,
}

impl HoldAudit {
    /// Adds a transaction of the journal.
    pub(super) fn add_transaction(
        &mut self,
        c: &Connection,
        entry: &Transaction,
        faults: &mut AuditFaults,
    ) -> Result<(), StoreError> {
        let seq = entry.seq;
        // Forged amounts may have any value: they must not overflow, and will not match the taken credits.
        let (mut held, mut spent) = (BTreeMap::<LotId, i64>::new(), 0_i64);
        for posting in &entry.postings {
            if posting.account == Account::Held {
                let sum = held.entry(posting.lot.unwrap_or(LotId(0))).or_default();
                *sum = sum.saturating_add(posting.amount);
            } else if posting.account == Account::Consumed {
                spent = spent.saturating_add(posting.amount);
            }
        }
        let state = match entry.kind {
            TransactionKind::Held => None,
            TransactionKind::Captured => Some(HoldState::Captured),
            TransactionKind::Released => Some(HoldState::Released),
            TransactionKind::HoldExpired => Some(HoldState::Expired),
            _ => {
                if !held.is_empty() {
                    faults.add(format!("transaction {seq} moves held credits but concerns no hold"));
                }
                return Ok(());
            }
        };
        let Some(id) = entry.hold else {
            faults.add(format!("transaction {seq} does not name its hold"));
            return Ok(());
        };
        let Some(state) = state else {
            self.created += 1;
            let history = HoldHistory { tenant: entry.tenant, created_at: entry.at, taken: held, end: None };
            if self.open.insert(id, history).is_some() {
                faults.add(format!("transaction {seq} creates {id}, which already exists"));
            }
            return Ok(());
        };
        let Some(history) = self.open.remove(&id) else {
            faults.add(format!("transaction {seq} ends {id}, which was never created or has already ended"));
            return Ok(());
        };
        let whole = held.len() == history.taken.len()
            && held.iter().all(|(lot, back)| history.taken.get(lot) == Some(&back.saturating_neg()));
        if !whole || history.tenant != entry.tenant {
            faults.add(format!("transaction {seq} does not end {id} as a whole"));
        }
        compare(c, id, &HoldHistory { end: Some((state, spent, entry.at)), ..history }, faults)
    }

    /// Compares the holds that are still open at the end of the journal.
    pub(super) fn finish(&self, c: &Connection, faults: &mut AuditFaults) -> Result<(), StoreError> {
        self.open.iter().try_for_each(|(id, expected)| compare(c, *id, expected, faults))?;
        let stored: i64 = c.query_row("SELECT count(*) FROM holds", [], |row| row.get(0))?;
        if stored != self.created {
            faults.add(format!("{stored} holds are stored, and the journal created {}", self.created));
        }
        Ok(())
    }
}

fn compare(
    c: &Connection,
    id: HoldId,
    expected: &HoldHistory,
    faults: &mut AuditFaults,
) -> Result<(), StoreError> {
    let Some(hold) = holds::find(c, id)? else {
        faults.add(format!("{id} is in the journal and has no row"));
        return Ok(());
    };
    let sum: i128 = hold.lots.iter().map(|taken| i128::from(taken.credits.0)).sum();
    if history(&hold) != *expected || sum != i128::from(hold.credits.0) {
        faults.add(format!("{id}: the stored hold differs from the journal"));
    }
    Ok(())
}

/// The hold according to its row.
fn history(hold: &Hold) -> HoldHistory {
    HoldHistory {
        tenant: hold.tenant,
        created_at: hold.created_at,
        taken: hold.lots.iter().map(|taken| (taken.lot, taken.credits.0)).collect(),
        end: match (hold.state, hold.resolved_at) {
            (HoldState::Open, None) => None,
            (state, at) => Some((state, hold.captured.0, at.unwrap_or(Timestamp(i64::MIN)))),
        },
    }
}
