//! The clock as a table: what happens to the machine's two clocks, and which time is trusted then. Times are
//! seconds after [`START`], when the program starts on a machine that has run for [`RUN`] seconds.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

const START: i64 = 1_790_000_000;
const RUN: i64 = 1_000_000;
const DAY: i64 = 86_400;
const BOOT: &str = "this boot";

enum Step {
    /// This many seconds pass. The machine may be suspended: the boot clock counts that too.
    Pass(i64),
    /// The wall clock is set this much forward.
    Jump(i64),
    /// Which time is trusted, and what time it is.
    Is(ClockState, i64),
    /// Evidence for this time, within this many seconds, and its effect.
    Witness(i64, i64, EvidenceOutcome),
    /// An operator says which time is right; whether there was something to decide.
    Confirm(TimeCandidate, bool),
}

use ClockState::{InDoubt, Kept, Trusted};
use Step::{Confirm, Is, Jump, Pass, Witness};

/// A program that starts with this record, and what happens then.
struct Row(&'static str, ClockRecord, &'static [Step]);

/// The time was last stored this many seconds before the start.
fn marked(boot_id: &str, ago: i64) -> ClockRecord {
    let since_boot = Duration::from_secs(RUN.saturating_sub(ago).unsigned_abs());
    let at = Timestamp::from_seconds(START - ago);
    let mark = Some(ClockMark { at, boot_id: Some(boot_id.to_owned()), since_boot });
    ClockRecord { mark, ..ClockRecord::default() }
}

/// No time was stored; the newest date in the database is this many seconds before the start.
fn newest(ago: i64) -> ClockRecord {
    ClockRecord { newest: Some(Timestamp::from_seconds(START - ago)), ..ClockRecord::default() }
}

/// The same, and a mark that was made later.
fn dated_ahead(by: i64, mark: ClockRecord) -> ClockRecord {
    let newest = Some(Timestamp::from_seconds(START + by));
    ClockRecord { newest, newest_at_mark: newest, ..mark }
}

fn new() -> ClockRecord {
    ClockRecord::default()
}

/// Does what the steps say, and compares.
fn check(Row(name, record, steps): Row) {
    let wall = Arc::new(AtomicI64::new(START * 1_000_000));
    let boot = Arc::new(AtomicI64::new(RUN * 1_000_000));
    let (read_wall, read_boot) = (wall.clone(), boot.clone());
    let machine = Machine::new(
        move || Timestamp(read_wall.load(Ordering::Relaxed)),
        move || Duration::from_micros(read_boot.load(Ordering::Relaxed).unsigned_abs()),
        Some(BOOT.to_owned()),
    );
    let clock = Clock::watched(machine, &record);
    for (number, step) in steps.iter().enumerate() {
        let place = format!("{name}, step {number}");
        match *step {
            Pass(seconds) => {
                // Once a second, as the loops look, but not for days.
                for _ in 0..seconds.min(600) {
                    wall.fetch_add(1_000_000, Ordering::Relaxed);
                    boot.fetch_add(1_000_000, Ordering::Relaxed);
                    clock.reading();
                }
                wall.fetch_add((seconds - seconds.min(600)) * 1_000_000, Ordering::Relaxed);
                boot.fetch_add((seconds - seconds.min(600)) * 1_000_000, Ordering::Relaxed);
            }
            Jump(seconds) => drop(wall.fetch_add(seconds * 1_000_000, Ordering::Relaxed)),
            Is(state, at) => {
                let (now, status) = (clock.reading(), clock.status());
                let expected = Now { at: Timestamp::from_seconds(START + at), trusted: state != InDoubt };
                assert_eq!((status.state, now), (state, expected), "{place}");
                assert_eq!((status.now(), clock.now()), (now.at, now.at), "{place}");
                assert_eq!(clock.mark().map(|mark| mark.at), now.trusted.then_some(now.at), "{place}");
                let since_boot = Duration::from_micros(boot.load(Ordering::Relaxed).unsigned_abs());
                assert_eq!(clock.since_boot(), since_boot, "{place}");
            }
            Witness(at, tolerance, expected) => {
                let settled = clock.witness(Timestamp::from_seconds(START + at), tolerance, "a test");
                assert_eq!(settled, expected, "{place}");
            }
            Confirm(side, expected) => assert_eq!(clock.confirm(side).is_some(), expected, "{place}"),
        }
    }
}

