//! Following a list like Stripe's: every event once and in order, however many arrive between two requests,
//! and wherever the list begins.

use super::*;

/// A list like Stripe's. Event n is `evt_n`, created in second n.
struct List {
    oldest: i64,
    newest: i64,
    limit: usize,
}

impl List {
    fn page(&self, ask: &Ask) -> EventsPage {
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
        EventsPage { events: events.collect(), has_more }
    }
}

/// Requests pages until there are no more. Returns the seconds in which the events were created.
fn poll(follower: &mut Follower, list: &List) -> Vec<i64> {
    let mut returned = Vec::new();
    for _ in 0..1000 {
        let (events, more) = follower.take(list.page(&follower.ask()));
        returned.extend(events.into_iter().map(|event| event.created));
        if !more {
            return returned;
        }
    }
    panic!("the follower requests pages without end");
}

#[test]
fn every_event_since_the_start_is_returned_once_and_in_order() {
    // (events before the start, new events before each poll, events per page)
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
        assert!(poll(&mut follower, &list).is_empty(), "{before} {bursts:?}: events from before the start");
        let mut returned = Vec::new();
        for burst in *bursts {
            list.newest += burst;
            returned.extend(poll(&mut follower, &list));
        }
        let expected: Vec<i64> = (before + 1..=list.newest).collect();
        assert_eq!(returned, expected, "{before} before, then {bursts:?}, {limit} per page");
    }
}

#[test]
fn a_list_that_was_unreachable_at_the_start_is_followed_from_the_start() {
    // (oldest in the list, newest, the start, the first event to return)
    for (oldest, newest, started, first) in
        [(1, 250, 100, 100), (1, 250, 151, 151), (1, 250, 1, 1), (1, 250, 251, 251), (101, 450, 50, 101)]
    {
        let mut list = List { oldest, newest, limit: 100 };
        let mut follower = Follower::default();
        follower.away(started);
        follower.away(started + 30);
        let mut returned = poll(&mut follower, &list);
        list.newest += 3;
        returned.extend(poll(&mut follower, &list));
        assert_eq!(returned, (first..=newest + 3).collect::<Vec<_>>(), "{oldest}..={newest}, {started}");
    }
}

#[test]
fn a_reset_list_is_returned_in_full() {
    let mut follower = Follower::default();
    assert!(poll(&mut follower, &List { oldest: 1, newest: 9, limit: 100 }).is_empty());
    follower.away(9);
    follower.forgotten();
    assert!(poll(&mut follower, &List { oldest: 1, newest: 0, limit: 2 }).is_empty());
    assert_eq!(poll(&mut follower, &List { oldest: 1, newest: 5, limit: 2 }), [1, 2, 3, 4, 5]);
}
