//! Durable first, acknowledged after: keeps the raw bytes of a verified delivery, whatever is in them.
//! Not here: the signature (the caller has checked it), and what the event means (`read`).

use std::sync::Arc;

use ledger::chain::hex;
use ledger::{EventId, Timestamp};
use sha2::{Digest, Sha256};
use store::{IncomingEvent, Ingested, Store, StoreError, body};
use stripe::Envelope;
use tokio::sync::Notify;

/// The way in.
#[derive(Clone, Debug)]
pub struct Intake {
    store: Store,
    arrived: Arc<Notify>,
}

impl Intake {
    /// An intake that keeps deliveries in `store` and rings `arrived` after each.
    pub fn new(store: Store, arrived: Arc<Notify>) -> Self {
        Self { store, arrived }
    }

    /// Keeps one verified body. When this answers, the event is durable and may be acknowledged.
    ///
    /// The work runs in a task of its own: a client that disconnects cancels the waiting, not the write, nor
    /// the wake-up call after it.
    ///
    /// # Errors
    /// Whatever the store says; the event must then not be acknowledged.
    pub async fn keep(&self, raw: &[u8], now: Timestamp) -> Result<Ingested, StoreError> {
        let delivery = delivery(raw);
        let (store, arrived) = (self.store.clone(), self.arrived.clone());
        let write = tokio::spawn(async move {
            let receipt = store.ingest(delivery, now).await?;
            arrived.notify_one();
            Ok(receipt)
        });
        write.await.unwrap_or_else(|_| Err(StoreError::Unknown("the write was abandoned".to_owned())))
    }
}

/// What the store needs to know of a body. One that is no readable event is kept too, under a name made
/// from its bytes, and ends in quarantine: nothing signed is ever lost.
fn delivery(raw: &[u8]) -> IncomingEvent {
    let body = body::pack(raw);
    match Envelope::parse(raw) {
        Ok(envelope) => IncomingEvent {
            id: EventId::from(envelope.id()),
            kind: envelope.type_name().to_owned(),
            created: envelope.created().unwrap_or_default(),
            livemode: envelope.livemode(),
            body,
        },
        Err(_) => IncomingEvent {
            id: EventId::from(format!("unreadable_{}", &hex(&Sha256::digest(raw))[..32])),
            kind: String::new(),
            created: 0,
            livemode: None,
            body,
        },
    }
}
