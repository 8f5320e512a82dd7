//! The number of open streams, in total and per tenant. A stream holds a connection for as long as its client
//! wants, so the number is limited.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::TenantId;

use crate::limits::Limits;

/// Counts the open streams. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamSlots(Arc<Mutex<HashMap<Option<TenantId>, usize>>>);

/// One open stream, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct StreamSlot {
    slots: StreamSlots,
    tenant: Option<TenantId>,
}

impl StreamSlots {
    /// A slot for one more stream with a key of `tenant`, or with a service or operator key. None at the
    /// limit.
    pub(crate) fn take(&self, tenant: Option<TenantId>, limits: &Limits) -> Option<StreamSlot> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&tenant).copied().unwrap_or_default();
        if all >= limits.streams || tenant.is_some() && own >= limits.streams_per_tenant {
            return None;
        }
        open.insert(tenant, own + 1);
        Some(StreamSlot { slots: self.clone(), tenant })
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut open = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.tenant);
            }
        }
    }
}
