//! Registered people, and who acts with a key.
//! Not here: who may decide what (`actions`).

use ledger::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::keys;
use crate::error::StoreError;
use crate::model::{Actor, KeyHolder, KeyRow, PersonRow};

const COLUMNS: &str = "id, name, created_at, created_by, removed_at";

/// Who acts: a registered person, and their key.
pub(super) struct Acting {
    pub(super) person: PersonRow,
    pub(super) key: KeyRow,
}

impl Acting {
    pub(super) fn actor(&self) -> Actor {
        Actor {
            person: self.person.id.clone(),
            name: self.person.name.clone(),
            key: Some(self.key.id.clone()),
            key_name: Some(self.key.name.clone()),
        }
    }
}

/// Who acts with the key of this id. The machine's key acts for the only registered person. Nobody does where
/// the key is no operator's, works no more, or is the machine's while several people are registered.
pub(super) fn acting(c: &Connection, key: &str, now: Timestamp) -> Result<Option<Acting>, StoreError> {
    let Some(key) = keys::with_id(c, key)?.filter(|key| key.works(now)) else { return Ok(None) };
    let person = match &key.holder {
        KeyHolder::Person(id) => find(c, id)?.filter(|person| person.removed_at.is_none()),
        KeyHolder::Machine => {
            let mut registered = registered(c)?;
            registered.pop().filter(|_| registered.is_empty())
        }
        KeyHolder::Tenant { .. } | KeyHolder::Service => None,
    };
    Ok(person.map(|person| Acting { person, key }))
}

/// The people who are registered, the oldest first.
pub(super) fn registered(c: &Connection) -> Result<Vec<PersonRow>, StoreError> {
    let mut people = list(c)?;
    people.retain(|person| person.removed_at.is_none());
    Ok(people)
}

/// Everybody who is or was registered, the oldest first.
pub(super) fn list(c: &Connection) -> Result<Vec<PersonRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM people ORDER BY created_at, id"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One of them, registered or not.
pub(super) fn find(c: &Connection, id: &str) -> Result<Option<PersonRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM people WHERE id = ?1"))?;
    Ok(statement.query_row([id], read).optional()?)
}

/// Whether a registered person has this name.
pub(super) fn is_name_taken(c: &Connection, name: &str) -> Result<bool, StoreError> {
    let mut statement = c.prepare_cached("SELECT 1 FROM people WHERE name = ?1 AND removed_at IS NULL")?;
    Ok(statement.exists([name])?)
}

/// Registers a person.
pub(super) fn add(c: &Connection, person: &PersonRow) -> Result<(), StoreError> {
    c.prepare_cached("INSERT INTO people (id, name, created_at, created_by) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![person.id, person.name, person.created_at.0, person.created_by])?;
    Ok(())
}

/// Registers the first person; the one who is there already, where somebody is.
pub(super) fn add_first(c: &Connection, person: &PersonRow) -> Result<PersonRow, StoreError> {
    if let Some(first) = registered(c)?.into_iter().next() {
        return Ok(first);
    }
    add(c, person)?;
    Ok(person.clone())
}

/// Removes a person: their keys stop working, and what they have asked for and nobody decided is rejected.
/// The machine's own keys stop too: whoever leaves may know them, and they could come to act for who is left.
pub(super) fn remove(c: &Connection, id: &str, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE people SET removed_at = ?2 WHERE id = ?1")?.execute((id, now.0))?;
    keys::revoke_of_person(c, id, now)?;
    keys::revoke_of_machine(c, now)?;
    c.prepare_cached(
        "UPDATE operator_actions SET state = 'rejected', decided_at = ?2,
             note = 'The person who asked for it was removed.'
         WHERE person = ?1 AND state = 'waiting'",
    )?
    .execute((id, now.0))?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: Timestamp(row.get(2)?),
        created_by: row.get(3)?,
        removed_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
    })
}
