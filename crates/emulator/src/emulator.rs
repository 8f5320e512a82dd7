//! The emulator as it runs: one world behind a lock, a loop that turns its agenda as the clock goes, and a
//! worker for each endpoint. Every change goes through [`Emulator::with`].
//!
//! Not here: sockets for incoming requests; the caller serves the router where it likes.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::deliver::DeliveryClient;
use crate::file;
use crate::world::{ClockMode, Dispatch, Outcome, World};

/// Reads the machine's clock: Unix milliseconds.
pub type Wall = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Is told of every attempt, before it is sent (no outcome yet) and after.
pub type Watcher = Arc<dyn Fn(&Dispatch, Option<&Outcome>) + Send + Sync>;

/// The API key where nobody chose another: well known, because nothing it opens is worth anything.
pub const API_KEY: &str = "sk_test_emulator";

/// How an emulator is to be.
pub struct Options {
    /// Where the outside reaches it: `http://127.0.0.1:12111`, without a slash at its end.
    pub url: String,
    /// The one key that its API takes: `sk_test_…`.
    pub api_key: String,
    /// From what ids and misbehaviour follow.
    pub seed: u64,
    /// The clock of a new account: None goes with the machine's.
    pub still_at_ms: Option<i64>,
    /// Where the account is kept between runs; in memory only when left out.
    pub file: Option<PathBuf>,
    /// How long one attempt of a delivery may take.
    pub attempt_timeout: Duration,
    /// The machine's clock.
    pub wall: Wall,
    /// Who watches the deliveries.
    pub watcher: Watcher,
}

/// A running Stripe account. Clones are the same account.
#[derive(Clone)]
pub struct Emulator(Arc<EmulatorState>);

struct EmulatorState {
    world: Mutex<World>,
    /// Counts changes, so that whoever waits for one wakes up.
    changed: watch::Sender<u64>,
    /// Held by whoever turns the clock.
    turning: tokio::sync::Mutex<()>,
    sender: DeliveryClient,
    options: Options,
    /// While it is there, the account's file is ours: until the last save.
    lock: Mutex<Option<File>>,
}

impl Emulator {
    /// Opens the account: the one in the file, if there is one, else a new one.
    ///
    /// # Errors
    /// When the file cannot be read, is not one of this program's, or is in use by another emulator.
    pub fn open(options: Options) -> Result<Self, file::FileError> {
        let wall_ms = (options.wall)();
        let time = match options.still_at_ms {
            Some(at_ms) => ClockMode::Still { at_ms },
            None => ClockMode::Running { ahead_ms: 0 },
        };
        let lock = options.file.as_deref().map(file::take).transpose()?.flatten();
        let kept = options.file.as_deref().map(file::read).transpose()?.flatten();
        let world = match kept {
            Some(mut world) => {
                world.let_go(wall_ms);
                world.reopen();
                world
            }
            None => World::new(options.seed, time, time.now_ms(wall_ms)),
        };
        let sender = DeliveryClient::new(options.attempt_timeout);
        let (changed, _) = watch::channel(0);
        let turning = tokio::sync::Mutex::new(());
        let lock = Mutex::new(lock);
        Ok(Self(Arc::new(EmulatorState {
            world: Mutex::new(world),
            changed,
            turning,
            sender,
            options,
            lock,
        })))
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Looks at the world or changes it, at the present moment, and wakes up whoever waits for a change.
    pub fn with<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        let result = {
            let mut world = self.now();
            let result = work(&mut world);
            // Whoever comes next acts in its own name.
            world.on_behalf_of(None);
            result
        };
        self.0.changed.send_modify(|count| *count = count.wrapping_add(1));
        result
    }

