//! Registered people, and the person for whom an API key acts.

use ledger::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::keys;
use crate::error::StoreError;
use crate::model::{Actor, KeyHolder, KeyRow, PersonRow};

const COLUMNS: &str = "id, name, created_at, created_by, removed_at";

/// A registered person and the key that they use.
pub(super) struct ActingPerson {
    pub(super) person: PersonRow,
    pub(super) key: KeyRow,
}

impl ActingPerson {
    pub(super) fn actor(&self) -> Actor {
        Actor {
            person: self.person.id.clone(),
            name: self.person.name.clone(),
            key: Some(self.key.id.clone()),
            key_name: Some(self.key.name.clone()),
        }
    }
}

/// The person for whom the key with this id acts. The machine's key acts for the only registered person.
/// `None` if the key is not an operator's or not valid, or if it is the machine's and several people are
/// registered.
pub(super) fn acting_person(
    c: &Connection,
    key: &str,
    now: Timestamp,
) -> Result<Option<ActingPerson>, StoreError> {
    let Some(key) = keys::with_id(c, key)?.filter(|key| key.works(now)) else { return Ok(None) };
    let person = match &key.holder {
        KeyHolder::Person(id) => find(c, id)?.filter(|person| person.removed_at.is_none()),
        KeyHolder::Machine => {
            let mut registered = registered(c)?;
            registered.pop().filter(|_| registered.is_empty())
        }
        KeyHolder::Tenant { .. } | KeyHolder::Service => None,
    };
    Ok(person.map(|person| ActingPerson { person, key }))
}

/// The registered people, oldest first.
pub(super) fn registered(c: &Connection) -> Result<Vec<PersonRow>, StoreError> {
    let mut people = list(c)?;
    people.retain(|person| person.removed_at.is_none());
    Ok(people)
}

/// All people who are or were registered, oldest first.
pub(super) fn list(c: &Connection) -> Result<Vec<PersonRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM people ORDER BY created_at, id"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A person, registered or not.
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

/// Registers the first person, or returns the first of those who are registered.
pub(super) fn add_first(c: &Connection, person: &PersonRow) -> Result<PersonRow, StoreError> {
    if let Some(first) = registered(c)?.into_iter().next() {
        return Ok(first);
    }
    add(c, person)?;
    Ok(person.clone())
}

/// Removes a person: their keys are revoked, and their waiting actions are rejected. The machine's keys are
/// revoked too, because the person may know them, and they might act for the one who remains.
pub(super) fn remove(c: &Connection, id: &str, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE people SET removed_at = ?2 WHERE id = ?1")?.execute((id, now.0))?;
    keys::revoke_of_person(c, id, now)?;
    keys::revoke_of_machine(c, now)?;
    c.prepare_cached(
        "UPDATE operator_actions SET state = 'rejected', decided_at = ?2,
             note = 'The person who requested it was removed.'
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
