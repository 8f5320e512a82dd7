//! One request to Stripe at a time for each purchase: requests for the same purchase wait for the same
//! answer. Bounded, so that a Stripe that hangs does not gather tasks without end.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::PurchaseRow;
use tokio::sync::watch;

use super::PurchaseError;

/// Purchases about which Stripe may be asked at one moment.
const MAX_PURCHASES: usize = 128;

type PurchaseResult = Result<PurchaseRow, PurchaseError>;

/// The purchases that wait for Stripe, by their id.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashMap<String, watch::Receiver<Option<PurchaseResult>>>>);

impl InFlight {
    /// The answer of `ask`, or of the same request that is under way. The caller must not be cancelled, since
    /// others may wait for it.
    ///
    /// # Errors
    /// Those of `ask`; [`PurchaseError::TooMany`]; and [`PurchaseError::RequestInterrupted`] where the
    /// request under way panicked.
    pub(super) async fn once(&self, id: &str, ask: impl Future<Output = PurchaseResult>) -> PurchaseResult {
        let (sender, mut receiver) = {
            let mut waiting = self.waiting();
            match waiting.get(id) {
                Some(receiver) => (None, receiver.clone()),
                None if waiting.len() >= MAX_PURCHASES => return Err(PurchaseError::TooMany),
                None => {
                    let (sender, receiver) = watch::channel(None);
                    waiting.insert(id.to_owned(), receiver.clone());
                    (Some(sender), receiver)
                }
            }
        };
        if let Some(sender) = sender {
            let place = Place { of: self, id };
            let opened = ask.await;
            // Freed first: requests from here on find the purchase in the store.
            drop(place);
            sender.send_replace(Some(opened.clone()));
            return opened;
        }
        match receiver.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(opened)) => opened.clone(),
            Ok(None) | Err(_) => Err(PurchaseError::RequestInterrupted),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Option<PurchaseResult>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a request under way. It is freed even if the request panics.
struct Place<'a> {
    of: &'a InFlight,
    id: &'a str,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.of.waiting().remove(self.id);
    }
}
