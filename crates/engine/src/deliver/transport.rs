//! The way out, as an argument: whoever starts the loop hands in what makes the request, tests something that
//! makes none.
//! Not here: which addresses are allowed, time-outs, and what an answer means.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// One request to make: a POST of JSON with the three headers of Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
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
pub enum NoticeResponse {
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

type Carried = Pin<Box<dyn Future<Output = NoticeResponse> + Send>>;

/// Makes requests.
#[derive(Clone)]
pub struct Transport(Arc<dyn Fn(SignedRequest) -> Carried + Send + Sync>);

impl Transport {
    /// A transport that does this with each request.
    pub fn from_fn<F: Future<Output = NoticeResponse> + Send + 'static>(
        carry: impl Fn(SignedRequest) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |request| Box::pin(carry(request))))
    }

    /// Makes one request.
    pub fn carry(&self, request: SignedRequest) -> Carried {
        (self.0)(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}
