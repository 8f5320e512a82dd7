//! Writing what others are told, in the commit of what it tells of: the notice, and a delivery for each
//! endpoint that wants it. Where nobody listens it is one row, which the live stream can resume from.
//! Not here: endpoints and deliveries themselves (`endpoints`, `deliveries`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ledger::chain::hex;
use ledger::{Notice, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::StoreError;

/// Writes notices in their order, each with the journal's head after the decision that it tells of.
pub(super) fn write(
    c: &Connection,
    notices: &[([u8; 32], Notice)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if notices.is_empty() {
        return Ok(());
    }
    // Counted from the sequence, not from the rows: old rows are pruned, and a number is never used again.
    let last: Option<i64> = c
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'notices'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let mut audience = Audience::default();
    for (seq, (head, notice)) in (last.unwrap_or(0) + 1..).zip(notices) {
        let data = serde_json::to_string(notice).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let (tenant, kind) = (notice.tenant, notice.kind.as_str());
        c.prepare_cached("INSERT INTO notices VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
            seq,
            name(head, seq, notice, &data),
            tenant.0,
            kind,
            notice.at.0,
            data
        ])?;
        for endpoint in audience.of(c, tenant)?.filter(|endpoint| endpoint.wants(kind)) {
            c.prepare_cached(
                "INSERT INTO deliveries (endpoint, notice, tenant, due_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((&endpoint.id, seq, tenant.0, now.0))?;
        }
    }
    Ok(())
}

/// A notice's name: the same whenever it is worked out, and nobody else's. It begins with the notice's place,
/// so that finding it needs no index, which would cost every spend a page at random. The head of the chain
/// stands for all that happened before.
fn name(head: &[u8; 32], seq: i64, notice: &Notice, data: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update(seq.to_be_bytes());
    hash.update(notice.at.0.to_be_bytes());
    hash.update(notice.kind.as_str());
    hash.update(data);
    format!("msg_{seq:012x}{}", &hex(&hash.finalize())[..20])
}

/// The place of the notice of this name, if it can be one.
pub(super) fn place(name: &str) -> Option<i64> {
    i64::from_str_radix(name.strip_prefix("msg_")?.get(..12)?, 16).ok()
}

/// Who listens: asked once for each tenant in a batch.
#[derive(Default)]
struct Audience {
    /// Endpoints of all tenants.
    everywhere: Option<Vec<Endpoint>>,
    of: BTreeMap<TenantId, Vec<Endpoint>>,
}

struct Endpoint {
    id: String,
    /// ` a b `: separated and enclosed by spaces; ` * ` is all of them.
    types: String,
}

impl Endpoint {
    fn wants(&self, kind: &str) -> bool {
        self.types == " * " || self.types.contains(&format!(" {kind} "))
    }
}

impl Audience {
    /// The endpoints that are told of `tenant`: its own, and those of all tenants.
    fn of(
        &mut self,
        c: &Connection,
        tenant: TenantId,
    ) -> Result<impl Iterator<Item = &Endpoint>, StoreError> {
        if self.everywhere.is_none() {
            self.everywhere = Some(listening(c, None)?);
        }
        let own = match self.of.entry(tenant) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(listening(c, Some(tenant.0))?),
        };
        Ok(self.everywhere.iter().flatten().chain(own.iter()))
    }
}

fn listening(c: &Connection, tenant: Option<Uuid>) -> Result<Vec<Endpoint>, StoreError> {
    let sql = "SELECT id, types FROM endpoints WHERE tenant IS ?1 AND disabled_at IS NULL ORDER BY id";
    let mut statement = c.prepare_cached(sql)?;
    let rows = statement.query_map([tenant], |row| Ok(Endpoint { id: row.get(0)?, types: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
