//! The clock's keeper, with a store and a source of dates: it stores the time while the clock is trusted, and
//! asks for it while it is not.
//! Not here: what puts the clock in doubt, and what settles it (the table in `clock/tests.rs`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::Clock;
use engine::clock::{ClockKeeper, ClockState, DateSource, Machine};
use ledger::Timestamp;
use store::{ClockRecord, Mode, Store};

const START: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

type Answers = Arc<Mutex<VecDeque<Result<i64, &'static str>>>>;

/// A machine with a database and a source of dates.
struct Place {
    folder: std::path::PathBuf,
    store: Store,
    passed: Arc<AtomicI64>,
    ahead: Arc<AtomicI64>,
    answers: Answers,
    /// The times by which certificates were checked, in seconds after [`START`].
    asked: Arc<Mutex<Vec<i64>>>,
}

impl Place {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("faireplace-keeper-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open_sqlite(&folder.join("a.db"), Mode::Test).unwrap();
        let (passed, ahead) = (Arc::default(), Arc::default());
        Self { folder, store, passed, ahead, answers: Arc::default(), asked: Arc::default() }
    }

    /// Starts the service on this machine, which has kept running.
    async fn start(&self) -> (Clock, ClockKeeper) {
        let (passed, ahead) = (self.passed.clone(), self.ahead.clone());
        let since = self.passed.clone();
        let machine = Machine::new(
            move || {
                let seconds = passed.load(Ordering::Relaxed) + ahead.load(Ordering::Relaxed);
                Timestamp::from_seconds(START + seconds)
            },
            move || Duration::from_secs(since.load(Ordering::Relaxed).unsigned_abs()),
            Some("this boot".to_owned()),
        );
        let clock = Clock::watched(machine, &self.record().await);
        let (answers, asked) = (self.answers.clone(), self.asked.clone());
        let date = DateSource::from_fn(move |at| {
            asked.lock().unwrap().push(at.seconds() - START);
            let answer = answers.lock().unwrap().pop_front().unwrap_or(Err("no answer"));
            async move { answer.map(|at| Timestamp::from_seconds(START + at)).map_err(str::to_owned) }
        });
        let keeper = ClockKeeper::new(clock.clone(), self.store.clone(), Some(date));
        (clock, keeper)
    }

    async fn record(&self) -> ClockRecord {
        self.store.clock_record().await.unwrap()
    }

    /// The stored time, in seconds after [`START`].
    async fn remembered(&self) -> Option<i64> {
        self.record().await.mark.map(|mark| mark.at.seconds() - START)
    }

    /// Lets this many seconds pass, and steps every second.
    async fn pass(&self, keeper: &mut ClockKeeper, seconds: i64) {
        for _ in 0..seconds {
            self.passed.fetch_add(1, Ordering::Relaxed);
            keeper.step().await.unwrap();
        }
    }

    fn jump(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    fn asked(&self) -> Vec<i64> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left over is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn the_time_is_stored_every_minute_while_it_is_trusted() {
    let place = Place::new();
    let (_, mut keeper) = place.start().await;
    keeper.step().await.unwrap();
    assert_eq!(place.remembered().await, Some(0));
    place.pass(&mut keeper, 59).await;
    assert_eq!(place.remembered().await, Some(0));
    place.pass(&mut keeper, 1).await;
    assert_eq!(place.remembered().await, Some(60));
    place.jump(DAY);
    place.pass(&mut keeper, 300).await;
    assert_eq!(place.remembered().await, Some(60), "in doubt");
    // Once the doubt is settled, the time is stored at once.
    place.jump(-DAY);
    place.pass(&mut keeper, 1).await;
    assert_eq!(place.remembered().await, Some(361));
    // And once more when the service stops.
    place.passed.fetch_add(5, Ordering::Relaxed);
    keeper.run(std::future::ready(())).await;
    assert_eq!(place.remembered().await, Some(366));
}

#[tokio::test]
async fn a_start_knows_the_time_of_the_run_before() {
    let place = Place::new();
    let (_, mut keeper) = place.start().await;
    place.pass(&mut keeper, 61).await;
    // The service is killed, and the clock is set before it starts again.
    place.passed.fetch_add(600, Ordering::Relaxed);
    place.jump(DAY);
    let (clock, mut keeper) = place.start().await;
    assert_eq!(clock.status().state, ClockState::InDoubt);
    assert_eq!(clock.now().seconds() - START, 661, "what has passed is known exactly");
    // The stored time stays while the doubt lasts, for any number of starts.
    place.pass(&mut keeper, 90).await;
    keeper.run(std::future::ready(())).await;
    assert_eq!(place.remembered().await, Some(61));
    assert_eq!(place.start().await.0.status().state, ClockState::InDoubt);
}

#[tokio::test]
async fn stripe_is_asked_less_and_less_often_until_it_says_which_time_is_right() {
    let place = Place::new();
    let (clock, mut keeper) = place.start().await;
    place.pass(&mut keeper, 10).await;
    assert_eq!(place.asked(), Vec::<i64>::new(), "there is no doubt");
    place.jump(DAY);
    // Certificates may be valid by either time only.
    place.pass(&mut keeper, 1).await;
    assert_eq!(place.asked(), [11, DAY + 11]);
    // A date that fits neither time settles nothing, and counts as an answer.
    place.answers.lock().unwrap().push_back(Ok(DAY / 2));
    place.pass(&mut keeper, 60).await;
    assert_eq!(place.asked(), [71]);
    place.pass(&mut keeper, 3000).await;
    let kept: Vec<i64> = place.asked().into_iter().filter(|at| *at < DAY).collect();
    assert_eq!(kept, [191, 431, 911, 1391, 1871, 2351, 2831]);
    assert_eq!(clock.status().state, ClockState::InDoubt);
    // Stripe answers only when its certificate is checked by the wall clock.
    place.answers.lock().unwrap().extend([Err("expired"), Ok(DAY + 3311)]);
    place.pass(&mut keeper, 480).await;
    assert_eq!(clock.status().state, ClockState::Trusted);
    assert_eq!(clock.now().seconds() - START, DAY + 3551);
    place.pass(&mut keeper, 1).await;
    assert_eq!(place.remembered().await, Some(DAY + 3552));
}

#[tokio::test]
async fn nothing_is_asked_without_a_source_of_dates() {
    let place = Place::new();
    let (clock, _) = place.start().await;
    let mut keeper = ClockKeeper::new(clock.clone(), place.store.clone(), None);
    place.jump(-DAY);
    place.pass(&mut keeper, 300).await;
    assert_eq!((place.asked(), clock.status().state), (Vec::new(), ClockState::InDoubt));
}
