//! One question to Stripe at a time about each purchase: whoever asks for the same one meanwhile waits for
//! the same answer. Bounded, so that a Stripe that hangs does not gather tasks without end.
//! Not here: what is asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Purchase;
use tokio::sync::watch;

use crate::answer::{Problem, ProblemKind};

/// Purchases about which Stripe may be asked at one moment.
const MAX_PURCHASES: usize = 128;

type Answer = Result<Purchase, Problem>;
type Told = watch::Receiver<Option<Answer>>;

/// The purchases that Stripe is being asked for, by their id.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<String, Told>>);

impl InFlight {
    /// The answer of `ask`, or of the same question that is under way. Whoever calls this must not be
    /// cancelled, since others may wait for it.
    ///
    /// # Errors
    /// Those of `ask`, and 503 when too many others are under way.
    pub(crate) async fn once(&self, id: &str, ask: impl Future<Output = Answer>) -> Answer {
        let (tell, mut told) = {
            let mut asked = self.asked();
            match asked.get(id) {
                Some(told) => (None, told.clone()),
                None if asked.len() >= MAX_PURCHASES => return Err(too_many()),
                None => {
                    let (tell, told) = watch::channel(None);
                    asked.insert(id.to_owned(), told.clone());
                    (Some(tell), told)
                }
            }
        };
        if let Some(tell) = tell {
            let place = Place { of: self, id };
            let answer = ask.await;
            // Freed first: whoever comes from here on finds the purchase as the store has it.
            drop(place);
            tell.send_replace(Some(answer.clone()));
            return answer;
        }
        match told.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(answer)) => answer.clone(),
            Ok(None) | Err(_) => Err(Problem::new(
                ProblemKind::StripeUnreachable,
                "The question to Stripe broke off. Nothing was charged; send this again with the same \
                 Idempotency-Key.",
            )),
        }
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many() -> Problem {
    Problem::new(
        ProblemKind::Unavailable,
        "Too many purchases wait for Stripe's answer. Nothing was charged; send this again in a moment with \
         the same Idempotency-Key.",
    )
}

/// A question under way; its place is freed even if asking panics.
struct Place<'a> {
    of: &'a InFlight,
    id: &'a str,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.of.asked().remove(self.id);
    }
}
