//! Which page of events to ask for next, and in which order its events are handed on: oldest first, each
//! once, none left out, however many came between two questions. Pure: no network, no clock.
//!
//! Stripe lists newest first. `ending_before` answers the events just after the one named, so that the pages
//! walk forward in time until `has_more` is false (docs.stripe.com/webhooks/process-undelivered-events).

#[cfg(test)]
mod tests;

use stripe::write::WrittenEvent;

/// One page as it was answered: newest first.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<WrittenEvent>,
    pub(crate) has_more: bool,
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The newest event alone, to know where now is.
    Newest,
    /// The events just after this one: `ending_before`.
    After(String),
    /// The newest events.
    Latest,
    /// The events just before this one: `starting_after`.
    Before(String),
}

/// Follows the list, from now on.
#[derive(Debug, Default)]
pub(crate) struct Follower(Position);

#[derive(Debug, Default)]
enum Position {
    /// The list was not seen yet.
    #[default]
    Start,
    /// All up to this event was handed on, or was there before.
    After(String),
    /// No event is known from which to go forward, so the oldest that counts is looked for: the first one
    /// since this moment, in Unix seconds. `before` is the oldest event seen on the way back.
    Back { since: i64, before: Option<String> },
}

impl Follower {
    /// What to ask for next.
    pub(crate) fn ask(&self) -> Ask {
        match &self.0 {
            Position::Start => Ask::Newest,
            Position::After(id) => Ask::After(id.clone()),
            Position::Back { before: None, .. } => Ask::Latest,
            Position::Back { before: Some(id), .. } => Ask::Before(id.clone()),
        }
    }

    /// Takes the answer to [`Follower::ask`]: what is to be handed on, oldest first, and whether more is
    /// there.
    pub(crate) fn take(&mut self, page: Page) -> (Vec<WrittenEvent>, bool) {
        let Page { mut events, has_more } = page;
        let newest = events.first().map(|event| event.id.clone());
        match (&mut self.0, newest) {
            (Position::Start, newest) => {
                // An empty list: whatever comes is new.
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
                // There was an older event a moment ago, and it is gone: look again from the top.
                self.0 = Position::Back { since: *since, before: None };
                (Vec::new(), true)
            }
            (Position::Back { before: None, since }, None) => {
                // Whatever comes is new, also by a clock that goes otherwise than ours.
                *since = i64::MIN;
                (Vec::new(), false)
            }
            (Position::Back { since, before }, Some(newest)) => {
                let counting = events.iter().take_while(|event| event.created >= *since).count();
                if counting == events.len() && has_more {
                    *before = events.pop().map(|oldest| oldest.id);
                    return (Vec::new(), true);
                }
                // What was skipped on the way back comes again on the way forward.
                let more = before.is_some();
                self.0 = Position::After(newest);
                events.truncate(counting);
                events.reverse();
                (events, more)
            }
        }
    }

    /// The list cannot be reached. Where that is so from the start, what counts is what happened since then,
    /// and the list must be searched for it.
    pub(crate) fn away(&mut self, started: i64) {
        if matches!(self.0, Position::Start) {
            self.0 = Position::Back { since: started, before: None };
        }
    }

    /// The list does not know the event from which we counted: it began anew, as an emulator's does when it
    /// starts, or the event is older than the list goes back. Either way all that it has came later.
    pub(crate) fn forgotten(&mut self) {
        let since = if let Position::Back { since, .. } = self.0 { since } else { i64::MIN };
        self.0 = Position::Back { since, before: None };
    }
}
