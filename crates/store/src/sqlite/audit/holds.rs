//! Holds, told twice: by the journal's lines and by the rows that are kept of them. Held credits belong to a
//! hold always, so where the two agree, what is held of each lot and tenant is the sum of its open holds.
//! Not here: the sums of lots and tenants themselves.

use std::collections::BTreeMap;

use ledger::{Account, Hold, HoldId, HoldState, Kind, LotId, TenantId, Timestamp, Transaction};
use rusqlite::Connection;

use crate::error::StoreError;
use crate::sqlite::holds;

/// What the journal says of each hold.
#[derive(Default)]
pub(super) struct Told(BTreeMap<HoldId, Story>);

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
    /// Takes in a line of the journal; answers what is wrong with it.
    pub(super) fn hear(&mut self, entry: &Transaction) -> Option<String> {
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
            Kind::Held => None,
            Kind::Captured => Some(HoldState::Captured),
            Kind::Released => Some(HoldState::Released),
            Kind::HoldExpired => Some(HoldState::Expired),
            _ if held.is_empty() => return None,
            _ => return Some(format!("transaction {seq} moves held credits and is about no hold")),
        };
        let Some(id) = entry.hold else {
            return Some(format!("transaction {seq} does not say which hold it is about"));
        };
        let Some(state) = state else {
            let story = Story { tenant: entry.tenant, made_at: entry.at, taken: held, end: None };
            let again = self.0.insert(id, story).is_some();
            return again.then(|| format!("transaction {seq} makes {id}, which was there already"));
        };
        let Some(story) = self.0.get_mut(&id) else {
            return Some(format!("transaction {seq} ends {id}, which was never made"));
        };
        let whole = held.len() == story.taken.len()
            && held.iter().all(|(lot, back)| story.taken.get(lot) == Some(&back.saturating_neg()));
        if story.end.is_some() || !whole || story.tenant != entry.tenant {
            return Some(format!("transaction {seq} does not end {id} once and as a whole"));
        }
        story.end = Some((state, spent, entry.at));
        None
    }

    /// Compares it with the rows; answers what differs.
    pub(super) fn compare(mut self, c: &Connection) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        holds::each(c, |hold| {
            let id = hold.id;
            let sum: i128 = hold.lots.iter().map(|taken| i128::from(taken.credits.0)).sum();
            if self.0.remove(&id) != Some(story(hold)) || sum != i128::from(hold.credits.0) {
                faults.push(format!("{id}: what is stored of it is not what the journal says"));
            }
        })?;
        faults.extend(self.0.keys().next().map(|id| format!("{id} is in the journal and has no row")));
        Ok(faults)
    }
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
