//! Events and their deliveries: the entries on the control page, and the page of one event with its body.

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
    /// The number of endpoints that have not accepted it yet.
    pub pending_webhooks: u64,
    /// One for each endpoint that it is sent to.
    pub deliveries: Vec<DeliveryEntry>,
}

/// The delivery of one event to one endpoint.
#[derive(Clone, Debug)]
pub struct DeliveryEntry {
    /// `we_…`
    pub endpoint: String,
    /// The endpoint's URL.
    pub url: String,
    /// Oldest first.
    pub attempts: Vec<AttemptEntry>,
    /// Unix seconds, virtual; `None` when no attempt is scheduled.
    pub next_attempt: Option<i64>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct AttemptEntry {
    /// Unix seconds, virtual.
    pub at: i64,
    /// The status of the response, or why there was none.
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
    /// The API version of the body.
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

    /// The state of its deliveries in a word, and its CSS class.
    pub(super) fn outcome(&self) -> (String, &'static str) {
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

    pub(super) fn response(&self) -> String {
        match &self.answer {
            Ok(status) => status.to_string(),
            Err(words) => words.clone(),
        }
    }

    pub(super) fn tone(&self) -> &'static str {
        if self.is_accepted() { "good" } else { "bad" }
    }
}
