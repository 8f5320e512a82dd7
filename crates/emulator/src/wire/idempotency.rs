//! Responses by `Idempotency-Key` (docs.stripe.com/api/idempotent_requests): the same key and request replay
//! the first response; another request under the same key is refused.
//!
//! Not here: reading the header, and which responses are stored (`api::exchange`).

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Params;

/// The longest key, in characters.
pub const MAX_KEY_CHARACTERS: usize = 255;
/// How long a response is kept, in milliseconds of virtual time.
pub const RETENTION_MS: i64 = 24 * 60 * 60 * 1000;
/// The most responses that are kept; the oldest is dropped first.
const MAX_ANSWERS: usize = 10_000;

/// A hash of a request's method, path and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a request. The order of its parameters does not matter.
    #[must_use]
    pub fn of(method: &str, path: &str, params: &Params) -> Self {
        let mut hasher = DefaultHasher::new();
        (method, path, params).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The response to the first request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// Its `request-id`, which a replay returns as `original-request`.
    pub request_id: String,
}

/// What to do with a request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The key is new: execute, then call `finish` or `forget`.
    Fresh,
    /// The key has a response: return it.
    Replay(StoredAnswer),
    /// The key belongs to another request.
    Mismatch,
    /// The first request with the key is still executing.
    InFlight,
}

/// The keys of one account.
#[derive(Debug, Default)]
pub struct Idempotency {
    known: HashMap<String, (Fingerprint, Option<StoredAnswer>)>,
    /// The time of each response, oldest first. Requests in flight are not in it and are never dropped.
    answered: VecDeque<(i64, String)>,
}

impl Idempotency {
    /// Registers a request at `now`, in milliseconds of virtual time.
    pub fn begin(&mut self, key: &str, fingerprint: Fingerprint, now: i64) -> Begun {
        self.drop_old(now);
        match self.known.get(key) {
            None => {
                self.known.insert(key.to_owned(), (fingerprint, None));
                Begun::Fresh
            }
            Some((first, _)) if *first != fingerprint => Begun::Mismatch,
            Some((_, None)) => Begun::InFlight,
            Some((_, Some(answer))) => Begun::Replay(answer.clone()),
        }
    }

    /// Stores the response.
    pub fn finish(&mut self, key: &str, answer: StoredAnswer, now: i64) {
        if let Some((_, kept @ None)) = self.known.get_mut(key) {
            *kept = Some(answer);
            self.answered.push_back((now, key.to_owned()));
            self.drop_old(now);
        }
    }

    /// Forgets a request whose response is not stored, as if it had never been sent.
    pub fn forget(&mut self, key: &str) {
        if let Some((_, None)) = self.known.get(key) {
            self.known.remove(key);
        }
    }

    fn drop_old(&mut self, now: i64) {
        let old = |(at, _): &(i64, String)| now.saturating_sub(*at) > RETENTION_MS;
        while self.answered.len() > MAX_ANSWERS || self.answered.front().is_some_and(old) {
            if let Some((_, key)) = self.answered.pop_front() {
                self.known.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
