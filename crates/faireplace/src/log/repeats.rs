//! Limits repeated log events: ten of a kind are written in ten seconds, and the others as one line with
//! their count. Events are of the same kind if they come from the same place in the code and have the same
//! `reason`.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use web::server::OPEN_TO_EVERYONE;

/// The target of the lines with the counts, which are never limited themselves.
pub(super) const REPEATED: &str = "repeated";

/// The period over which events of a kind are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Events of a kind that are written in full in that period.
const IN_FULL: u64 = 10;
/// Kinds counted at a time; further kinds are written in full.
const MAX_KINDS: usize = 1024;

/// Counts repeated events and suppresses them. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Repeats(Arc<Mutex<HashMap<EventKind, RepeatWindow>>>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct EventKind {
    place: Identifier,
    level: Level,
    reason: String,
}

#[derive(Debug)]
struct RepeatWindow {
    began: Instant,
    message: String,
    seen: u64,
}

impl Repeats {
    /// Writes the counts whose period is over.
    pub(super) fn report(&self) {
        self.report_if(|window| window.began.elapsed() >= WINDOW);
    }

    /// Writes every count.
    pub(super) fn report_all(&self) {
        self.report_if(|_| true);
    }

    fn report_if(&self, ready: impl Fn(&RepeatWindow) -> bool) {
        let over: Vec<_> = self.lock().extract_if(|_, window| ready(window)).collect();
        // The lock is released first: these lines pass through this filter again.
        for (kind, window) in over.into_iter().filter(|(_, window)| window.seen > IN_FULL) {
            let (times, reason) = (window.seen - IN_FULL, Some(kind.reason).filter(|it| !it.is_empty()));
            let message = window.message;
            macro_rules! line {
                ($level:ident) => {
                    tracing::$level!(
                        target: REPEATED, times, reason, "repeated, and not written each time: {message}"
                    )
                };
            }
            match kind.level {
                Level::ERROR => line!(error),
                Level::WARN => line!(warn),
                _ => line!(info),
            }
        }
    }

    /// Whether to write this event.
    fn admit(&self, kind: EventKind, message: String) -> bool {
        let mut kinds = self.lock();
        if kinds.len() >= MAX_KINDS && !kinds.contains_key(&kind) {
            return true;
        }
        let new = || RepeatWindow { began: Instant::now(), message, seen: 0 };
        let window = kinds.entry(kind).or_insert_with(new);
        window.seen += 1;
        window.seen <= IN_FULL
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EventKind, RepeatWindow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Repeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let is_counted = *metadata.level() <= Level::WARN || metadata.target() == OPEN_TO_EVERYONE;
        if !is_counted || metadata.target() == REPEATED {
            return true;
        }
        let mut text = EventText::default();
        event.record(&mut text);
        let kind = EventKind { place: metadata.callsite(), level: *metadata.level(), reason: text.reason };
        self.admit(kind, text.message)
    }
}

/// The message and the reason of an event.
#[derive(Default)]
struct EventText {
    message: String,
    reason: String,
}

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let into = match field.name() {
            "message" => &mut self.message,
            "reason" => &mut self.reason,
            _ => return,
        };
        // Writing to a String cannot fail.
        let _ = write!(into, "{value:?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "reason" {
            value.clone_into(&mut self.reason);
        }
    }
}
