//! A cache of API keys, so that not every request begins with a query on another thread. It is exact, because
//! only one process has the database open: a write that changes keys clears the cache after its commit and
//! before its result is returned.
//!
//! Our own, because it must be exact: caches such as `moka` may serve an entry after its invalidation, when
//! an older read inserts it late. The version below prevents that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::KeyRow;

/// The maximum number of cached keys: a few megabytes. One more clears the cache.
const MAX_CACHED_KEYS: usize = 8192;

/// The cache. Clones share their content.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyCache(Arc<Mutex<CachedKeys>>);

#[derive(Debug, Default)]
struct CachedKeys {
    by_hash: HashMap<[u8; 32], KeyRow>,
    /// Increases each time a write invalidates the cache.
    version: u64,
}

/// The version of the cache at a miss: a key that was read from the database after it may be outdated when it
/// is inserted.
pub(super) struct CacheVersion(u64);

/// Clears the cache when it is dropped. It is part of the result of a write, which is dropped once the commit
/// has succeeded or failed, even if nobody awaits it.
#[derive(Debug)]
pub(super) struct CacheInvalidation(KeyCache);

impl KeyCache {
    /// The key with this hash, or on a miss the version for [`KeyCache::insert`].
    pub(super) fn find(&self, hash: &[u8; 32]) -> Result<KeyRow, CacheVersion> {
        let cache = self.lock();
        cache.by_hash.get(hash).cloned().ok_or(CacheVersion(cache.version))
    }

    /// Inserts a key that was read after `version`, unless the cache was invalidated since then.
    pub(super) fn insert(&self, version: &CacheVersion, hash: [u8; 32], key: &KeyRow) {
        let mut cache = self.lock();
        if cache.version == version.0 {
            if cache.by_hash.len() >= MAX_CACHED_KEYS {
                cache.by_hash.clear();
            }
            cache.by_hash.insert(hash, key.clone());
        }
    }

    /// For a write that changes existing keys.
    pub(super) fn invalidate_on_drop(&self) -> CacheInvalidation {
        CacheInvalidation(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, CachedKeys> {
        // No holder of the lock panics; if one did, the map would still contain only complete rows.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CacheInvalidation {
    fn drop(&mut self) {
        let mut cache = self.0.lock();
        cache.by_hash.clear();
        cache.version += 1;
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
    fn a_key_that_was_read_before_a_change_is_not_cached_after_it() {
        let cache = KeyCache::default();
        let Err(before) = cache.find(&hash(1)) else { panic!("the cache is empty") };
        let change = cache.invalidate_on_drop();
        cache.insert(&before, hash(1), &key(1));
        assert!(cache.find(&hash(1)).is_ok(), "nothing has changed yet");
        drop(change);
        assert!(cache.find(&hash(1)).is_err(), "the change clears the cache");
        cache.insert(&before, hash(1), &key(1));
        assert!(cache.find(&hash(1)).is_err(), "it was read before the change");
    }

    #[test]
    fn the_number_of_cached_keys_is_limited() {
        let cache = KeyCache::default();
        for id in 0..=MAX_CACHED_KEYS {
            let Err(version) = cache.find(&hash(id)) else { panic!("{id} is new") };
            cache.insert(&version, hash(id), &key(id));
            assert!(cache.lock().by_hash.len() <= MAX_CACHED_KEYS);
        }
        assert!(cache.find(&hash(MAX_CACHED_KEYS)).is_ok());
    }
}