    /// Reads the world at the present moment.
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.now())
    }

    /// The world, brought to the present.
    fn now(&self) -> MutexGuard<'_, World> {
        // A panic in the middle of a change leaves a rehearsal that may be odd, and nothing worse.
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = world.clock.now_ms((self.0.options.wall)());
        if world.run_until(now_ms) > 0 {
            // Whoever waits must hear of it, also when it was only a look that brought the world here.
            self.0.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
        world
    }

    /// Turns the clock forward by so many seconds: all that falls due meanwhile happens, each thing at its
    /// time, and every delivery is answered or given up before the next. Answers how many things happened.
    /// Goes on to its end when the caller goes away.
    pub async fn advance(&self, seconds: u32) -> u64 {
        let emulator = self.clone();
        let turned = tokio::spawn(async move { emulator.turn(i64::from(seconds) * 1_000).await });
        // It fails only when the program is ending.
        turned.await.unwrap_or_default()
    }

    async fn turn(&self, by_ms: i64) -> u64 {
        let _turning = self.0.turning.lock().await;
        let target = self.with(|world| {
            let now = world.now_ms();
            world.clock_after_advance = Some(world.clock);
            world.clock = ClockMode::Still { at_ms: now };
            now.saturating_add(by_ms)
        });
        let mut ran = 0;
        loop {
            self.quiet().await;
            let happened = self.with(|world| {
                let due = world.next_due_ms().filter(|due| *due <= target)?;
                world.clock = ClockMode::Still { at_ms: due };
                Some(world.run_until(due))
            });
            match happened {
                Some(count) => ran += count,
                None => break,
            }
        }
        self.with(|world| {
            world.run_until(target);
            world.let_go((self.0.options.wall)());
        });
        ran
    }

    /// Waits until no delivery is on its way or waits for its turn.
    pub async fn quiet(&self) {
        let mut changed = self.0.changed.subscribe();
        while !self.now().quiet() {
            // The sender lives as long as we do.
            let _ = changed.changed().await;
        }
    }

    /// Waits until every endpoint has accepted this session's `checkout.session.completed`, but no longer
    /// than 10 seconds: so Stripe's page does before it sends the customer back
    /// (docs.stripe.com/checkout/fulfillment).
    pub async fn acknowledged(&self, session: &str) {
        let mut changed = self.0.changed.subscribe();
        let accepted = async {
            while self.now().awaits_acknowledgement(session) {
                let _ = changed.changed().await;
            }
        };
        // Whether in time or not, the customer goes back to the shop.
        let _ = tokio::time::timeout(Duration::from_secs(10), accepted).await;
    }

    /// Runs until `stop`: the agenda as the clock goes, the deliveries, and the file. What was on its way is
    /// sent again at the next start.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut changed = self.0.changed.subscribe();
        let mut workers = tokio::task::JoinSet::new();
        let mut known = 0;
        let mut saver = file::Saver::new(self.0.options.file.clone());
        loop {
            changed.borrow_and_update();
            let (fresh, wait) = {
                let world = self.now();
                let fresh: Vec<_> = world.endpoints.made_since(known).map(|made| made.id.clone()).collect();
                known = world.endpoints.made();
                let running = matches!(world.clock, ClockMode::Running { .. });
                let due = world.next_due_ms().filter(|_| running);
                let wait = due.map(|due| due.saturating_sub(world.now_ms()).max(1).unsigned_abs());
                (fresh, wait.map_or(FAR, Duration::from_millis))
            };
            fresh.into_iter().for_each(|id| drop(workers.spawn(self.clone().work(id))));
            tokio::select! {
                () = &mut stop => break,
                _ = changed.changed() => saver.changed(),
                () = tokio::time::sleep(wait.min(FAR)) => self.with(|_| ()),
                () = saver.due() => saver.save(self.kept()).await,
            }
        }
        workers.shutdown().await;
        saver.save(self.kept()).await;
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// What the file keeps.
    fn kept(&self) -> Option<Vec<u8>> {
        self.0.options.file.as_ref()?;
        serde_json::to_vec(&*self.now()).ok()
    }

    /// Delivers to one endpoint, in order, until it is deleted.
    async fn work(self, endpoint: String) {
        let mut changed = self.0.changed.subscribe();
        let mut burst = tokio::task::JoinSet::new();
        loop {
            changed.borrow_and_update();
            let dispatch = {
                let mut world = self.now();
                if world.endpoints.get(&endpoint).is_none() {
                    break;
                }
                let wall = (self.0.options.wall)().div_euclid(1_000);
                let quiet = world.quiet();
                let dispatch = world.dispatch(&endpoint, wall);
                if dispatch.is_none() && world.quiet() != quiet {
                    // What waited was dropped: whoever waited for it need not any more.
                    self.0.changed.send_modify(|count| *count = count.wrapping_add(1));
                }
                dispatch
            };
            match dispatch {
                Some(dispatch) if dispatch.burst => drop(burst.spawn(self.clone().attempt(dispatch))),
                Some(dispatch) => self.clone().attempt(dispatch).await,
                None => {
                    let _ = changed.changed().await;
                    while burst.try_join_next().is_some() {}
                }
            }
        }
        burst.join_all().await;
    }

    async fn attempt(self, dispatch: Dispatch) {
        (self.0.options.watcher)(&dispatch, None);
        let began = (self.0.options.wall)();
        let outcome = self.0.sender.send(&dispatch).await;
        let took_ms = (self.0.options.wall)().saturating_sub(began).max(0).unsigned_abs();
        (self.0.options.watcher)(&dispatch, Some(&outcome));
        self.with(|world| world.record(&dispatch, outcome, took_ms));
    }
}

/// How long the loop sleeps when nothing is to come: a change wakes it.
const FAR: Duration = Duration::from_secs(3_600);
