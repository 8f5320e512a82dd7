//! How many streams there are, in all and for each tenant: a stream holds a connection for as long as its
//! client likes, so their number is bounded.
//! Not here: the bounds themselves (`limits`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::TenantId;

use crate::limits::Limits;

/// The streams that are open. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<Option<TenantId>, usize>>>);

/// A place among the streams, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    streams: Streams,
    whose: Option<TenantId>,
}

impl Streams {
    /// A place for one more stream with a key of this tenant, or of an operator; none when there are as many
    /// as there may be.
    pub(crate) fn take(&self, whose: Option<TenantId>, limits: &Limits) -> Option<Seat> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&whose).copied().unwrap_or_default();
        if all >= limits.streams || whose.is_some() && own >= limits.streams_per_tenant {
            return None;
        }
        open.insert(whose, own + 1);
        Some(Seat { streams: self.clone(), whose })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.whose);
            }
        }
    }
}
