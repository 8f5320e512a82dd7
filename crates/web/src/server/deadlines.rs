//! The deadlines for sending a head, sending a body, and reading a response. The accept loop has the deadline
//! for the first byte of a connection.

use std::{
    future::Future,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    rt::{Sleep, Timer},
};
use hyper_util::rt::TokioTimer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time,
};

use super::connections::Connection;
use crate::limits::Limits;

/// The timer of one connection. hyper has one time-out for every head and starts one sleep per head; this
/// gives the first head that time-out, and every later head the keep-alive time.
pub(super) struct HeadTimer {
    kept_alive: AtomicBool,
    head: Duration,
    keep_alive: Duration,
}

impl HeadTimer {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { kept_alive: AtomicBool::new(false), head: limits.head, keep_alive: limits.keep_alive }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(if self.kept_alive.swap(true, Relaxed) { self.keep_alive } else { self.head })
    }
}

/// A request body that fails when it is not complete in time, or when there is no memory for it.
pub(super) struct TimedBody {
    body: Incoming,
    connection: Arc<Connection>,
    limit: Duration,
    sleep: Option<Pin<Box<time::Sleep>>>,
    fault: BodyFault,
}

/// Why a [`TimedBody`] failed, read after the handler has returned its own response. An extension of the
/// request.
#[derive(Clone, Default)]
pub(super) struct BodyFault(Arc<AtomicU8>);

/// The values of a [`BodyFault`]; 0 means that nothing failed.
const LATE: u8 = 1;
const NO_MEMORY: u8 = 2;

impl BodyFault {
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Relaxed) == LATE
    }

    pub(super) fn is_without_memory(&self) -> bool {
        self.0.load(Relaxed) == NO_MEMORY
    }
}

impl TimedBody {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>, limit: Duration) -> (Self, BodyFault) {
        let fault = BodyFault::default();
        if body.is_end_stream() {
            connection.received();
        }
        (Self { body, connection, limit, sleep: None, fault: fault.clone() }, fault)
    }
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body was not complete in time")]
    Late,
    #[error("there is no memory for the body")]
    NoMemory,
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let bytes = match &frame {
                Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) | None => 0,
            };
            if bytes > 0 && !self.connection.take_body_bytes(bytes) {
                self.fault.0.store(NO_MEMORY, Relaxed);
                return Poll::Ready(Some(Err(BodyError::NoMemory)));
            }
            if frame.is_none() || self.body.is_end_stream() {
                self.connection.received();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)));
        }
        // Most bodies arrive with their head: only a body that is waited for needs a timer.
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep(limit)));
        ready!(sleep.as_mut().poll(context));
        self.fault.0.store(LATE, Relaxed);
        Poll::Ready(Some(Err(BodyError::Late)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose writes fail when the client reads nothing for too long, and that notes when bytes
/// arrive. Reads have no deadline here: hyper's timer covers heads, and [`TimedBody`] covers bodies.
pub(super) struct TimedStream {
    stream: TcpStream,
    connection: Arc<Connection>,
    write: Duration,
    sleep: Option<Pin<Box<time::Sleep>>>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>, write: Duration) -> Self {
        Self { stream, connection, write, sleep: None }
    }

    fn timed(
        &mut self,
        wrote: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.sleep = None;
            return wrote;
        }
        let limit = self.write;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep(limit)));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.connection.heard();
        }
        read
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(wrote, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.timed(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
