//! A response body that is produced chunk by chunk, as fast as its client reads: at most two chunks are in
//! memory. A body that cannot be completed breaks the connection, so that no client mistakes a part for the
//! whole. The deadline for a client that reads nothing is in `server::deadlines`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_core::Stream;
use store::StoreError;
use tokio::sync::mpsc;

/// Where a producer sends its chunks.
pub(crate) struct ChunkSender(mpsc::Sender<io::Result<Bytes>>);

/// Why a producer stops before the end.
pub(crate) enum Stopped {
    /// The client disconnected.
    Disconnected,
    /// Reading from the database failed.
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl ChunkSender {
    /// Sends one chunk, once the chunk before it was taken.
    ///
    /// # Errors
    /// [`Stopped::Disconnected`] when the client has disconnected.
    pub(crate) async fn send(&self, text: String) -> Result<(), Stopped> {
        self.0.send(Ok(Bytes::from(text))).await.map_err(|_| Stopped::Disconnected)
    }
}

/// 200 with the CSV that `produce` sends; a browser saves it as `file_name`.
pub(crate) fn chunked_csv<F>(file_name: &str, produce: impl FnOnce(ChunkSender) -> F) -> Response
where
    F: Future<Output = Result<(), Stopped>> + Send + 'static,
{
    let mut response = chunked("text/csv; charset=utf-8", produce);
    // Names consist of ids and dates; a name that no header can carry is left out.
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{file_name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// 200 with the chunks that `produce` sends.
pub(super) fn chunked<F>(content_type: &'static str, produce: impl FnOnce(ChunkSender) -> F) -> Response
where
    F: Future<Output = Result<(), Stopped>> + Send + 'static,
{
    let (send, receive) = mpsc::channel(1);
    let failed = send.clone();
    let work = produce(ChunkSender(send));
    tokio::spawn(async move {
        if let Err(Stopped::Store(error)) = work.await {
            tracing::error!(%error, "a response was cut off");
            // The client may have disconnected as well.
            let _ = failed.send(Err(io::Error::other("the database could not answer"))).await;
        }
    });
    let mut response = Response::new(Body::from_stream(ReceiverStream(receive)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The receiving end of a channel as a stream. Dropped with the connection, which closes the channel.
pub(crate) struct ReceiverStream<T>(pub(crate) mpsc::Receiver<T>);

impl<T> Stream for ReceiverStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}
