//! Writes notices in the commit of what they report, with a delivery for each subscribed endpoint. Without
//! subscribers a notice is one row, from which the live stream can resume.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ledger::chain::hex;
use ledger::{Notice, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::StoreError;

/// Writes notices in order, each with the journal's head after its decision.
pub(super) fn write(
    c: &Connection,
    notices: &[([u8; 32], Notice)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if notices.is_empty() {
        return Ok(());
    }
    // Numbered by the sequence, not by the rows: old rows are pruned, and a number is never reused.
    let last: Option<i64> = c
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'notices'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let mut subscribers = Subscribers::default();
    for (seq, (head, notice)) in (last.unwrap_or(0) + 1..).zip(notices) {
        let data = serde_json::to_string(notice).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let (tenant, kind) = (notice.tenant, notice.kind.as_str());
        c.prepare_cached("INSERT INTO notices VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
            seq,
            notice_id(head, seq, notice, &data),
            tenant.0,
            kind,
            notice.at.0,
            data
        ])?;
        for endpoint in subscribers.of(c, tenant)?.filter(|endpoint| endpoint.wants(kind)) {
            c.prepare_cached(
                "INSERT INTO deliveries (endpoint, notice, tenant, due_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((&endpoint.id, seq, tenant.0, now.0))?;
        }
    }
    Ok(())
}

/// A notice's id, which is deterministic and unique. It begins with the sequence number, so that looking it
/// up needs no index, which would cost each spend a random page write. The head of the chain stands for all
/// earlier transactions.
fn notice_id(head: &[u8; 32], seq: i64, notice: &Notice, data: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update(seq.to_be_bytes());
    hash.update(notice.at.0.to_be_bytes());
    hash.update(notice.kind.as_str());
    hash.update(data);
    format!("msg_{seq:012x}{}", &hex(&hash.finalize())[..20])
}

/// The sequence number in a notice's id, if the id is well-formed.
pub(super) fn seq_in_id(name: &str) -> Option<i64> {
    i64::from_str_radix(name.strip_prefix("msg_")?.get(..12)?, 16).ok()
}

/// The subscribed endpoints, loaded once for each tenant in a batch.
#[derive(Default)]
struct Subscribers {
    /// Endpoints that receive notices of all tenants.
    of_all_tenants: Option<Vec<Subscriber>>,
    of_tenant: BTreeMap<TenantId, Vec<Subscriber>>,
}

struct Subscriber {
    id: String,
    /// ` a b `: separated by and enclosed in spaces; ` * ` means all.
    types: String,
}

impl Subscriber {
    fn wants(&self, kind: &str) -> bool {
        self.types == " * " || self.types.contains(&format!(" {kind} "))
    }
}

impl Subscribers {
    /// The endpoints that receive notices of `tenant`: its own, and those for all tenants.
    fn of(
        &mut self,
        c: &Connection,
        tenant: TenantId,
    ) -> Result<impl Iterator<Item = &Subscriber>, StoreError> {
        if self.of_all_tenants.is_none() {
            self.of_all_tenants = Some(load_subscribers(c, None)?);
        }
        let own = match self.of_tenant.entry(tenant) {
            Entry::Occupied(loaded) => loaded.into_mut(),
            Entry::Vacant(slot) => slot.insert(load_subscribers(c, Some(tenant.0))?),
        };
        Ok(self.of_all_tenants.iter().flatten().chain(own.iter()))
    }
}

fn load_subscribers(c: &Connection, tenant: Option<Uuid>) -> Result<Vec<Subscriber>, StoreError> {
    let sql = "SELECT id, types FROM endpoints WHERE tenant IS ?1 AND disabled_at IS NULL ORDER BY id";
    let mut statement = c.prepare_cached(sql)?;
    let rows = statement.query_map([tenant], |row| Ok(Subscriber { id: row.get(0)?, types: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
