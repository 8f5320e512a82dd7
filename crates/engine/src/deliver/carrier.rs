//! The way out, as an argument: whoever starts the loop hands in what makes the request, tests something that
//! makes none.
//! Not here: which addresses are allowed, time-outs, and what an answer means.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// One request to make: a POST of JSON with the three headers of Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, in Unix seconds.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The body.
    pub body: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Answered {
        /// Its status.
        status: u16,
        /// Its `retry-after`, where that is a number of seconds.
        retry_after_seconds: Option<i64>,
    },
    /// None; why, in words for the receiver's owner.
    Failed(String),
}

type Carried = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Makes requests.
#[derive(Clone)]
pub struct Carrier(Arc<dyn Fn(Letter) -> Carried + Send + Sync>);

impl Carrier {
    /// A carrier that does this with each letter.
    pub fn from_fn<F: Future<Output = Reply> + Send + 'static>(
        carry: impl Fn(Letter) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |letter| Box::pin(carry(letter))))
    }

    /// Makes one request.
    pub fn carry(&self, letter: Letter) -> Carried {
        (self.0)(letter)
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}
