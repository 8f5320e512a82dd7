//! An answer that is made piece by piece, as fast as its client takes it: never more than two pieces are in
//! memory. One that cannot be finished breaks the connection, so that no client takes half of it for all.
//! Not here: the deadline for a client that takes nothing (`server`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use store::StoreError;
use tokio::sync::mpsc;

/// Where the pieces go.
pub(crate) struct Pieces(mpsc::Sender<io::Result<Bytes>>);

/// Why there are no more pieces before the end.
pub(crate) enum Stopped {
    /// The client is gone.
    Gone,
    /// The database could not answer.
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Pieces {
    /// Hands one piece over, once the one before it was taken.
    ///
    /// # Errors
    /// When nobody takes it any more.
    pub(crate) async fn send(&self, text: String) -> Result<(), Stopped> {
        self.0.send(Ok(Bytes::from(text))).await.map_err(|_| Stopped::Gone)
    }
}

/// 200, with all that `produce` hands over. With a `file_name`, a browser saves it under that.
pub(crate) fn stream<F>(
    content_type: &'static str,
    file_name: Option<&str>,
    produce: impl FnOnce(Pieces) -> F,
) -> Response
where
    F: Future<Output = Result<(), Stopped>> + Send + 'static,
{
    let (send, receive) = mpsc::channel(1);
    let failed = send.clone();
    let work = produce(Pieces(send));
    tokio::spawn(async move {
        if let Err(Stopped::Store(error)) = work.await {
            tracing::error!(%error, "an answer broke off");
            // Whether or not anybody is left to be told.
            let _ = failed.send(Err(io::Error::other("the database could not answer"))).await;
        }
    });
    let mut response = Response::new(Body::new(Arriving(receive)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Names are made of ids and dates; one that no header can carry is left out.
    let saved = file_name.map(|name| HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")));
    if let Some(Ok(saved)) = saved {
        headers.insert(header::CONTENT_DISPOSITION, saved);
    }
    response
}

/// The end of the channel that the client hears. Dropped with the connection, which tells the other end.
pub(crate) struct Arriving(pub(crate) mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
