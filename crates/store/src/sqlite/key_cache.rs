//! API keys that were asked for lately, in memory, so that not every request begins with a query on another
//! thread. Exact, because one process has the database: whatever changes a key makes all of them forgotten,
//! after it is committed and before it is answered.
//! Not here: whether a key still works, which is a matter of the clock (`web`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::KeyRow;

/// Keys that are known at a time: a few megabytes. One more, and it begins anew.
const MAX_KNOWN: usize = 8192;

/// The keys that are known. Cheap to clone; every clone knows the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyCache(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<[u8; 32], KeyRow>,
    /// How often everything was forgotten.
    changes: u64,
}

/// The moment at which something was not known: what is read after it may be out of date when it arrives.
pub(super) struct Moment(u64);

/// Makes everything forgotten when it is dropped. It travels with the answer of a write: that is dropped
/// once the write's fate is known, also where nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Change(KeyCache);

impl KeyCache {
    /// The key with this hash; if it is not known, the moment, for [`KeyCache::learn`].
    pub(super) fn find(&self, hash: &[u8; 32]) -> Result<KeyRow, Moment> {
        let known = self.lock();
        known.by_hash.get(hash).cloned().ok_or(Moment(known.changes))
    }

    /// Keeps what was read since `moment`, unless keys have changed meanwhile.
    pub(super) fn learn(&self, moment: &Moment, hash: [u8; 32], key: &KeyRow) {
        let mut known = self.lock();
        if known.changes == moment.0 {
            if known.by_hash.len() >= MAX_KNOWN {
                known.by_hash.clear();
            }
            known.by_hash.insert(hash, key.clone());
        }
    }

    /// For a write that changes keys which exist.
    pub(super) fn change(&self) -> Change {
        Change(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nobody who holds it panics; if so, a map of whole rows is as good as ever.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut known = self.0.lock();
        known.by_hash.clear();
        known.changes += 1;
    }
}

#[cfg(test)]
mod tests {
    use ledger::Timestamp;

    use super::*;
    use crate::model::KeyHolder;

    fn key(id: usize) -> KeyRow {
        KeyRow {
            id: format!("key_{id}"),
            name: String::new(),
            holder: KeyHolder::Service,
            created_at: Timestamp(0),
            expires_at: None,
            revoked_at: None,
        }
    }

    fn hash(id: usize) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&id.to_le_bytes());
        hash
    }

    #[test]
    fn what_was_read_before_a_change_is_not_learnt_after_it() {
        let known = KeyCache::default();
        let Err(before) = known.find(&hash(1)) else { panic!("nothing is known") };
        let change = known.change();
        known.learn(&before, hash(1), &key(1));
        assert!(known.find(&hash(1)).is_ok(), "nothing has changed yet");
        drop(change);
        assert!(known.find(&hash(1)).is_err(), "now it has");
        known.learn(&before, hash(1), &key(1));
        assert!(known.find(&hash(1)).is_err(), "it was read before");
    }

    #[test]
    fn no_more_are_known_than_there_is_room_for() {
        let known = KeyCache::default();
        for id in 0..=MAX_KNOWN {
            let Err(moment) = known.find(&hash(id)) else { panic!("{id} is new") };
            known.learn(&moment, hash(id), &key(id));
            assert!(known.lock().by_hash.len() <= MAX_KNOWN);
        }
        assert!(known.find(&hash(MAX_KNOWN)).is_ok());
    }
}
