//! A table of objects of one kind, in the order of their creation and indexed by id.
//!
//! Not here: paging and filters (`wire::list`).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An object that a [`Table`] can hold.
pub trait HasId {
    /// Its id, which never changes.
    fn id(&self) -> &str;
}

/// Objects of one kind. A table is saved as a list and loaded in the same order.
#[derive(Clone, Debug)]
pub struct Table<T> {
    rows: BTreeMap<u64, T>,
    by_id: HashMap<String, u64>,
    added: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), by_id: HashMap::new(), added: 0 }
    }
}

impl<T: HasId> Table<T> {
    /// Adds an object as the newest.
    pub(crate) fn add(&mut self, row: T) {
        self.added += 1;
        self.by_id.insert(row.id().to_owned(), self.added);
        self.rows.insert(self.added, row);
    }

    /// The object with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.by_id.get(id)?)
    }

    /// The object with this id, to change it without an event. `World::change` emits one.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.by_id.get(id)?)
    }

    /// Removes an object.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        self.rows.remove(&self.by_id.remove(id)?)
    }

    /// Removes the oldest object if `rule` holds for it.
    pub(crate) fn remove_oldest_if(&mut self, rule: impl FnOnce(&T) -> bool) -> Option<T> {
        let oldest = self.rows.first_entry()?;
        if !rule(oldest.get()) {
            return None;
        }
        let row = oldest.remove();
        self.by_id.remove(row.id());
        Some(row)
    }

    /// All objects, the oldest first. Stripe lists them in reverse.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The objects after the first `count` that were ever added.
    pub(crate) fn added_since(&self, count: u64) -> impl Iterator<Item = &T> {
        self.rows.range(count.saturating_add(1)..).map(|(_, row)| row)
    }

    /// How many objects have been added since the table was loaded.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.values())
    }
}

impl<'de, T: HasId + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        Vec::<T>::deserialize(deserializer)?.into_iter().for_each(|row| table.add(row));
        Ok(table)
    }
}
