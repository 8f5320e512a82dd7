//! How long a client may take to send a head, to send a body, to take an answer.
//!
//! What is deliberately not here: the deadline for the first byte of a connection, which comes before hyper
//! has it.

use std::{
    future::Future,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    rt::{Read, ReadBufCursor, Sleep, Timer, Write},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, time};

use crate::limits::Limits;

/// The timer of one connection. hyper knows one time-out for every head and asks for one sleep per head; this
/// gives the first head that time-out, and every later one what a kept-alive connection may take.
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

/// A request's body that fails when it is not complete in time.
pub(super) struct TimedBody {
    body: Incoming,
    limit: Duration,
    sleep: Option<Pin<Box<time::Sleep>>>,
    late: Arc<AtomicBool>,
}

/// Tells whether a [`TimedBody`] failed for being late, after the handler has made its own answer of that. An
/// extension.
#[derive(Clone)]
pub(super) struct Lateness(Arc<AtomicBool>);

impl TimedBody {
    pub(super) fn new(body: Incoming, limit: Duration) -> (Self, Lateness) {
        let late = Arc::new(AtomicBool::new(false));
        (Self { body, limit, sleep: None, late: late.clone() }, Lateness(late))
    }
}

impl Lateness {
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body was not complete in time")]
    Late,
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
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)));
        }
        // Most bodies arrive with their head: only one that is waited for pays for a timer.
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep(limit)));
        ready!(sleep.as_mut().poll(context));
        self.late.store(true, Relaxed);
        Poll::Ready(Some(Err(BodyError::Late)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose writes fail when the client takes nothing for too long. Reads pass through: hyper's own
/// timer is over heads, and [`TimedBody`] over bodies.
pub(super) struct TimedWrites {
    stream: TokioIo<TcpStream>,
    limit: Duration,
    sleep: Option<Pin<Box<time::Sleep>>>,
}

impl TimedWrites {
    pub(super) fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream: TokioIo::new(stream), limit, sleep: None }
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
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep(limit)));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl Read for TimedWrites {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for TimedWrites {
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
