//! Holds, told twice: by the journal's lines and by the rows that are kept of them. Held credits belong to a
//! hold always, so where the two agree, what is held of each lot and tenant is the sum of its open holds.
//! A hold is compared with its row as soon as the journal ends it, so that only those that stand are kept in
//! memory.
//! Not here: the sums of lots and tenants themselves.

use std::collections::BTreeMap;

use ledger::{Account, Hold, HoldId, HoldState, LotId, TenantId, Timestamp, Transaction, TransactionKind};
use rusqlite::Connection;

use super::Faults;
use crate::error::StoreError;
use crate::sqlite::holds;

/// What the journal has said of holds so far.
#[derive(Default)]
pub(super) struct Told {
    /// How many it made.
    made: i64,
    /// Those that it has not ended.
    open: BTreeMap<HoldId, Story>,
}

/// What the journal, or its row, says of one hold.
#[derive(PartialEq)]
struct Story {
    tenant: TenantId,
    made_at: Timestamp,
    /// What it took, by lot.
    taken: BTreeMap<LotId, i64>,
    /// How it ended, how much of it was spent, and when.
    end: Option<(HoldState, i64, Timestamp)>,
}

impl Told {
    /// Takes in a line of the journal.
    pub(super) fn hear(
        &mut self,
        c: &Connection,
        entry: &Transaction,
        faults: &mut Faults,
    ) -> Result<(), StoreError> {
        let seq = entry.seq;
        // Forged amounts may be anything: they must not overflow, and will not look like what was taken.
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
                    faults.add(format!("transaction {seq} moves held credits and is about no hold"));
                }
                return Ok(());
            }
        };
        let Some(id) = entry.hold else {
            faults.add(format!("transaction {seq} does not say which hold it is about"));
            return Ok(());
        };
        let Some(state) = state else {
            self.made += 1;
            let story = Story { tenant: entry.tenant, made_at: entry.at, taken: held, end: None };
            if self.open.insert(id, story).is_some() {
                faults.add(format!("transaction {seq} makes {id}, which was there already"));
            }
            return Ok(());
        };
        let Some(story) = self.open.remove(&id) else {
            faults.add(format!("transaction {seq} ends {id}, which was never made, or had ended"));
            return Ok(());
        };
        let whole = held.len() == story.taken.len()
            && held.iter().all(|(lot, back)| story.taken.get(lot) == Some(&back.saturating_neg()));
        if !whole || story.tenant != entry.tenant {
            faults.add(format!("transaction {seq} does not end {id} as a whole"));
        }
        compare(c, id, &Story { end: Some((state, spent, entry.at)), ..story }, faults)
    }

    /// Compares what is left at the journal's end.
    pub(super) fn finish(&self, c: &Connection, faults: &mut Faults) -> Result<(), StoreError> {
        self.open.iter().try_for_each(|(id, told)| compare(c, *id, told, faults))?;
        let stored: i64 = c.query_row("SELECT count(*) FROM holds", [], |row| row.get(0))?;
        if stored != self.made {
            faults.add(format!("{stored} holds are stored, and the journal made {}", self.made));
        }
        Ok(())
    }
}

fn compare(c: &Connection, id: HoldId, told: &Story, faults: &mut Faults) -> Result<(), StoreError> {
    let Some(hold) = holds::find(c, id)? else {
        faults.add(format!("{id} is in the journal and has no row"));
        return Ok(());
    };
    let sum: i128 = hold.lots.iter().map(|taken| i128::from(taken.credits.0)).sum();
    if story(&hold) != *told || sum != i128::from(hold.credits.0) {
        faults.add(format!("{id}: what is stored of it is not what the journal says"));
    }
    Ok(())
}

/// What its row says.
fn story(hold: &Hold) -> Story {
    Story {
        tenant: hold.tenant,
        made_at: hold.created_at,
        taken: hold.lots.iter().map(|taken| (taken.lot, taken.credits.0)).collect(),
        end: match (hold.state, hold.resolved_at) {
            (HoldState::Open, None) => None,
            (state, at) => Some((state, hold.captured.0, at.unwrap_or(Timestamp(i64::MIN)))),
        },
    }
}
