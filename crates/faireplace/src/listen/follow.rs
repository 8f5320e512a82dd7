//! Which page of events to ask for next, and in which order its events are handed on: oldest first, each once,
//! none left out, however many came between two questions. Pure: no network, no clock.
//!
//! Stripe lists newest first. `ending_before` answers the events just after the one named, so that the pages
//! walk forward in time until `has_more` is false (docs.stripe.com/webhooks/process-undelivered-events).

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

    /// Takes the answer to [`Follower::ask`]: what is to be handed on, oldest first, and whether more is there.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A list as Stripe keeps it, oldest first: event n is `evt_n`, made in second n.
    struct List {
        oldest: i64,
        newest: i64,
        limit: usize,
    }

    impl List {
        fn page(&self, ask: &Ask) -> Page {
            let number = |id: &str| id.trim_start_matches("evt_").parse::<i64>().unwrap();
            let all: Vec<i64> = (self.oldest..=self.newest).rev().collect();
            let limit = if *ask == Ask::Newest { 1 } else { self.limit };
            let (chosen, has_more): (Vec<i64>, bool) = match ask {
                Ask::Newest | Ask::Latest => (all.iter().copied().take(limit).collect(), all.len() > limit),
                Ask::Before(id) => {
                    let older: Vec<i64> = all.into_iter().filter(|n| *n < number(id)).collect();
                    (older.iter().copied().take(limit).collect(), older.len() > limit)
                }
                Ask::After(id) => {
                    let newer: Vec<i64> = all.into_iter().filter(|n| *n > number(id)).collect();
                    let skipped = newer.len().saturating_sub(limit);
                    (newer[skipped..].to_vec(), skipped > 0)
                }
            };
            let events = chosen.into_iter().map(|n| WrittenEvent {
                id: format!("evt_{n}"),
                type_name: "charge.refunded".to_owned(),
                created: n,
                body: String::new(),
            });
            Page { events: events.collect(), has_more }
        }
    }

    /// Asks until there is no more, and answers the seconds in which the events were made.
    fn poll(follower: &mut Follower, list: &List) -> Vec<i64> {
        let mut handed_on = Vec::new();
        for _ in 0..1000 {
            let (events, more) = follower.take(list.page(&follower.ask()));
            handed_on.extend(events.into_iter().map(|event| event.created));
            if !more {
                return handed_on;
            }
        }
        panic!("it asks without end");
    }

    #[test]
    fn every_event_since_the_start_comes_once_and_in_order() {
        // (events before the start, events that came before each poll, events on a page)
        let rows: &[(i64, &[i64], usize)] = &[
            (0, &[0, 0, 1, 0, 2], 100),
            (0, &[100], 100),
            (0, &[101], 100),
            (0, &[0, 350, 1], 100),
            (5, &[1, 1, 1], 100),
            (5, &[0, 100, 0, 101, 200, 201], 100),
            (1000, &[999, 0, 1], 100),
            (1, &[7, 7, 7], 1),
            (0, &[7, 7, 7], 1),
            (0, &[7, 7, 7], 2),
        ];
        for (before, bursts, limit) in rows {
            let mut list = List { oldest: 1, newest: *before, limit: *limit };
            let mut follower = Follower::default();
            assert!(poll(&mut follower, &list).is_empty(), "{before} {bursts:?}: what was there before");
            let mut handed_on = Vec::new();
            for burst in *bursts {
                list.newest += burst;
                handed_on.extend(poll(&mut follower, &list));
            }
            let expected: Vec<i64> = (before + 1..=list.newest).collect();
            assert_eq!(handed_on, expected, "{before} before, then {bursts:?}, {limit} on a page");
        }
    }

    #[test]
    fn a_list_that_was_away_at_the_start_counts_from_the_start() {
        // (oldest in the list, newest, the start, the first that counts)
        for (oldest, newest, started, first) in
            [(1, 250, 100, 100), (1, 250, 151, 151), (1, 250, 1, 1), (1, 250, 251, 251), (101, 450, 50, 101)]
        {
            let mut list = List { oldest, newest, limit: 100 };
            let mut follower = Follower::default();
            follower.away(started);
            follower.away(started + 30);
            let mut handed_on = poll(&mut follower, &list);
            list.newest += 3;
            handed_on.extend(poll(&mut follower, &list));
            assert_eq!(handed_on, (first..=newest + 3).collect::<Vec<_>>(), "{oldest}..={newest}, {started}");
        }
    }

    #[test]
    fn a_list_that_began_anew_is_handed_on_whole() {
        let mut follower = Follower::default();
        assert!(poll(&mut follower, &List { oldest: 1, newest: 9, limit: 100 }).is_empty());
        follower.away(9);
        follower.forgotten();
        assert!(poll(&mut follower, &List { oldest: 1, newest: 0, limit: 2 }).is_empty());
        assert_eq!(poll(&mut follower, &List { oldest: 1, newest: 5, limit: 2 }), [1, 2, 3, 4, 5]);
    }
}
