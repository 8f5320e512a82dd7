//! Objects of one kind, in the order in which they were made, found by id.
//!
//! Not here: paging and filters (`wire::list`).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What can be kept in a [`Table`].
pub trait HasId {
    /// Its id, which never changes.
    fn id(&self) -> &str;
}

/// Objects of one kind. It is saved as a list, and loaded in the same order.
#[derive(Clone, Debug)]
pub struct Table<T> {
    rows: BTreeMap<u64, T>,
    by_id: HashMap<String, u64>,
    made: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), by_id: HashMap::new(), made: 0 }
    }
}

impl<T: HasId> Table<T> {
    /// Adds the newest.
    pub(crate) fn add(&mut self, row: T) {
        self.made += 1;
        self.by_id.insert(row.id().to_owned(), self.made);
        self.rows.insert(self.made, row);
    }

    /// The one with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.by_id.get(id)?)
    }

    /// The one with this id, to be changed. What must be told goes through `World::change` instead.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.by_id.get(id)?)
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        self.rows.remove(&self.by_id.remove(id)?)
    }

    /// Takes the oldest out, if `rule` holds for it.
    pub(crate) fn remove_oldest_if(&mut self, rule: impl FnOnce(&T) -> bool) -> Option<T> {
        let oldest = self.rows.first_entry()?;
        if !rule(oldest.get()) {
            return None;
        }
        let row = oldest.remove();
        self.by_id.remove(row.id());
        Some(row)
    }

    /// All, the oldest first; turn it round for Stripe's order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Those that came after so many had been made.
    pub(crate) fn made_since(&self, made: u64) -> impl Iterator<Item = &T> {
        self.rows.range(made.saturating_add(1)..).map(|(_, row)| row)
    }

    /// How many there have ever been, since it was loaded.
    pub(crate) fn made(&self) -> u64 {
        self.made
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
