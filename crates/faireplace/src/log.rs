//! The log, on standard error. Logging never blocks: a separate thread writes the lines, and lines that are
//! not read in time are dropped and counted. Repeated faults become one line with a count.

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

/// How often counts of repeated faults and dropped lines are written.
const LOOK: Duration = Duration::from_secs(1);

/// The running log. Dropping it writes the queued lines.
pub(crate) struct Log {
    writer: BackgroundWriter,
    repeats: Repeats,
}

impl Log {
    /// Starts the log, which also receives panics. Once per process.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(level: &str, json: bool) -> Result<Self, Failure> {
        let writer = BackgroundWriter::start("log", |line| {
            // A failure to write the log cannot be reported anywhere.
            let _ = std::io::stderr().write_all(line);
        });
        let writer = writer.map_err(|error| Failure::failed(format!("cannot start the log: {error}")))?;
        let repeats = Repeats::default();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(colourful(&std::io::stderr()))
            .with_writer(LogLines(writer.clone()));
        let lines = if json { lines.json().boxed() } else { lines.with_target(false).boxed() };
        tracing_subscriber::registry().with(EnvFilter::new(level)).with(repeats.clone()).with(lines).init();
        // The default hook writes to standard error directly, which can block.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
        let log = Self { writer, repeats };
        tokio::spawn(report(log.writer.clone(), log.repeats.clone()));
        Ok(log)
    }

    /// LogLines dropped since the start because they were not read in time.
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

/// Regularly writes the counts of suppressed and dropped lines.
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

/// Writes each log event as a line.
struct LogLines(BackgroundWriter);

impl Write for &LogLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.line(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}