#[test]
fn while_it_runs() {
    let rows = [
        Row("nothing happens", new(), &[Is(Trusted, 0), Pass(90), Is(Trusted, 90), Pass(9 * DAY)]),
        Row("a laptop sleeps", new(), &[Pass(10), Pass(3 * DAY), Is(Trusted, 3 * DAY + 10)]),
        Row("a small step", new(), &[Jump(60), Is(Trusted, 60), Jump(-120), Is(Trusted, -60)]),
        Row(
            "a jump forward, and back",
            new(),
            &[
                Pass(10),
                Jump(30 * DAY),
                Is(InDoubt, 10),
                Pass(5),
                Is(InDoubt, 15),
                Jump(-30 * DAY),
                Is(Trusted, 15),
            ],
        ),
        Row(
            "a jump back, and forward",
            new(),
            &[
                Pass(10),
                Jump(-DAY),
                Is(InDoubt, 10),
                Pass(5),
                Is(InDoubt, 15),
                Jump(DAY + 3),
                Is(Trusted, 18),
            ],
        ),
        Row("just too far", new(), &[Jump(61), Is(InDoubt, 0)]),
        Row("just too far back", new(), &[Jump(-61), Is(InDoubt, 0)]),
        Row(
            "small steps add up",
            new(),
            &[Pass(100), Jump(59), Is(Trusted, 159), Pass(100), Jump(59), Is(InDoubt, 259)],
        ),
        // In 100,000 seconds the anchor has followed completely.
        Row(
            "small steps, far apart",
            new(),
            &[Jump(59), Pass(100_000), Is(Trusted, 100_059), Jump(59), Is(Trusted, 100_118)],
        ),
        // The kept time continues from the last trusted one, not from the anchor.
        Row(
            "a small step, and a jump",
            new(),
            &[Jump(40), Pass(1), Is(Trusted, 41), Jump(DAY), Is(InDoubt, 41), Jump(-DAY), Is(Trusted, 41)],
        ),
        Row(
            "asleep while in doubt",
            new(),
            &[
                Jump(DAY),
                Is(InDoubt, 0),
                Pass(2 * DAY),
                Is(InDoubt, 2 * DAY),
                Jump(-DAY),
                Is(Trusted, 2 * DAY),
            ],
        ),
    ];
    rows.into_iter().for_each(check);
}

#[test]
fn at_a_start() {
    let rows = [
        Row("a new database", new(), &[Is(Trusted, 0)]),
        Row("the same boot", marked(BOOT, 600), &[Is(Trusted, 0)]),
        Row("the same boot, after weeks", marked(BOOT, 11 * DAY), &[Is(Trusted, 0)]),
        Row("another boot, a minute later", marked("before", 60), &[Is(Trusted, 0)]),
        Row("another boot, quiet for days", marked("before", 7 * DAY), &[Is(Trusted, 0)]),
        Row(
            "another boot, quiet for too long",
            marked("before", 8 * DAY),
            &[
                Is(InDoubt, -8 * DAY),
                Pass(5),
                Is(InDoubt, 5 - 8 * DAY),
                Witness(5, 300, EvidenceOutcome::On(TimeCandidate::Wall)),
                Is(Trusted, 5),
            ],
        ),
        Row("another boot, a little before", marked("before", -60), &[Is(Trusted, 0)]),
        Row(
            "another boot, before the time last written; then the machine's clock is set",
            marked("before", -3600),
            &[
                Is(InDoubt, 3600),
                Pass(20),
                Jump(2 * DAY),
                Is(Trusted, 2 * DAY + 20),
                Jump(-DAY),
                Is(InDoubt, 2 * DAY + 20),
            ],
        ),
        // The machine was off for four minutes, which the kept time lacks; the event has them.
        Row(
            "another boot, before the time last written; then an event",
            marked("before", -3600),
            &[
                Witness(3840, 300, EvidenceOutcome::On(TimeCandidate::Kept)),
                Is(Kept, 3840),
                Pass(5),
                Is(Kept, 3845),
                Jump(3845),
                Is(Trusted, 3850),
            ],
        ),
        Row(
            "another boot, set too far",
            marked("before", -3600),
            &[Is(InDoubt, 3600), Jump(30 * DAY), Is(InDoubt, 3600)],
        ),
        Row("nothing remembered", newest(3 * DAY), &[Is(Trusted, 0)]),
        Row("nothing remembered, written later", newest(-3600), &[Is(InDoubt, 3600)]),
        Row("nothing remembered, written long ago", newest(8 * DAY), &[Is(InDoubt, -8 * DAY)]),
        Row(
            "entries dated ahead before the mark",
            dated_ahead(30 * DAY, marked("before", 60)),
            &[Is(Trusted, 0)],
        ),
        Row(
            "entries after the mark",
            ClockRecord { newest: Some(Timestamp::from_seconds(START + 99)), ..marked("before", 60) },
            &[Is(InDoubt, 99)],
        ),
    ];
    rows.into_iter().for_each(check);
    // The clock was set while the program did not run: the elapsed time is known exactly.
    let mut set_forward = marked(BOOT, 600);
    set_forward.mark.as_mut().unwrap().at = Timestamp::from_seconds(START - 600 - 61);
    check(Row("the same boot, set forward", set_forward, &[Is(InDoubt, -61), Jump(-10), Is(Trusted, -10)]));
    let mut set_back = marked(BOOT, 600);
    set_back.mark.as_mut().unwrap().at = Timestamp::from_seconds(START - 600 + DAY);
    check(Row(
        "the same boot, set back",
        set_back,
        &[Is(InDoubt, DAY), Pass(9), Jump(DAY), Is(Trusted, DAY + 9)],
    ));
    // A boot clock that is behind the mark's is another boot's, whatever it is called.
    let mut other = marked(BOOT, 600);
    other.mark.as_mut().unwrap().since_boot = Duration::from_secs(2_000_000);
    check(Row("a boot clock that went back", other, &[Is(Trusted, 0)]));
}

