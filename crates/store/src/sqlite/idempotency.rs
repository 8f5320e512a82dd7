//! An idempotency key is used once per tenant and scope, either for a command or for a purchase. Each table
//! stores its own keys; this module checks the other tables. Operators' actions have separate keys.

use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::model::ScopedKey;

/// What a key can be used for.
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

/// The columns `tenant`, `scope` and `key`, which all tables share.
pub(super) fn columns(key: &ScopedKey) -> (Uuid, &'static str, &str) {
    (key.0.0, key.1.as_str(), &key.2)
}

/// Whether the key is used for anything other than `own`.
pub(super) fn has_other_use(c: &Connection, key: &ScopedKey, own: KeyUse) -> Result<bool, StoreError> {
    for key_use in KeyUse::ALL.into_iter().filter(|key_use| *key_use != own) {
        let table = key_use.table();
        let sql = format!("SELECT 1 FROM {table} WHERE tenant = ?1 AND scope = ?2 AND key = ?3");
        if c.prepare_cached(&sql)?.exists(columns(key))? {
            return Ok(true);
        }
    }
    Ok(false)
}
