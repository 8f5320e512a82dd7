//! The log, on standard error. It never holds anything up: a thread of its own writes it, and what nobody
//! reads is dropped and counted. The same fault again and again becomes one line with a count.

mod repeats;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::background_writer::BackgroundWriter;
use crate::failure::Failure;
use crate::terminal::colourful;
use repeats::{REPEATED, Repeats};

/// Between two looks for faults that were repeated and lines that were dropped.
const LOOK: Duration = Duration::from_secs(1);

/// The running log. What waits is written when this is dropped.
pub(crate) struct Log {
    writer: BackgroundWriter,
    repeats: Repeats,
}

impl Log {
    /// Starts the log, and sends panics there too. One process has one.
    ///
    /// # Errors
    /// When there can be no thread for it.
    pub(crate) fn start(level: &str, json: bool) -> Result<Self, Failure> {
        let writer = BackgroundWriter::start("log", |line| {
            // Where the log cannot be written there is nobody to tell.
            let _ = std::io::stderr().write_all(line);
        });
        let writer = writer.map_err(|error| Failure::failed(format!("cannot start the log: {error}")))?;
        let repeats = Repeats::default();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(colourful(&std::io::stderr()))
            .with_writer(Lines(writer.clone()));
        let lines = if json { lines.json().boxed() } else { lines.with_target(false).boxed() };
        tracing_subscriber::registry().with(EnvFilter::new(level)).with(repeats.clone()).with(lines).init();
        // The usual hook writes to standard error itself, and waits for whoever reads it.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
        let log = Self { writer, repeats };
        tokio::spawn(report(log.writer.clone(), log.repeats.clone()));
        Ok(log)
    }

    /// Lines that nobody read and that were dropped, since the start.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        self.writer.dropped()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.repeats.report_all();
        self.writer.flush();
    }
}

/// Says from time to time what was not written.
async fn report(writer: BackgroundWriter, repeats: Repeats) {
    let dropped = writer.dropped();
    let mut told = 0;
    loop {
        time::sleep(LOOK).await;
        repeats.report();
        let lines = dropped.load(Relaxed) - told;
        if lines > 0 && !writer.is_stuck() {
            told += lines;
            tracing::warn!(target: REPEATED, lines, "the log was not read fast enough: lines were dropped");
        }
    }
}

/// Makes a line of each event.
struct Lines(BackgroundWriter);

impl Write for &Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.line(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}
