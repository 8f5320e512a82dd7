//! Forwards the events of an account to an endpoint in order: each is retried until it is accepted, before
//! any later event. The output is that of `stripe listen`.

pub(crate) mod api;
mod follow;
pub(crate) mod secret;
#[cfg(test)]
mod tests;

use std::time::Duration;

use engine::Clock;
use stripe::write::WrittenEvent;

use crate::delivery_line::{self, clock_text};
use crate::failure::Failure;
use crate::sender::EventSender;
use crate::terminal::{bold, faint, line, red, shown};
use api::{EventsAnswer, EventsApi};
use follow::Follower;

/// Intervals and limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Interval between polls.
    pub(crate) poll: Duration,
    /// Wait after the first failure; each further wait doubles.
    pub(crate) first_wait: Duration,
    /// The longest wait.
    pub(crate) longest_wait: Duration,
    /// Seconds after which an event that is never accepted is skipped.
    pub(crate) give_up_seconds: i64,
}

impl Pace {
    /// The pace for an API on this machine, or for Stripe, which allows a sandbox 25 reads a second
    /// (docs.stripe.com/rate-limits).
    pub(crate) fn towards(api: &EventsApi) -> Self {
        Self {
            poll: if api.is_near() { Duration::from_millis(250) } else { Duration::from_secs(2) },
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            // As long as Stripe retries (docs.stripe.com/webhooks).
            give_up_seconds: 3 * 24 * 60 * 60,
        }
    }

    /// The wait after this many consecutive failures.
    fn wait(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait)
    }
}

/// The event types to forward: names, or prefixes that end in `*`.
pub(crate) struct Selection(pub(crate) Vec<String>);

impl Selection {
    /// Stripe accepts up to 20 types and no patterns (docs.stripe.com/api/events/list).
    const MAX_TYPES: usize = 20;

    /// The types for the API's own filter; empty for all.
    pub(crate) fn types(&self) -> &[String] {
        let exact = self.0.iter().all(|name| !name.ends_with('*'));
        if exact && self.0.len() <= Self::MAX_TYPES { &self.0 } else { &[] }
    }

    fn wants(&self, type_name: &str) -> bool {
        self.0.iter().any(|name| match name.strip_suffix('*') {
            Some(beginning) => type_name.starts_with(beginning),
            None => name == type_name,
        })
    }
}

/// A running `listen`.
pub(crate) struct Listener {
    pub(crate) api: EventsApi,
    /// `None` if events are only printed.
    pub(crate) sender: Option<EventSender>,
    pub(crate) selection: Selection,
    pub(crate) clock: Clock,
    pub(crate) pace: Pace,
    /// Whether standard output carries the events themselves.
    pub(crate) raw: bool,
    /// Prints lines for people.
    pub(crate) say: fn(&str),
    /// The end of the ready line, about the signing secret.
    pub(crate) greeting: String,
}

impl Listener {
    /// Forwards events from now on. Returns only when the API refuses permanently.
    pub(crate) async fn run(&self) -> Failure {
        let started = self.clock.now().seconds();
        let mut follower = Follower::default();
        let mut ready = false;
        let mut failures = 0;
        loop {
            match self.api.ask(&follower.ask()).await {
                EventsAnswer::EventsPage { page, version } => {
                    if !ready || failures > 0 {
                        self.say_ready(version.as_deref());
                    }
                    (ready, failures) = (true, 0);
                    let (events, more) = follower.take(page);
                    for event in events.iter().filter(|event| self.selection.wants(&event.type_name)) {
                        self.hand_on(event).await;
                    }
                    if !more {
                        tokio::time::sleep(self.pace.poll).await;
                    }
                }
                EventsAnswer::Forgotten => {
                    follower.forgotten();
                    tokio::time::sleep(self.pace.poll).await;
                }
                EventsAnswer::Later(reason) => {
                    follower.away(started);
                    failures += 1;
                    if failures == 1 {
                        self.say_away(&reason);
                    }
                    // Polling this machine is cheap, and a developer who starts the emulator is waiting.
                    let wait =
                        if self.api.is_near() { self.pace.first_wait } else { self.pace.wait(failures) };
                    tokio::time::sleep(wait).await;
                }
                EventsAnswer::Refused(reason) => {
                    return Failure::failed(format!(
                        "{}. Check STRIPE_SECRET_KEY, and that the key may read events",
                        shown(reason.trim_end_matches(['.', ' ']))
                    ));
                }
            }
        }
    }

    fn say_ready(&self, version: Option<&str>) {
        let version =
            version.map(|version| format!("You are using Stripe API Version [{}]. ", shown(version)));
        let version = version.unwrap_or_default();
        (self.say)(&format!("{} {version}{} (^C to quit)", bold("Ready!"), self.greeting));
    }

    fn say_away(&self, reason: &str) {
        let stamp = faint(&clock_text(self.clock.now()));
        let (word, reason) = (red("[ERROR]"), shown(reason.trim_end_matches(['.', ' '])));
        (self.say)(&format!("{stamp}            {word} No events: {reason}. Trying again until it works"));
    }

    /// Prints an event and sends it until it is accepted.
    async fn hand_on(&self, event: &WrittenEvent) {
        let arrived = self.clock.now();
        if self.raw {
            line(&one_line(&event.body));
        } else {
            (self.say)(&delivery_line::sent(&event.type_name, &event.id, arrived));
        }
        let Some(sender) = &self.sender else { return };
        let mut failures = 0;
        while !sender.attempt(event).await.is_some_and(|status| status.is_success()) {
            failures += 1;
            let now = self.clock.now();
            let stamp = faint(&clock_text(now));
            if now.seconds() - arrived.seconds() >= self.pace.give_up_seconds {
                let (word, id) = (red("[ERROR]"), shown(&event.id));
                (self.say)(&format!("{stamp}            {word} Gave up on {id}; the next one's turn"));
                return;
            }
            let wait = self.pace.wait(failures);
            let why = if failures == 1 { "; what came after it waits" } else { "" };
            (self.say)(&faint(&format!("{stamp}            again in {} s{why}", wait.as_secs())));
            tokio::time::sleep(wait).await;
        }
    }
}

/// The same JSON without insignificant white space.
fn one_line(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |character: &char| {
        let kept = in_text || !character.is_ascii_whitespace();
        match character {
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && *character == '\\' && !escaped;
        kept
    };
    json.chars().filter(keep).collect()
}
