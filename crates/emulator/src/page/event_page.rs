//! Events and their deliveries: as rows of the control page, and the page of one event with its body.
//!
//! Not here: sending.

use super::clock;
use askama::Template;

/// One event in a list.
#[derive(Clone, Debug)]
pub struct EventEntry {
    /// `evt_…`
    pub id: String,
    /// `charge.refunded` …
    pub type_name: String,
    /// Unix seconds, virtual.
    pub created: i64,
    /// Deliveries that no endpoint has accepted yet.
    pub pending_webhooks: u64,
    /// One per endpoint that it goes to.
    pub deliveries: Vec<DeliveryEntry>,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug)]
pub struct DeliveryEntry {
    /// `we_…`
    pub endpoint: String,
    /// Where it goes.
    pub url: String,
    /// In the order they were made.
    pub attempts: Vec<AttemptEntry>,
    /// Unix seconds, virtual; `None` when no further attempt is planned.
    pub next_attempt: Option<i64>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct AttemptEntry {
    /// Unix seconds, virtual.
    pub at: i64,
    /// The status of the answer, or in words why there was none.
    pub answer: Result<u16, String>,
    /// How long it took, in real milliseconds.
    pub milliseconds: u64,
}

/// The page of one event.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// Unix seconds, virtual.
    pub now: i64,
    /// The event.
    pub event: EventEntry,
    /// Its JSON, indented.
    pub body: String,
    /// For which version of the API the body is rendered.
    pub version: String,
}

#[derive(Template)]
#[template(path = "event_page.html")]
struct EventTemplate<'a> {
    view: &'a EventPage,
}

/// The page of one event as HTML.
pub fn event(view: &EventPage) -> String {
    super::rendered(&EventTemplate { view })
}

impl EventTemplate<'_> {
    fn next(&self, delivery: &DeliveryEntry) -> Option<String> {
        delivery.next(self.view.now)
    }
}

impl EventEntry {
    pub(super) fn when(&self) -> String {
        clock::short(self.created)
    }

    /// What became of its deliveries, in a word, and how that looks.
    pub(super) fn fate(&self) -> (String, &'static str) {
        let accepted = self.deliveries.iter().filter(|delivery| delivery.is_accepted()).count();
        let all = self.deliveries.len();
        let waiting = self.deliveries.iter().any(|delivery| delivery.next_attempt.is_some());
        match (all, accepted) {
            (0, _) => ("No endpoint".to_owned(), ""),
            (1, 1) => ("Delivered".to_owned(), "good"),
            (_, _) if accepted == all => (format!("Delivered to {all}"), "good"),
            (_, _) if self.deliveries.iter().all(|delivery| delivery.attempts.is_empty()) => {
                ("Waiting".to_owned(), "wait")
            }
            (_, _) if waiting => (format!("Failing, {accepted} of {all}"), "bad"),
            (_, _) => (format!("Given up, {accepted} of {all}"), "bad"),
        }
    }
}

impl DeliveryEntry {
    fn is_accepted(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.is_accepted())
    }

    pub(super) fn next(&self, now: i64) -> Option<String> {
        self.next_attempt.map(|then| format!("{} ({})", clock::until(now, then), clock::short(then)))
    }
}

impl AttemptEntry {
    fn is_accepted(&self) -> bool {
        matches!(self.answer, Ok(200..=299))
    }

    pub(super) fn when(&self) -> String {
        clock::short(self.at)
    }

    pub(super) fn told(&self) -> String {
        match &self.answer {
            Ok(status) => status.to_string(),
            Err(words) => words.clone(),
        }
    }

    pub(super) fn tone(&self) -> &'static str {
        if self.is_accepted() { "good" } else { "bad" }
    }
}
