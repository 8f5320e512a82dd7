//! Repeated warnings become one line with a count. Warnings with different reasons are counted separately.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use super::Repeats;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn repeated_warnings_become_one_line_with_a_count() {
    let (lines, repeats) = (Lines::default(), Repeats::default());
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(lines.clone());
    let _log =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(repeats.clone()).with(layer));
    let take = || String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap();
    let refuse = |reason: &str| tracing::warn!(reason, "refused");
    for _ in 0..25 {
        refuse("missing");
        tracing::info!("a request");
    }
    refuse("stale");
    let written = take();
    let count = |text: &str, part: &str| text.lines().filter(|line| line.contains(part)).count();
    assert_eq!(count(&written, "reason=\"missing\""), 10, "{written}");
    assert_eq!(count(&written, "reason=\"stale\""), 1, "{written}");
    assert_eq!(count(&written, "a request"), 25, "lines below warnings are written each time: {written}");
    tokio::time::advance(Duration::from_secs(9)).await;
    repeats.report();
    assert_eq!(take(), "", "the interval is not over");
    tokio::time::advance(Duration::from_secs(1)).await;
    repeats.report();
    let written = take();
    assert_eq!(written.lines().count(), 1, "{written}");
    for part in ["repeated, and not written each time: refused", "times=15", "reason=\"missing\""] {
        assert!(written.contains(part), "{part}: {written}");
    }
    refuse("missing");
    assert_eq!(count(&take(), "reason=\"missing\""), 1, "a new interval begins");
    repeats.report_all();
    assert_eq!(take(), "", "no repeats to report");
}
