//! Stripe's side: events to deliver, and acknowledgements. Every event is delivered at least twice, in random
//! order, and again until it is answered with 2xx.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Mutex;

use e2e::deployment::SECRET;
use e2e::http::Connection;
use e2e::sale::sale;
use e2e::service::deliver;
use emulator::scenario::{Sale, Scenario};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use stripe::write::WrittenEvent;

const TENANTS: usize = 25;
const DAY: i64 = 86_400;
/// Credits, prices in minor units, and the credits that are left after half of the price was refunded. Some
/// do not divide evenly.
const PACKAGES: [(u32, i64, u32); 4] = [(10, 25_000, 5), (1, 2_999, 1), (7, 14_001, 4), (50, 100_000, 25)];

/// The events that Stripe has to deliver.
pub(crate) struct Outbox {
    pub(crate) sales: Vec<Sold>,
    events: Vec<WrittenEvent>,
    progress: Mutex<Progress>,
}

struct Progress {
    random: Xoshiro256PlusPlus,
    /// Positions of the events still to be delivered; the next one is last.
    waiting: Vec<usize>,
    /// Positions of the events acknowledged since the last call of `acknowledged_last`.
    last: Vec<usize>,
    /// Counts of each event.
    tally: Vec<Tally>,
}

/// How often one event was sent and acknowledged.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
}

/// One sale.
pub(crate) struct Sold {
    pub(crate) tenant: String,
    /// The credits that its scenario leaves.
    pub(crate) credits: u32,
}

/// The sale with this number, and its events.
fn sold(scenario: Scenario, number: usize) -> (Sold, Vec<WrittenEvent>) {
    let (credits, amount, after_half_refund) = PACKAGES[number / TENANTS % PACKAGES.len()];
    let tenant = format!("00000000-0000-4000-8000-{:012}", number % TENANTS);
    // Scenarios take up to eight days, and no event may be in the future.
    let created = e2e::now() - 40 * DAY;
    let sale = Sale { created, ..sale(&format!("sale{number}"), &tenant, credits, amount) };
    let credits = match scenario {
        Scenario::Purchase | Scenario::FailedRefund | Scenario::DisputeWon | Scenario::Async => credits,
        Scenario::PartialRefund => after_half_refund,
        Scenario::PendingRefund | Scenario::DisputeLost | Scenario::Declined => 0,
    };
    (Sold { tenant, credits }, scenario.events(&sale))
}

impl Outbox {
    /// An outbox without events.
    pub(crate) fn empty() -> Self {
        let random = Xoshiro256PlusPlus::seed_from_u64(0);
        let progress = Progress { random, waiting: Vec::new(), last: Vec::new(), tally: Vec::new() };
        Self { sales: Vec::new(), events: Vec::new(), progress: Mutex::new(progress) }
    }

    /// This many sales with random scenarios. Each event is delivered twice, in random order.
    pub(crate) fn new(sales: usize, random: &mut Xoshiro256PlusPlus) -> Self {
        let mut outbox = Self::empty();
        for number in 0..sales {
            outbox.add(*Scenario::ALL.choose(random).expect("there are scenarios"), number);
        }
        let progress = outbox.progress.get_mut().expect("not poisoned");
        progress.waiting.extend_from_within(..);
        progress.waiting.shuffle(random);
        progress.random = random.fork();
        outbox
    }

    /// Adds a sale whose events are delivered once.
    pub(crate) fn add(&mut self, scenario: Scenario, number: usize) {
        let progress = self.progress.get_mut().expect("not poisoned");
        let (sold, events) = sold(scenario, number);
        for event in events {
            progress.waiting.push(self.events.len());
            progress.tally.push(Tally::default());
            self.events.push(event);
        }
        self.sales.push(sold);
    }

    /// The body of an event.
    pub(crate) fn body(&self, position: usize) -> String {
        self.events[position].body.clone()
    }

    /// Ids and counts of all events.
    pub(crate) fn tally(&self) -> Vec<(&str, Tally)> {
        let ids = self.events.iter().map(|event| event.id.as_str());
        ids.zip(self.progress().tally.iter().copied()).collect()
    }

    /// The ids of events acknowledged since the last call.
    pub(crate) fn acknowledged_last(&self) -> Vec<&str> {
        let mut last = std::mem::take(&mut self.progress().last);
        last.sort_unstable();
        last.dedup();
        last.into_iter().map(|position| self.events[position].id.as_str()).collect()
    }

    /// Delivers the waiting events, then duplicates, until the service is killed.
    pub(crate) fn deliver_until_killed(&self, address: SocketAddr) {
        // Without a connection, the service is killed already.
        let Ok(mut connection) = Connection::open(address) else { return };
        while self.deliver_one(&mut connection, true).is_some() {}
    }

    /// Delivers the waiting events.
    pub(crate) fn deliver_the_rest(&self, address: SocketAddr) {
        let mut connection = Connection::open(address).expect("the service listens");
        while self.deliver_one(&mut connection, false).is_some() {}
        assert!(self.progress().waiting.is_empty(), "the service closed the connection");
    }

    /// Delivers one event. `None` if there is nothing to deliver, or no answer.
    fn deliver_one(&self, connection: &mut Connection, duplicates: bool) -> Option<()> {
        let position = {
            let progress = &mut *self.progress();
            let duplicate = duplicates.then(|| progress.random.random_range(0..self.events.len()));
            let position = progress.waiting.pop().or(duplicate)?;
            progress.tally[position].sent += 1;
            position
        };
        let answer = deliver(connection, &self.events[position].body, SECRET);
        let progress = &mut *self.progress();
        match &answer {
            Ok(answer) if answer.status == 200 => {
                progress.tally[position].acknowledged += 1;
                progress.last.push(position);
                return Some(());
            }
            Ok(answer) => assert_eq!(answer.status, 503, "unexpected status: {answer:?}"),
            Err(_) => {}
        }
        // The event is delivered again later, at a random place among the waiting ones.
        let place = progress.random.random_range(0..=progress.waiting.len());
        progress.waiting.insert(place, position);
        answer.ok().map(|_| ())
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().expect("not poisoned")
    }
}

impl fmt::Display for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.progress().tally;
        let sent: u64 = tally.iter().map(|event| event.sent).sum();
        let acknowledged: u64 = tally.iter().map(|event| event.acknowledged).sum();
        let events = tally.iter().filter(|event| event.acknowledged > 0).count() as u64;
        write!(
            f,
            "{sent} deliveries of {events} events of {} payments, {acknowledged} acknowledged, {} of them \
             duplicates, {} never answered",
            self.sales.len(),
            acknowledged - events,
            sent - acknowledged
        )
    }
}