#[test]
fn what_settles_a_doubt() {
    const WALL: EvidenceOutcome = EvidenceOutcome::On(TimeCandidate::Wall);
    const KEPT: EvidenceOutcome = EvidenceOutcome::On(TimeCandidate::Kept);
    let rows = [
        Row("no doubt", new(), &[Witness(9 * DAY, 300, EvidenceOutcome::NoDoubt), Is(Trusted, 0)]),
        Row(
            "an event for the wall clock",
            new(),
            &[Jump(DAY), Witness(DAY - 2, 300, WALL), Is(Trusted, DAY), Pass(9), Is(Trusted, DAY + 9)],
        ),
        // The wall clock is known to be wrong: it may jump, until it agrees again.
        Row(
            "an event for the kept time",
            new(),
            &[
                Jump(DAY),
                Pass(5),
                Witness(4, 300, KEPT),
                Is(Kept, 5),
                Jump(DAY),
                Pass(5),
                Is(Kept, 10),
                Jump(-2 * DAY),
                Is(Trusted, 10),
            ],
        ),
        Row(
            "an event that fits neither",
            new(),
            &[
                Jump(DAY),
                Witness(DAY / 2, 300, EvidenceOutcome::Neither),
                Is(InDoubt, 0),
                Witness(301, 300, EvidenceOutcome::Neither),
            ],
        ),
        Row(
            "an event that fits both, and clearly means one",
            new(),
            &[Jump(120), Witness(119, 300, WALL), Is(Trusted, 120)],
        ),
        Row(
            "an event that fits both, and means the other",
            new(),
            &[Jump(120), Witness(1, 300, KEPT), Is(Kept, 0)],
        ),
        Row(
            "an event that fits both",
            new(),
            &[
                Jump(120),
                Witness(60, 300, EvidenceOutcome::Unclear),
                Is(InDoubt, 0),
                Witness(-200, 300, EvidenceOutcome::Unclear),
            ],
        ),
        Row(
            "Stripe's date for the wall clock",
            new(),
            &[Jump(-DAY), Witness(-DAY, 60, WALL), Is(Trusted, -DAY)],
        ),
        Row("Stripe's date for the kept time", new(), &[Jump(-DAY), Witness(-1, 60, KEPT), Is(Kept, 0)]),
        Row(
            "Stripe's date for neither",
            new(),
            &[Jump(-DAY), Witness(61, 60, EvidenceOutcome::Neither), Is(InDoubt, 0)],
        ),
        Row(
            "a person, for the wall clock",
            new(),
            &[
                Jump(DAY),
                Confirm(TimeCandidate::Wall, true),
                Is(Trusted, DAY),
                Confirm(TimeCandidate::Wall, false),
            ],
        ),
        Row(
            "a person, for the kept time, then for the wall clock after all",
            new(),
            &[
                Jump(DAY),
                Confirm(TimeCandidate::Kept, true),
                Is(Kept, 0),
                Confirm(TimeCandidate::Kept, false),
                Is(Kept, 0),
                Witness(DAY, 300, EvidenceOutcome::NoDoubt),
                Confirm(TimeCandidate::Wall, true),
                Is(Trusted, DAY),
            ],
        ),
        Row(
            "a person, with nothing to decide",
            new(),
            &[Confirm(TimeCandidate::Kept, false), Confirm(TimeCandidate::Wall, false), Is(Trusted, 0)],
        ),
        Row(
            "a new jump after a settled one",
            new(),
            &[Jump(DAY), Confirm(TimeCandidate::Wall, true), Pass(5), Jump(-DAY), Is(InDoubt, DAY + 5)],
        ),
    ];
    rows.into_iter().for_each(check);
}

#[test]
fn a_status_says_why_and_since_when() {
    let hand = Arc::new(AtomicI64::new(START * 1_000_000));
    let read = hand.clone();
    let machine = Machine::new(move || Timestamp(read.load(Ordering::Relaxed)), || Duration::ZERO, None);
    let clock = Clock::watched(machine, &new());
    assert_eq!((clock.status().why, clock.status().since), (None, None));
    hand.fetch_add(-DAY * 1_000_000, Ordering::Relaxed);
    let status = clock.status();
    let since = Some(Timestamp::from_seconds(START));
    assert_eq!((status.why, status.since, status.difference_seconds()), (Some(Doubt::Jumped), since, -DAY));
}

#[test]
fn the_machines_own_clocks_agree() {
    let machine = Machine::real();
    let (wall, boot) = machine.read();
    assert!(wall > Timestamp::from_seconds(1_700_000_000) && boot > 0);
    #[cfg(target_os = "linux")]
    assert_eq!(machine.boot_id.as_deref().map(str::len), Some(36));
    assert!(Clock::watched(machine, &new()).reading().trusted);
}
