//! The schedule: how long to wait after which failure, and when to stop.

use stripe::retry::{Schedule, ScheduleFault};

#[test]
fn the_published_schedule() {
    let schedule = Schedule::default();
    let hours = |hours: i64| hours * 60 * 60;
    for (failed_attempts, expected) in [
        (0, Some(0)),
        (1, Some(5 * 60)),
        (2, Some(30 * 60)),
        (3, Some(hours(2))),
        (4, Some(hours(8))),
        (5, Some(hours(24))),
        (6, None),
        (7, None),
        (u32::MAX, None),
    ] {
        assert_eq!(schedule.next(failed_attempts), expected, "after {failed_attempts} failures");
    }
    assert_eq!(schedule.attempt_timeout_seconds(), 20);
}

#[test]
fn schedules_of_ones_own() {
    let three_days = 3 * 24 * 60 * 60;
    for (delays, timeout, expected) in [
        (vec![], 1, Ok(())),
        (vec![0, 0], 20, Ok(())),
        (vec![three_days - 1, 1], 20, Ok(())),
        (vec![three_days, 1], 20, Err(ScheduleFault::TooLong)),
        (vec![u32::MAX, u32::MAX], 20, Err(ScheduleFault::TooLong)),
        (vec![60], 0, Err(ScheduleFault::NoTime)),
    ] {
        assert_eq!(Schedule::new(delays.clone(), timeout).map(|_| ()), expected, "{delays:?}, {timeout} s");
    }
    assert_eq!(Schedule::new(vec![], 20).unwrap().next(1), None, "one attempt, no retry");
}
