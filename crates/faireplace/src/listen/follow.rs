//! Which page of events to request next, and the order of forwarding: oldest first, each event once, none
//! skipped, however many came between two polls. Pure: no network, no clock.
//!
//! Stripe lists newest first. `ending_before` returns the events just after the named one, so the pages move
//! forward in time until `has_more` is false (docs.stripe.com/webhooks/process-undelivered-events).

#[cfg(test)]
mod tests;

use stripe::write::WrittenEvent;

/// One page of the response, newest first.
#[derive(Debug)]
pub(crate) struct EventsPage {
    pub(crate) events: Vec<WrittenEvent>,
    pub(crate) has_more: bool,
}

/// The next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The newest event only, to find the starting point.
    Newest,
    /// The events just after this one: `ending_before`.
    After(String),
    /// The newest events.
    Latest,
    /// The events just before this one: `starting_after`.
    Before(String),
}

/// Follows the list from now on.
#[derive(Debug, Default)]
pub(crate) struct Follower(Position);

#[derive(Debug, Default)]
enum Position {
    /// No page was received yet.
    #[default]
    Start,
    /// All events up to this one were forwarded, or are older than the start.
    After(String),
    /// No event is known to continue from, so search backwards for the first event since this time, in Unix
    /// seconds. `before` is the oldest event seen so far.
    Back { since: i64, before: Option<String> },
}

impl Follower {
    /// The next request.
    pub(crate) fn ask(&self) -> Ask {
        match &self.0 {
            Position::Start => Ask::Newest,
            Position::After(id) => Ask::After(id.clone()),
            Position::Back { before: None, .. } => Ask::Latest,
            Position::Back { before: Some(id), .. } => Ask::Before(id.clone()),
        }
    }

    /// Takes the response to [`Follower::ask`]. Returns the events to forward, oldest first, and whether
    /// there are more.
    pub(crate) fn take(&mut self, page: EventsPage) -> (Vec<WrittenEvent>, bool) {
        let EventsPage { mut events, has_more } = page;
        let newest = events.first().map(|event| event.id.clone());
        match (&mut self.0, newest) {
            (Position::Start, newest) => {
                // An empty list: every later event is new.
                self.0 = newest.map_or(Position::Back { since: i64::MIN, before: None }, Position::After);
                (Vec::new(), false)
            }
            (Position::After(_), None) => (Vec::new(), false),
            (Position::After(id), Some(newest)) => {
                *id = newest;
                events.reverse();
                (events, has_more)
            }
            (Position::Back { before: Some(_), since }, None) => {
                // The older event has disappeared meanwhile: start again from the newest.
                self.0 = Position::Back { since: *since, before: None };
                (Vec::new(), true)
            }
            (Position::Back { before: None, since }, None) => {
                // Every later event is new, even if the API's clock differs from ours.
                *since = i64::MIN;
                (Vec::new(), false)
            }
            (Position::Back { since, before }, Some(newest)) => {
                let counting = events.iter().take_while(|event| event.created >= *since).count();
                if counting == events.len() && has_more {
                    *before = events.pop().map(|oldest| oldest.id);
                    return (Vec::new(), true);
                }
                // Events skipped on the way back come again on the way forward.
                let more = before.is_some();
                self.0 = Position::After(newest);
                events.truncate(counting);
                events.reverse();
                (events, more)
            }
        }
    }

    /// The API cannot be reached. If this is the case from the start, events since the start count, and the
    /// list must be searched for them.
    pub(crate) fn away(&mut self, started: i64) {
        if matches!(self.0, Position::Start) {
            self.0 = Position::Back { since: started, before: None };
        }
    }

    /// The API does not know the event that we continue from: the list was reset, as when an emulator
    /// restarts, or the event is older than the list. Either way all listed events are newer.
    pub(crate) fn forgotten(&mut self) {
        let since = if let Position::Back { since, .. } = self.0 { since } else { i64::MIN };
        self.0 = Position::Back { since, before: None };
    }
}
