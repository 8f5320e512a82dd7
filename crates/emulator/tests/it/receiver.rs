//! A receiver on localhost with configurable responses, and an emulator that delivers to it. Every delivery
//! is verified and parsed when it arrives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::act::checkout::{self, PayOutcome};
use emulator::act::payment::Instrument;
use emulator::world::World;
use emulator::{Emulator, Options, Watcher};
use stripe::write::ApiVersion;
use stripe::{Envelope, Secret, signature};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::life::{SECRET, START, add_endpoint, new_session, payer};

/// The constant time of the machine's clock, in another year than the account's clock.
pub(crate) const WALL: i64 = 1_800_000_000;

/// The receiver's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A response with this status.
    Status(u16),
    /// A redirect to the receiver itself.
    Redirect,
    /// No response.
    Hang,
    /// The connection is closed.
    Close,
    /// Bytes that are not HTTP.
    Garbage,
    /// A 200 with a body of a gibibyte.
    Endless,
    /// A 200 whose body ends early.
    Short,
}

/// One delivery as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) id: String,
    pub(crate) type_name: String,
    pub(crate) header: String,
    pub(crate) body: String,
}

/// A server that listens until it is dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    answers: Arc<Mutex<Answer>>,
    /// How many bytes of an endless response were sent.
    pub(crate) written: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let answers = Arc::new(Mutex::new(Answer::Status(200)));
        let written = Arc::<AtomicUsize>::default();
        let (deliveries, answer, count, own) =
            (arrived.clone(), answers.clone(), written.clone(), url.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, deliveries.clone(), answer.clone(), count.clone(), own.clone()));
            }
        });
        Self { url, arrived, answers, written, task }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answers.lock().expect("no panic") = answer;
    }

    /// Waits until a delivery has arrived since the last `take`.
    pub(crate) async fn wait_for_delivery(&self) {
        while self.arrived.lock().expect("no panic").is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Everything that has arrived since the last `take`.
    pub(crate) fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.arrived.lock().expect("no panic"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    deliveries: Arc<Mutex<Vec<Arrived>>>,
    answers: Arc<Mutex<Answer>>,
    written: Arc<AtomicUsize>,
    own: String,
) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = field(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    if !head.starts_with("POST /hook ") {
        return;
    }
    let answer = {
        let arrived = read(&head, body);
        deliveries.lock().expect("no panic").push(arrived);
        *answers.lock().expect("no panic")
    };
    let plain = |status: u16, more: &str| {
        format!("HTTP/1.1 {status} Fine\r\n{more}content-length: 2\r\nconnection: close\r\n\r\nok")
    };
    let text = match answer {
        Answer::Status(status) => plain(status, ""),
        Answer::Redirect => plain(302, &format!("location: {own}\r\n")),
        Answer::Hang => return tokio::time::sleep(Duration::from_secs(60)).await,
        Answer::Close => return,
        Answer::Garbage => "\u{1}\u{2} lunch at noon\r\n\r\n".to_owned(),
        Answer::Endless => "HTTP/1.1 200 Fine\r\ncontent-length: 1073741824\r\n\r\n".to_owned(),
        Answer::Short => "HTTP/1.1 200 Fine\r\ncontent-length: 100\r\nconnection: close\r\n\r\nok".to_owned(),
    };
    let _ = stream.write_all(text.as_bytes()).await;
    if answer == Answer::Endless {
        let piece = vec![b'x'; 64 * 1024];
        while written.load(Ordering::Relaxed) < 1 << 30 && stream.write_all(&piece).await.is_ok() {
            written.fetch_add(piece.len(), Ordering::Relaxed);
        }
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Checks that an attempt looks like Stripe's and can be parsed.
fn read(head: &str, body: String) -> Arrived {
    assert_eq!(field(head, "content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(field(head, "user-agent"), Some("Stripe/1.0 (+https://stripe.com/docs/webhooks)"));
    let header = field(head, "stripe-signature").expect("a signature").to_owned();
    let envelope = Envelope::parse(body.as_bytes()).expect("an event");
    let (id, type_name) = (envelope.id().to_owned(), envelope.type_name().to_owned());
    let Envelope::Snapshot(event) = envelope else { panic!("a thin event") };
    event.object().expect("an object");
    Arrived { id, type_name, header, body }
}

impl Arrived {
    /// Whether it verifies with this secret at this time of the receiver's clock.
    pub(crate) fn verifies(&self, secret: &str, now: i64) -> bool {
        let secret = Secret::parse(secret).expect("a secret");
        signature::verify(self.body.as_bytes(), Some(self.header.as_bytes()), &[secret], now, 300).is_ok()
    }
}

/// A running emulator, and a receiver that it delivers to.
pub(crate) struct Rig {
    pub(crate) emulator: Emulator,
    pub(crate) receiver: Receiver,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// Options for an account whose clock is stopped, like the machine's clock.
pub(crate) fn options() -> Options {
    Options {
        url: "http://127.0.0.1:1".to_owned(),
        api_key: emulator::API_KEY.to_owned(),
        seed: 7,
        still_at_ms: Some(START * 1_000),
        file: None,
        attempt_timeout: Duration::from_millis(500),
        wall: Arc::new(|| WALL * 1_000),
        watcher: no_watcher(),
    }
}

pub(crate) fn no_watcher() -> Watcher {
    Arc::new(|_, _| {})
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let receiver = Receiver::start().await;
        let rig = Self::reopen(options, receiver);
        let url = rig.receiver.url.clone();
        rig.emulator.with(|world| add_endpoint(world, "we_1", &url, ApiVersion::Endive));
        rig
    }

    /// Opens the account in the file.
    pub(crate) fn reopen(options: Options, receiver: Receiver) -> Self {
        let emulator = Emulator::open(options).expect("an account");
        let (stop, stopped) = oneshot::channel();
        let runner = emulator.clone();
        let running = tokio::spawn(async move {
            runner.run(async { drop(stopped.await) }).await;
        });
        Self { emulator, receiver, stop: Some(stop), running }
    }

    /// Stops the emulator as its command does.
    pub(crate) async fn stop(mut self) -> Receiver {
        drop(self.stop.take());
        within(&mut self.running).await.expect("no panic");
        self.receiver
    }

    /// Advances the clock, within the time limit.
    pub(crate) async fn advance(&self, seconds: u32) -> u64 {
        within(self.emulator.advance(seconds)).await
    }

    /// Pays, and delivers the events that are due at once.
    pub(crate) async fn buy(&self, number: &str) {
        self.emulator.with(|world| buy(world, number));
        self.advance(0).await;
    }

    /// The types of the deliveries that have arrived since the last `take`.
    pub(crate) fn types(&self) -> Vec<String> {
        self.receiver.take().into_iter().map(|arrived| arrived.type_name).collect()
    }
}

/// Fails if the future takes longer than a minute.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("the future did not complete in time")
}

pub(crate) fn buy(world: &mut World, number: &str) -> String {
    let session = new_session(world, 2_500, "eur");
    let instrument = Instrument::of_number(number).expect("a test number");
    assert_ne!(checkout::pay(world, &session, &instrument, payer()), PayOutcome::NotOpen);
    session
}

/// Whether every arrival verifies with the test secret at the machine's time.
pub(crate) fn all_verify(arrived: &[Arrived]) -> bool {
    arrived.iter().all(|arrived| arrived.verifies(SECRET, WALL))
}
