//! At most one request to Stripe for each purchase at a time: requests for the same purchase share its
//! result. The number of purchases is limited, so that tasks do not pile up if Stripe hangs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::PurchaseRow;
use tokio::sync::watch;

use super::PurchaseError;

/// Purchases that may wait for Stripe at a time.
const MAX_PURCHASES: usize = 128;

type PurchaseResult = Result<PurchaseRow, PurchaseError>;

/// The purchases that wait for Stripe, by id.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashMap<String, watch::Receiver<Option<PurchaseResult>>>>);

impl InFlight {
    /// The result of `open`, or of the request already in progress. The caller must not be cancelled, because
    /// others may wait for its result.
    ///
    /// # Errors
    /// Those of `open`; [`PurchaseError::TooMany`]; and [`PurchaseError::RequestInterrupted`] if the request
    /// in progress panicked.
    pub(super) async fn once(&self, id: &str, open: impl Future<Output = PurchaseResult>) -> PurchaseResult {
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
            let opened = open.await;
            // Removed first: later requests find the purchase in the store.
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

/// The entry of a request in progress. It is removed even if the request panics.
struct Place<'a> {
    of: &'a InFlight,
    id: &'a str,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.of.waiting().remove(self.id);
    }
}
