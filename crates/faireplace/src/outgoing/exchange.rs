//! Sends an HTTP request and reads the response, within limits of time and size. Every outgoing request of
//! the program goes through here; callers build it and interpret the response.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use axum::http::response::Parts;
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::{Client, Error as SendError};
use tokio::time::timeout;

use super::reason;

/// Limits of a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseLimits {
    /// Maximum size of the body in bytes.
    pub(crate) bytes: usize,
    /// Maximum time; `Duration::MAX` for no limit.
    pub(crate) time: Duration,
}

/// Why there is no complete response.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// The request failed before the head of a response arrived.
    Request(SendError),
    /// The body was cut off or is too large.
    Body(Box<dyn Error + Send + Sync>),
    /// The response was not complete within this time.
    Timeout(Duration),
}

impl ExchangeError {
    /// The reason as a message; `address` names the server.
    pub(crate) fn describe(&self, address: &impl Display) -> String {
        match self {
            Self::Request(error) => reason(error, address),
            Self::Body(error) => format!("the answer is incomplete: {error}"),
            Self::Timeout(time) => format!("{address} gave no answer within {} s", time.as_secs()),
        }
    }

    /// Whether no connection was made.
    pub(crate) fn is_connect(&self) -> bool {
        matches!(self, Self::Request(error) if error.is_connect())
    }
}

/// Sends a request and reads the whole response. `limits.time` covers both.
///
/// # Errors
/// When there is no complete response within the limits.
pub(crate) async fn exchange<C>(
    http: &Client<C, Full<Bytes>>,
    request: Request<Full<Bytes>>,
    limits: ResponseLimits,
) -> Result<Response<Bytes>, ExchangeError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let whole = async {
        let (head, body) = http.request(request).await.map_err(ExchangeError::Request)?.into_parts();
        let body = Limited::new(body, limits.bytes).collect().await.map_err(ExchangeError::Body)?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    timeout(limits.time, whole).await.unwrap_or(Err(ExchangeError::Timeout(limits.time)))
}

/// Sends a request and returns the head of the response, for callers that ignore the body. The body is read
/// within `limits`, so that the connection can be reused; a failure to read it is ignored. The
/// caller limits the time until the head arrives.
///
/// # Errors
/// When no head of a response arrives.
pub(crate) async fn exchange_head<C>(
    http: &Client<C, Full<Bytes>>,
    request: Request<Full<Bytes>>,
    limits: ResponseLimits,
) -> Result<Parts, SendError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let (head, body) = http.request(request).await?.into_parts();
    let _ = timeout(limits.time, Limited::new(body, limits.bytes).collect()).await;
    Ok(head)
}
