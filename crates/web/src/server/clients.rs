//! The number of concurrent requests of each client behind a trusted proxy. A proxy's connections carry
//! requests of many clients, so for these clients requests are limited, not connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client_address::grouped;

/// Counts the concurrent requests of each client.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One request of a client, counted for as long as this lives.
pub(super) struct CountedRequest {
    clients: Clients,
    client: IpAddr,
}

impl Clients {
    /// Counts a request. None if the client already has `limit` concurrent requests.
    pub(super) fn begin(&self, client: IpAddr, limit: usize) -> Option<CountedRequest> {
        let client = grouped(client);
        let mut counts = self.lock();
        let count = counts.entry(client).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(CountedRequest { clients: self.clone(), client })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CountedRequest {
    fn drop(&mut self) {
        let mut counts = self.clients.lock();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}
