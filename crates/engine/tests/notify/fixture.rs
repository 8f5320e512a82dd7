//! What the tests share: endpoints, notices that are due, and receivers that do as a test says.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use engine::notify::{NoticeResponse, SignedRequest};
use engine::{Clock, Notifier, Transport};
use ledger::{TenantId, Timestamp};
use rusqlite::Connection;
use store::{DeliveryRow, EndpointRow, Mode, PageRequest, SigningSecret, Store};
use stripe::retry::Schedule;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::NOW;

/// What a receiver does with a request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    Answers(u16),
    /// Never answers.
    Hangs,
    /// Answers 200 as often as somebody adds a permit.
    Waits(Arc<Semaphore>),
    Panics,
}

#[derive(Default)]
struct Seen {
    behaviours: HashMap<String, Behaviour>,
    /// `receiver:id`, in the order in which they were sent.
    sent: Vec<String>,
    /// Their signatures.
    signatures: Vec<String>,
    under_way: HashMap<String, usize>,
    most: HashMap<String, usize>,
}

pub(crate) struct Fixture {
    pub(crate) store: Store,
    seen: Arc<Mutex<Seen>>,
    hand: Arc<AtomicI64>,
    folder: PathBuf,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("faireplace-notify-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open_sqlite(&folder.join("test.db"), Mode::Test).unwrap();
        Self { store, seen: Arc::default(), hand: Arc::new(AtomicI64::new(NOW.0)), folder }
    }

    /// An endpoint of all tenants whose receiver behaves like this.
    pub(crate) async fn endpoint(&self, name: &str, behaviour: Behaviour) {
        let endpoint = EndpointRow::new(name.to_owned(), None, name.to_owned(), vec!["*".to_owned()], NOW);
        let secret = SigningSecret("whsec_AAAA".to_owned());
        assert!(self.store.create_endpoint(endpoint, secret, 1000).await.unwrap());
        self.behave(name, behaviour);
    }

    pub(crate) fn behave(&self, name: &str, behaviour: Behaviour) {
        self.seen.lock().unwrap().behaviours.insert(name.to_owned(), behaviour);
    }

    /// A notice of a tenant, due now at these endpoints.
    pub(crate) fn tell(&self, whose: u128, endpoints: &[&str]) {
        let raw = self.backdoor();
        let tenant = TenantId(Uuid::from_u128(whose)).0.into_bytes();
        raw.execute(
            "INSERT INTO notices (id, tenant, type, at, data) VALUES
                 (printf('msg_%012x', 1 + coalesce((SELECT max(seq) FROM notices), 0)), ?1, 'test', ?2, '{}')",
            (tenant, NOW.0),
        )
        .unwrap();
        let seq = raw.last_insert_rowid();
        for endpoint in endpoints {
            let sql = "INSERT INTO deliveries (endpoint, notice, tenant, due_at) VALUES (?1, ?2, ?3, ?4)";
            raw.execute(sql, (endpoint, seq, tenant, NOW.0)).unwrap();
        }
    }

    /// Has the store signal a change, as for a notice of its own.
    pub(crate) async fn signal(&self) {
        assert!(self.store.enable_endpoint("a".to_owned()).await.unwrap());
    }

    pub(crate) fn backdoor(&self) -> Connection {
        Connection::open(self.folder.join("test.db")).unwrap()
    }

    /// A loop as after a start of the service.
    pub(crate) fn notifier(&self) -> Notifier {
        self.notifier_with(1)
    }

    /// One that waits as long for an answer as the service does.
    pub(crate) fn patient_notifier(&self) -> Notifier {
        self.notifier_with(20)
    }

    fn notifier_with(&self, attempt_seconds: u32) -> Notifier {
        let seen = self.seen.clone();
        let transport = Transport::from_fn(move |request| receive(seen.clone(), request));
        let schedule = Schedule::new(vec![300, 1_800], attempt_seconds).unwrap();
        Notifier::new(self.store.clone(), transport, schedule, self.clock())
    }

    pub(crate) fn clock(&self) -> Clock {
        let hand = self.hand.clone();
        Clock::from_fn(move || Timestamp(hand.load(Ordering::Relaxed)))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.hand.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Steps until nothing is under way, and answers when the next delivery is due.
    pub(crate) async fn deliver(&self, notifier: &mut Notifier) -> Option<Timestamp> {
        loop {
            let next = notifier.step(self.clock().now()).await.unwrap();
            if notifier.is_idle() {
                return next;
            }
            notifier.lane_ended().await;
        }
    }

    /// What was sent so far.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.seen.lock().unwrap().sent.clone()
    }

    /// How many signatures each request had.
    pub(crate) fn signed(&self) -> Vec<usize> {
        let signatures = &self.seen.lock().unwrap().signatures;
        signatures.iter().map(|signature| signature.split(' ').count()).collect()
    }

    /// What was sent to one receiver so far.
    pub(crate) fn sent_to(&self, name: &str) -> Vec<String> {
        let of = |sent: String| sent.strip_prefix(&format!("{name}:")).map(str::to_owned);
        self.sent().into_iter().filter_map(of).collect()
    }

    /// The most requests that this receiver (or, without a name, all of them) ever had at a time.
    pub(crate) fn most(&self, name: &str) -> usize {
        self.seen.lock().unwrap().most.get(name).copied().unwrap_or_default()
    }

    pub(crate) async fn deliveries(&self, name: &str) -> Vec<DeliveryRow> {
        let page = PageRequest { number: 1, size: 1000, ascending: true };
        self.store.deliveries(name.to_owned(), None, page).await.unwrap().rows
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // What is left over is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn receive(seen: Arc<Mutex<Seen>>, request: SignedRequest) -> NoticeResponse {
    let lane_and_all = [request.url.clone(), String::new()];
    let behaviour = {
        let mut seen = seen.lock().unwrap();
        seen.sent.push(format!("{}:{}", request.url, request.id));
        seen.signatures.push(request.signature);
        for name in &lane_and_all {
            let under_way = seen.under_way.entry(name.clone()).or_default();
            *under_way += 1;
            let under_way = *under_way;
            let most = seen.most.entry(name.clone()).or_default();
            *most = under_way.max(*most);
        }
        seen.behaviours[&request.url].clone()
    };
    let status = match behaviour {
        Behaviour::Answers(status) => status,
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Waits(permits) => {
            permits.acquire().await.unwrap().forget();
            200
        }
        Behaviour::Panics => panic!("asked to"),
    };
    for name in &lane_and_all {
        *seen.lock().unwrap().under_way.get_mut(name).unwrap() -= 1;
    }
    NoticeResponse::Answered { status, retry_after_seconds: None }
}
