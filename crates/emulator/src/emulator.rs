//! The running emulator: one world behind a lock, a loop that runs scheduled tasks when they are due, and a
//! worker for each endpoint. Every change goes through [`Emulator::with`].
//!
//! Not here: sockets for incoming requests; the caller serves the router.

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

/// Called for every delivery attempt: before it is sent, without an outcome, and afterwards with one.
pub type Watcher = Arc<dyn Fn(&Dispatch, Option<&Outcome>) + Send + Sync>;

/// The default API key. It is well known, because it protects nothing of value.
pub const API_KEY: &str = "sk_test_emulator";

/// How to open an emulator.
pub struct Options {
    /// The URL at which clients reach it: `http://127.0.0.1:12111`, without a trailing slash.
    pub url: String,
    /// The only API key that it accepts: `sk_test_…`.
    pub api_key: String,
    /// The seed of ids and secrets.
    pub seed: u64,
    /// Where the clock of a new account stands still; `None` lets it run with the machine's clock.
    pub still_at_ms: Option<i64>,
    /// The file that keeps the account between runs; `None` keeps it in memory only.
    pub file: Option<PathBuf>,
    /// How long one delivery attempt may take.
    pub attempt_timeout: Duration,
    /// The machine's clock.
    pub wall: Wall,
    /// Called for every delivery attempt.
    pub watcher: Watcher,
}

/// A running Stripe account. Clones are the same account.
#[derive(Clone)]
pub struct Emulator(Arc<EmulatorState>);

struct EmulatorState {
    world: Mutex<World>,
    /// Counts changes, and wakes up the tasks that wait for one.
    changed: watch::Sender<u64>,
    /// Held while the clock is advanced: one advance at a time.
    advancing: tokio::sync::Mutex<()>,
    sender: DeliveryClient,
    options: Options,
    /// The lock on the account's file, held until the last save.
    lock: Mutex<Option<File>>,
}

impl Emulator {
    /// Opens the account in the file, or a new one when there is no file.
    ///
    /// # Errors
    /// When the file cannot be read, is not an account, or is in use by another emulator.
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
                world.end_advance(wall_ms);
                world.resume_deliveries();
                world
            }
            None => World::new(options.seed, time, time.now_ms(wall_ms)),
        };
        let sender = DeliveryClient::new(options.attempt_timeout);
        let (changed, _) = watch::channel(0);
        let advancing = tokio::sync::Mutex::new(());
        let lock = Mutex::new(lock);
        Ok(Self(Arc::new(EmulatorState {
            world: Mutex::new(world),
            changed,
            advancing,
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

    /// Changes the world at the present moment, and wakes up the tasks that wait for a change.
    pub fn with<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        let result = {
            let mut world = self.now();
            let result = work(&mut world);
            // The next change must not be attributed to this request.
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

    /// The world, after everything that is due has run.
    fn now(&self) -> MutexGuard<'_, World> {
        // After a panic during a change the test account may be inconsistent; it is still usable.
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = world.clock.now_ms((self.0.options.wall)());
        if world.run_until(now_ms) > 0 {
            // A mere read can run due tasks, and the waiting tasks must learn of it.
            self.0.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
        world
    }

    /// Advances the clock. Every task that becomes due meanwhile runs at its own time, and every delivery is
    /// answered or given up before the next task. Returns how many tasks ran. The advance completes even if
    /// the caller drops the future.
    pub async fn advance(&self, seconds: u32) -> u64 {
        let emulator = self.clone();
        let advanced = tokio::spawn(async move { emulator.advance_by_ms(i64::from(seconds) * 1_000).await });
        // Joining fails only while the program shuts down.
        advanced.await.unwrap_or_default()
    }

    async fn advance_by_ms(&self, by_ms: i64) -> u64 {
        let _advancing = self.0.advancing.lock().await;
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
            world.end_advance((self.0.options.wall)());
        });
        ran
    }

    /// Waits until no delivery is due or in flight.
    pub async fn quiet(&self) {
        let mut changed = self.0.changed.subscribe();
        while !self.now().quiet() {
            // The sender lives as long as `self`.
            let _ = changed.changed().await;
        }
    }

    /// Waits until every endpoint has accepted this session's `checkout.session.completed`, for 10 seconds at
    /// most, as Stripe's page does before it redirects the customer (docs.stripe.com/checkout/fulfillment).
    pub async fn acknowledged(&self, session: &str) {
        let mut changed = self.0.changed.subscribe();
        let accepted = async {
            while self.now().awaits_acknowledgement(session) {
                let _ = changed.changed().await;
            }
        };
        // After a timeout the customer is redirected all the same.
        let _ = tokio::time::timeout(Duration::from_secs(10), accepted).await;
    }

    /// Runs scheduled tasks, deliveries and saves until `stop`. Deliveries in flight are sent again at the
    /// next start.
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
                let fresh: Vec<_> =
                    world.endpoints.added_since(known).map(|endpoint| endpoint.id.clone()).collect();
                known = world.endpoints.added();
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

    /// The account as JSON; `None` when there is no file to save it to.
    fn kept(&self) -> Option<Vec<u8>> {
        self.0.options.file.as_ref()?;
        serde_json::to_vec(&*self.now()).ok()
    }

    /// Delivers to one endpoint, in order, until the endpoint is deleted.
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
                    // Waiting deliveries were dropped, so `quiet` may hold now.
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

/// How long the loop sleeps when nothing is scheduled; a change wakes it.
const FAR: Duration = Duration::from_secs(3_600);
