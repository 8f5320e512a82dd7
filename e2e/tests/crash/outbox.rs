//! Stripe's side: what it has to deliver, and what was acknowledged. It tells every story to its end, in any
//! order, twice or more, and again whatever was not answered with 2xx.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Mutex;

use e2e::deployment::SECRET;
use e2e::http::Connection;
use e2e::random::Random;
use e2e::service::deliver;
use stripe::story::Story;
use stripe::write::{ApiVersion, Purchase, WrittenEvent};

const TENANTS: usize = 25;
const DAY: i64 = 86_400;
/// Credits and the price in minor units; some of them do not divide evenly.
const PACKAGES: [(u32, i64); 4] = [(10, 25_000), (1, 2_999), (7, 14_001), (50, 100_000)];

/// What Stripe has to deliver.
pub(crate) struct Outbox {
    pub(crate) sales: Vec<(Story, Purchase)>,
    events: Vec<WrittenEvent>,
    progress: Mutex<Progress>,
}

struct Progress {
    random: Random,
    /// Deliveries still to be made, by the event's position, the next one last.
    waiting: Vec<usize>,
    /// What was acknowledged since somebody looked.
    last: Vec<usize>,
    /// For each event: how often it was sent, and how often acknowledged.
    tally: Vec<Tally>,
}

/// What happened to one event.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
}

/// One purchase; its number decides everything about it.
pub(crate) fn purchase(number: usize) -> Purchase {
    let (credits, amount_total) = PACKAGES[number / TENANTS % PACKAGES.len()];
    Purchase {
        reference: format!("sale{number}"),
        tenant_id: format!("00000000-0000-4000-8000-{:012}", number % TENANTS),
        package: format!("{credits}_credits"),
        credits,
        amount_total,
        currency: "eur".to_owned(),
        // Stories go on for three weeks, and no event comes from the future.
        created: e2e::now() - 40 * DAY,
        livemode: false,
        api_version: ApiVersion::default(),
    }
}

impl Outbox {
    /// Nothing to deliver.
    pub(crate) fn empty() -> Self {
        let progress =
            Progress { random: Random(0), waiting: Vec::new(), last: Vec::new(), tally: Vec::new() };
        Self { sales: Vec::new(), events: Vec::new(), progress: Mutex::new(progress) }
    }

    /// So many sales of every story, each event to be delivered twice, in any order.
    pub(crate) fn new(sales: usize, random: &mut Random) -> Self {
        let mut outbox = Self::empty();
        for number in 0..sales {
            outbox.add(Story::ALL[random.below(Story::ALL.len())], purchase(number));
        }
        let progress = outbox.progress.get_mut().expect("nobody had it yet");
        progress.waiting.extend_from_within(..);
        random.shuffle(&mut progress.waiting);
        progress.random = Random(random.bits());
        outbox
    }

    /// One more sale, to be told once.
    pub(crate) fn add(&mut self, story: Story, purchase: Purchase) {
        let progress = self.progress.get_mut().expect("no deliverer panicked");
        for event in story.events(&purchase) {
            progress.waiting.push(self.events.len());
            progress.tally.push(Tally::default());
            self.events.push(event);
        }
        self.sales.push((story, purchase));
    }

    /// The bytes of an event.
    pub(crate) fn body(&self, position: usize) -> String {
        self.events[position].body.clone()
    }

    /// Every event, and what happened to it.
    pub(crate) fn tally(&self) -> Vec<(&str, Tally)> {
        let ids = self.events.iter().map(|event| event.id.as_str());
        ids.zip(self.progress().tally.iter().copied()).collect()
    }

    /// The ids that were acknowledged since this was last asked.
    pub(crate) fn acknowledged_last(&self) -> Vec<&str> {
        let mut last = std::mem::take(&mut self.progress().last);
        last.sort_unstable();
        last.dedup();
        last.into_iter().map(|position| self.events[position].id.as_str()).collect()
    }

    /// Delivers what waits, and duplicates when nothing does, until the service is gone.
    pub(crate) fn deliver_until_killed(&self, address: SocketAddr) {
        // No connection means that it is gone already.
        let Ok(mut connection) = Connection::open(address) else { return };
        while self.deliver_one(&mut connection, true).is_some() {}
    }

    /// Delivers what waits.
    pub(crate) fn deliver_the_rest(&self, address: SocketAddr) {
        let mut connection = Connection::open(address).expect("the service listens");
        while self.deliver_one(&mut connection, false).is_some() {}
        assert!(self.progress().waiting.is_empty(), "the service hung up");
    }

    /// One delivery. None when there is nothing to deliver, or no answer came.
    fn deliver_one(&self, connection: &mut Connection, duplicates: bool) -> Option<()> {
        let position = {
            let progress = &mut *self.progress();
            let duplicate = duplicates.then(|| progress.random.below(self.events.len()));
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
            Ok(answer) => assert_eq!(answer.status, 503, "only a service in trouble may refuse: {answer:?}"),
            Err(_) => {}
        }
        // Stripe tries again later: some time before the end of what waits.
        let place = progress.random.below(progress.waiting.len() + 1);
        progress.waiting.insert(place, position);
        answer.ok().map(|_| ())
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().expect("no deliverer panicked")
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
