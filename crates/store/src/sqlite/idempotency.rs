//! One name names one thing of a tenant, whatever it does: a command or a purchase. Each kind keeps its names
//! with what they name; here one asks after those of the other.
//! Not here: the names of operators' actions, which no tenant and no service uses.

use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::model::KeyName;

/// What a name can stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyUse {
    Command,
    Purchase,
}

impl KeyUse {
    const ALL: [Self; 2] = [Self::Command, Self::Purchase];

    fn table(self) -> &'static str {
        match self {
            Self::Command => "commands",
            Self::Purchase => "purchases",
        }
    }
}

/// A name as every one of the tables has it: `tenant`, `scope` and `key`.
pub(super) fn columns(name: &KeyName) -> (Uuid, &'static str, &str) {
    (name.0.0, name.1.as_str(), &name.2)
}

/// Whether this name stands for something that is no `own`.
pub(super) fn taken_elsewhere(c: &Connection, name: &KeyName, own: KeyUse) -> Result<bool, StoreError> {
    for thing in KeyUse::ALL.into_iter().filter(|thing| *thing != own) {
        let table = thing.table();
        let sql = format!("SELECT 1 FROM {table} WHERE tenant = ?1 AND scope = ?2 AND key = ?3");
        if c.prepare_cached(&sql)?.exists(columns(name))? {
            return Ok(true);
        }
    }
    Ok(false)
}
