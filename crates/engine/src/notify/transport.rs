//! The way to the network, as an argument: the program hands in what makes requests, tests something that
//! makes none.
//! Not here: which addresses are allowed, time-outs, and what a response means.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// One request to make: a POST of JSON with the three headers of Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The endpoint's URL.
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
    /// A response.
    Answered {
        /// Its status.
        status: u16,
        /// Its `retry-after`, where that is a number of seconds.
        retry_after_seconds: Option<i64>,
    },
    /// No response; why, in words for the owner of the receiver.
    Failed(String),
}

type Sending = Pin<Box<dyn Future<Output = NoticeResponse> + Send>>;

/// Makes requests.
#[derive(Clone)]
pub struct Transport(Arc<dyn Fn(SignedRequest) -> Sending + Send + Sync>);

impl Transport {
    /// A transport that makes each request with `send`.
    pub fn from_fn<F: Future<Output = NoticeResponse> + Send + 'static>(
        send: impl Fn(SignedRequest) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |request| Box::pin(send(request))))
    }

    /// Makes one request.
    pub fn send(&self, request: SignedRequest) -> Sending {
        (self.0)(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}
