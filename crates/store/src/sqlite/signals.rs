//! Signals for tasks that wait for new data in the database. A write raises a signal, and the writer sends it
//! after the commit. An unnecessary signal is harmless: a receiver queries the store for new data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use tokio::sync::watch;

/// The signals of one database. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    /// There may be new transactions, notices or due deliveries.
    pub(super) changes: Signal,
    /// There may be events to apply.
    pub(super) arrivals: Signal,
}

impl Signals {
    /// Sends the signals that were raised since the last call.
    pub(super) fn send(&self) {
        self.changes.send();
        self.arrivals.send();
    }
}

/// One signal.
#[derive(Clone, Debug, Default)]
pub(super) struct Signal(Arc<SignalState>);

#[derive(Debug, Default)]
struct SignalState {
    raised: AtomicBool,
    receivers: watch::Sender<()>,
}

impl Signal {
    /// A receiver of the signals that are sent from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.0.receivers.subscribe()
    }

    /// Wraps `work` so that it raises this signal if it writes any row.
    pub(super) fn raised_by<T, F: FnOnce(&Connection) -> T + Send>(
        &self,
        work: F,
    ) -> impl FnOnce(&Connection) -> T + Send + use<T, F> {
        let signal = self.clone();
        move |connection: &Connection| {
            let changes = connection.total_changes();
            let result = work(connection);
            if connection.total_changes() != changes {
                signal.raise();
            }
            result
        }
    }

    fn raise(&self) {
        self.0.raised.store(true, Ordering::Relaxed);
    }

    fn send(&self) {
        if self.0.raised.swap(false, Ordering::Relaxed) {
            self.0.receivers.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests;
