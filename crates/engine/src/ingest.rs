//! Durable first, acknowledged after: stores the raw bytes of a verified delivery, whatever they contain.
//! Not here: the signature (the caller has checked it), and what the event means (`read`).

use ledger::chain::hex;
use ledger::{EventId, Timestamp};
use sha2::{Digest, Sha256};
use store::{IncomingEvent, Ingested, Store, StoreError, body};
use stripe::Envelope;

/// Where verified deliveries are handed in.
#[derive(Clone, Debug)]
pub struct Intake {
    store: Store,
}

impl Intake {
    /// An intake that stores deliveries in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Stores one verified body. When this answers, the event is durable and may be acknowledged. Once this
    /// was polled, the write is not cancelled by a client that disconnects.
    ///
    /// # Errors
    /// Those of the store; the event must then not be acknowledged.
    pub async fn keep(&self, raw: &[u8], now: Timestamp) -> Result<Ingested, StoreError> {
        self.store.ingest(delivery(raw), now).await
    }
}

/// What the store needs to know of a body. A body that is not a readable event is stored too, under a name
/// made from its bytes, and ends in quarantine: nothing signed is ever lost.
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
