//! Lines that a thread of its own writes out, so that whoever has something to say never waits for a
//! terminal or a pipe that nobody reads. While it is stuck, a bounded number of lines wait and the rest are
//! dropped and counted.
//!
//! Our own, because `tracing-appender` also brings time zones and rotating files, and bounds lines by number
//! alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that may wait.
const MAX_LINES: usize = 16_384;
/// Bytes that may wait.
const MAX_BYTES: usize = 4 << 20;
/// How long the end of the program waits for lines that nobody may be reading.
const PATIENCE: Duration = Duration::from_secs(1);

/// The way to the thread. Clones write to the same one, which ends when the last of them is gone.
#[derive(Clone, Debug)]
pub(crate) struct BackgroundWriter {
    queue: SyncSender<Entry>,
    waiting: Arc<Waiting>,
    dropped: Arc<AtomicU64>,
}

/// What is queued and not written.
#[derive(Debug, Default)]
struct Waiting {
    lines: AtomicUsize,
    bytes: AtomicUsize,
}

enum Entry {
    Line(Vec<u8>),
    /// Answered when everything before it has been written.
    Flush(SyncSender<()>),
}

impl BackgroundWriter {
    /// Starts the thread, which hands every line to `write`.
    pub(crate) fn start(name: &str, write: impl FnMut(&[u8]) + Send + 'static) -> std::io::Result<Self> {
        let (queue, entries) = sync_channel(MAX_LINES);
        let waiting = Arc::new(Waiting::default());
        let counted = waiting.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || run(&entries, &counted, write))?;
        Ok(Self { queue, waiting, dropped: Arc::default() })
    }

    /// Queues a line, with its end; drops it where too much waits.
    pub(crate) fn line(&self, line: Vec<u8>) {
        let length = line.len();
        let fits = self.waiting.add(length) <= MAX_BYTES;
        if !fits || self.queue.try_send(Entry::Line(line)).is_err() {
            self.waiting.remove(length);
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// How many lines were dropped so far.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        self.dropped.clone()
    }

    /// Whether lines are being dropped, or soon will be.
    pub(crate) fn is_stuck(&self) -> bool {
        self.waiting.bytes.load(Relaxed) > MAX_BYTES / 2 || self.waiting.lines.load(Relaxed) > MAX_LINES / 2
    }

    /// Waits until what was queued is written, for a second at most.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        // A full queue is one that nobody reads.
        if self.queue.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

impl Waiting {
    /// Counts a line, and answers how many bytes that makes.
    fn add(&self, bytes: usize) -> usize {
        self.lines.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed) + bytes
    }

    fn remove(&self, bytes: usize) {
        self.lines.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}

fn run(entries: &Receiver<Entry>, waiting: &Waiting, mut write: impl FnMut(&[u8])) {
    while let Ok(entry) = entries.recv() {
        match entry {
            Entry::Line(line) => {
                write(&line);
                waiting.remove(line.len());
            }
            // Whoever asked may have lost patience.
            Entry::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Writes a last line to standard error, and gives up after a second if nobody reads it: the program must
/// end.
pub(crate) fn last_words(text: String) {
    let started = BackgroundWriter::start("last words", |line| {
        // Nobody is left to be told that it failed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
    });
    if let Ok(writer) = started {
        writer.line((text + "\n").into_bytes());
        writer.flush();
    }
}

#[cfg(test)]
mod tests;
