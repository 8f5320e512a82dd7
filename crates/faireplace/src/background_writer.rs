//! A queue of lines with a thread that writes them, so that callers never block on a terminal or a pipe that
//! is not read. The queue is bounded; further lines are dropped and counted.
//!
//! Not `tracing-appender`: it also brings time zones and rotating files, and bounds the queue by lines only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines in the queue at most.
const MAX_LINES: usize = 16_384;
/// Bytes in the queue at most.
const MAX_BYTES: usize = 4 << 20;
/// How long the program waits at its end for the queue to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// A handle of the thread. Clones share the thread, which ends with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct BackgroundWriter {
    queue: SyncSender<QueuedEntry>,
    waiting: Arc<QueueSize>,
    dropped: Arc<AtomicU64>,
}

/// Lines and bytes in the queue.
#[derive(Debug, Default)]
struct QueueSize {
    lines: AtomicUsize,
    bytes: AtomicUsize,
}

enum QueuedEntry {
    Line(Vec<u8>),
    /// Answered when all lines before it are written.
    Flush(SyncSender<()>),
}

impl BackgroundWriter {
    /// Starts the thread, which passes each line to `write`.
    pub(crate) fn start(name: &str, write: impl FnMut(&[u8]) + Send + 'static) -> std::io::Result<Self> {
        let (queue, entries) = sync_channel(MAX_LINES);
        let waiting = Arc::new(QueueSize::default());
        let counted = waiting.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || run(&entries, &counted, write))?;
        Ok(Self { queue, waiting, dropped: Arc::default() })
    }

    /// Queues a line that ends in a newline; drops it if the queue is full.
    pub(crate) fn line(&self, line: Vec<u8>) {
        let length = line.len();
        let fits = self.waiting.add(length) <= MAX_BYTES;
        if !fits || self.queue.try_send(QueuedEntry::Line(line)).is_err() {
            self.waiting.remove(length);
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// The number of dropped lines.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        self.dropped.clone()
    }

    /// Whether the queue is full, or nearly full.
    pub(crate) fn is_stuck(&self) -> bool {
        self.waiting.bytes.load(Relaxed) > MAX_BYTES / 2 || self.waiting.lines.load(Relaxed) > MAX_LINES / 2
    }

    /// Waits until the queue is written, at most a second.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        // A full queue is not being read, so waiting is pointless.
        if self.queue.try_send(QueuedEntry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

impl QueueSize {
    /// Counts a line; returns the bytes in the queue.
    fn add(&self, bytes: usize) -> usize {
        self.lines.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed) + bytes
    }

    fn remove(&self, bytes: usize) {
        self.lines.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}

fn run(entries: &Receiver<QueuedEntry>, waiting: &QueueSize, mut write: impl FnMut(&[u8])) {
    while let Ok(entry) = entries.recv() {
        match entry {
            QueuedEntry::Line(line) => {
                write(&line);
                waiting.remove(line.len());
            }
            // The caller may have stopped waiting.
            QueuedEntry::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Writes a last line to standard error, and gives up after a second, because the program must end.
pub(crate) fn last_words(text: String) {
    let started = BackgroundWriter::start("last words", |line| {
        // A failure cannot be reported any more.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
    });
    if let Ok(writer) = started {
        writer.line((text + "\n").into_bytes());
        writer.flush();
    }
}

#[cfg(test)]
mod tests;
