//! The accept loop against slow, silent, greedy and malformed clients, as raw bytes over loopback.
//!
//! Each row sets only the limit under test. All other limits are a minute, and a connection must end within
//! five seconds, so a limit that does not work fails its own row, however fast the machine is.

use std::{
    convert::Infallible,
    future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Extension,
    routing::{get, post},
};
use engine::Clock;
use hyper::body::Frame;
use ledger::Timestamp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{Interval, interval, sleep, timeout},
};
use uuid::Uuid;
use web::{
    limits::Limits,
    server::{ClientAddress, Drained, TrustedProxies, envelope, headers, refused, serve},
};

const PATIENCE: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(200);
/// More bytes than a socket buffer holds.
const BIG: usize = 64 * 1024 * 1024;

/// Limits that no test reaches.
fn lenient() -> Limits {
    let long = Duration::from_secs(60);
    Limits {
        first_byte: long,
        head: long,
        keep_alive: long,
        body: long,
        write: long,
        drain: long,
        ..Limits::default()
    }
}

fn router(limits: Limits) -> Router {
    let router = Router::new()
        .route("/", get(async || "hello").post(async |body: Bytes| body.len().to_string()))
        .route("/unread", post(async || "did not look"))
        .route("/peer", get(async |Extension(client): Extension<ClientAddress>| client.0.to_string()))
        .route("/big", get(async || vec![b'x'; BIG]))
        .route(
            "/flood",
            get(async || Body::new(Chunks::of("x".repeat(BIG / 64), 64, Duration::from_millis(1)))),
        )
        .route("/quiet", get(async || Body::new(Chunks::of(": still here\n\n".into(), 4, SHORT * 2))))
        .route("/slow", get(async || sleep(SHORT * 2).await))
        .route("/stuck", get(async || future::pending::<()>().await))
        .route("/panic", get(async || -> () { panic!("on purpose") }))
        .route("/own-policy", get(async || [("content-security-policy", "default-src 'self'")]));
    let router = refused::refuse(router, &limits);
    let router = envelope::envelope(router, Clock::from_fn(|| Timestamp(0)));
    headers::stamp(router, || Uuid::from_u128(7))
}

/// A streamed body: equal chunks at an interval.
struct Chunks {
    chunk: Bytes,
    left: usize,
    between: Interval,
}

impl Chunks {
    fn of(chunk: String, left: usize, between: Duration) -> Self {
        Self { chunk: chunk.into(), left, between: interval(between) }
    }
}

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.between.poll_tick(context));
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))))
    }
}

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::behind(TrustedProxies::loopback(), limits).await
    }

    async fn behind(proxies: TrustedProxies, limits: Limits) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(serve(listener, router(limits), limits, proxies, async {
            let _ = stopped.await;
        }));
        Self { address, stop, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.ended).await.expect("the server does not stop").unwrap()
    }
}

async fn send(stream: &mut TcpStream, text: &str) {
    // The server may have closed already; the caller checks the response.
    let _ = stream.write_all(text.as_bytes()).await;
}

/// Everything that the server sends until it closes, which it must do within `PATIENCE`.
async fn read_to_end(name: &str, stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    let closed = timeout(PATIENCE, stream.read_to_end(&mut received)).await;
    let received = String::from_utf8_lossy(&received).into_owned();
    // A reset counts as closed: closing a socket with unread bytes causes one.
    assert!(closed.is_ok(), "{name}: still open after {PATIENCE:?}, received {received:?}");
    received
}

/// Reads up to and including `end`, and leaves the connection open.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut received = Vec::new();
    while !received.ends_with(end.as_bytes()) {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        let Ok(Ok(byte)) = byte else { panic!("no {end:?} in {:?}", String::from_utf8_lossy(&received)) };
        received.push(byte);
    }
    String::from_utf8(received).unwrap()
}

fn statuses(received: &str) -> Vec<&str> {
    received.match_indices("HTTP/1.1 ").map(|(at, _)| &received[at + 9..at + 12]).collect()
}

/// One step of a client's script.
enum Step {
    Send(&'static str),
    /// Sends the text byte by byte, every 50 ms, over and over.
    Drip(&'static str),
    Wait,
}

use Step::{Drip, Send, Wait};

/// Runs the steps, then expects exactly these response statuses and a closed connection.
async fn check(name: &str, limits: Limits, steps: &[Step], expected: &[&str]) {
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    for step in steps {
        match step {
            Send(text) => send(&mut stream, text).await,
            Wait => sleep(SHORT * 2).await,
            Drip(text) => {
                for byte in text.bytes().cycle().take(100) {
                    sleep(SHORT / 4).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
    let received = read_to_end(name, &mut stream).await;
    assert_eq!(statuses(&received), expected, "{name}: {received}");
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_client_that_stalls_is_disconnected() {
    let first_byte = Limits { first_byte: SHORT, ..lenient() };
    let head = Limits { head: SHORT, ..lenient() };
    let keep_alive = Limits { keep_alive: SHORT, ..lenient() };
    let body = Limits { body: SHORT, ..lenient() };
    for (name, limits, steps, expected) in [
        ("silent", first_byte, &[][..], &[][..]),
        ("half a head", head, &[Send("GET / HTTP/1.1\r\nhos")], &[]),
        ("a head byte by byte", head, &[Drip("GET / HTTP/1.1\r\nhost: aaaaaaaaaaaaaaaaa")], &[]),
        ("empty lines without end", head, &[Drip("\r\n")], &[]),
        ("idle after an answer", keep_alive, &[Send(GET)], &["200"]),
        ("half a second head", keep_alive, &[Send(GET), Wait, Send("GET ")], &["200"]),
        ("half a pipelined head", keep_alive, &[Send(GET), Send("GET / HT")], &["200"]),
        (
            "half a body",
            body,
            &[Send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc")],
            &["408"],
        ),
        ("no body", body, &[Send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n")], &["408"]),
        (
            "a body byte by byte",
            body,
            &[Send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 999\r\n\r\n"), Drip("a")],
            &["408"],
        ),
        (
            "half a chunk",
            body,
            &[Send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab")],
            &["408"],
        ),
        (
            "half a body that the handler does not read",
            keep_alive,
            &[Send("POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc")],
            &["200"],
        ),
    ] {
        check(name, limits, steps, expected).await;
    }
}

#[tokio::test]
async fn each_timeout_covers_only_its_own_wait() {
    let head = Limits { head: SHORT, ..lenient() };
    let first_byte = Limits { first_byte: SHORT, ..lenient() };
    let keep_alive = Limits { keep_alive: SHORT, ..lenient() };
    for (name, limits, steps) in [
        ("silence is not a slow head", head, &[Wait, Send(GET), Send(LAST)][..]),
        ("keeping alive is not a slow head", head, &[Send(GET), Wait, Wait, Send(LAST)]),
        ("a slow first head is not silence", first_byte, &[Send("GET"), Wait, Send(&GET[3..]), Send(LAST)]),
        ("a late first request is not idle", keep_alive, &[Wait, Send(GET), Send(LAST)]),
        (
            "a slow answer is not idle",
            keep_alive,
            &[Send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n"), Send(LAST)],
        ),
    ] {
        check(name, limits, steps, &["200", "200"]).await;
    }
}

#[tokio::test]
async fn a_framing_error_never_smuggles_a_second_request() {
    let smuggled = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nhost: a\r\n";
    let long = "x".repeat(20 * 1024);
    let short = Limits { keep_alive: SHORT, ..lenient() };
    for (name, request, expected) in [
        ("two requests at once", format!("{GET}{LAST}"), &["200", "200"][..]),
        ("a body with its head", format!("{post}content-length: 3\r\n\r\nabc{LAST}"), &["200", "200"]),
        (
            "length, then chunked",
            format!("{post}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
            &["200"],
        ),
        (
            "chunked, then length",
            format!("{post}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{smuggled}"),
            &["200"],
        ),
        (
            "chunked is not the last coding",
            format!("{post}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n{smuggled}"),
            &["400"],
        ),
        (
            "two lengths",
            format!("{post}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd{smuggled}"),
            &["400"],
        ),
        ("a signed length", format!("{post}content-length: +3\r\n\r\nabc{smuggled}"), &["400"]),
        ("a folded field", format!("GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n{smuggled}"), &["400"]),
        ("HTTP/2", format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{smuggled}"), &[]),
        ("not HTTP", format!("\x16\x03\x01\x02{smuggled}"), &["400"]),
        ("a long field", format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n"), &["431"]),
        ("fields without end", format!("GET / HTTP/1.1\r\nx: {long}"), &["431"]),
        ("65 fields", format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65)), &["431"]),
        ("64 fields", format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(64)), &["200"]),
        ("a long target", format!("GET /?{} HTTP/1.1\r\n\r\n", &long[..2048]), &["414"]),
        ("a target of 2 KiB", format!("GET /?{} HTTP/1.1\r\n\r\n", &long[..2046]), &["200"]),
        ("a panic in the handler", format!("GET /panic HTTP/1.1\r\n\r\n{smuggled}"), &[]),
    ] {
        let server = Server::start(short).await;
        let mut stream = server.connect().await;
        send(&mut stream, &request).await;
        let received = read_to_end(name, &mut stream).await;
        assert_eq!(statuses(&received), expected, "{name}: {received}");
        let mut next = server.connect().await;
        send(&mut next, LAST).await;
        assert_eq!(
            statuses(&read_to_end(name, &mut next).await),
            ["200"],
            "{name}: the server did not survive"
        );
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_is_disconnected_and_a_slow_one_is_not() {
    let server = Server::start(Limits { write: Duration::from_secs(1), ..lenient() }).await;
    let request = "GET /big HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let mut stalled = server.connect().await;
    send(&mut stalled, request).await;
    let mut slow = server.connect().await;
    send(&mut slow, request).await;
    let mut taken = 0;
    let mut chunk = vec![0; 1024 * 1024];
    while taken < BIG {
        sleep(Duration::from_millis(40)).await;
        let read = timeout(PATIENCE, slow.read(&mut chunk)).await.expect("the server stalls").unwrap();
        assert!(read > 0, "disconnected after {taken} of {BIG} bytes");
        taken += read;
    }
    let received = read_to_end("stalled", &mut stalled).await;
    assert!(received.len() < BIG, "received the whole response after stalling");
}

#[tokio::test]
async fn a_quiet_stream_stays_open_and_an_unread_one_is_closed() {
    let server = Server::start(Limits { write: SHORT, ..lenient() }).await;
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let mut stalled = server.connect().await;
    send(&mut stalled, &request("/flood")).await;
    let mut quiet = server.connect().await;
    send(&mut quiet, &request("/quiet")).await;
    let received = read_to_end("quiet", &mut quiet).await;
    assert_eq!(received.matches(": still here").count(), 4, "closed between two heartbeats: {received}");
    let received = read_to_end("stalled", &mut stalled).await;
    assert!(received.len() < BIG, "received the whole stream after stalling");
}

#[tokio::test]
async fn slow_clients_do_not_block_others() {
    let server = Server::start(lenient()).await;
    let mut slow = Vec::new();
    for started in
        ["", "GET / HT", "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc", GET].iter().cycle().take(200)
    {
        let mut stream = server.connect().await;
        send(&mut stream, started).await;
        slow.push(stream);
    }
    let mut stream = server.connect().await;
    send(&mut stream, LAST).await;
    assert_eq!(statuses(&read_to_end("the client", &mut stream).await), ["200"]);
}

#[tokio::test]
async fn a_new_connection_waits_while_all_others_have_pending_responses() {
    let server = Server::start(Limits { connections: 2, stay: Duration::ZERO, ..lenient() }).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        send(&mut stream, "GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await;
        busy.push(stream);
        sleep(SHORT).await;
    }
    let mut waiting = server.connect().await;
    send(&mut waiting, LAST).await;
    let early = timeout(SHORT, waiting.read_u8()).await;
    assert!(early.is_err(), "a third connection was answered: {early:?}");
    busy.pop();
    assert_eq!(statuses(&read_to_end("waiting", &mut waiting).await), ["200"]);
}

const HALF_A_BODY: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc";

/// At the limit, a connection without a complete request is closed: idle ones first, then the one that has
/// stalled the longest. A connection with a pending response is never closed.
#[tokio::test]
async fn at_the_limit_a_new_connection_replaces_the_longest_stalled_one() {
    let server = Server::start(Limits { connections: 4, stay: Duration::ZERO, ..lenient() }).await;
    let mut streams = Vec::new();
    for started in
        ["GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", HALF_A_BODY, "GET / HT", GET]
    {
        let mut stream = server.connect().await;
        send(&mut stream, started).await;
        sleep(SHORT / 8).await;
        streams.push(stream);
    }
    let [mut busy, mut body, mut head, mut idle] = <[TcpStream; 4]>::try_from(streams).unwrap();
    read_until(&mut idle, "hello").await;
    let mut newcomers = Vec::new();
    for (name, closes) in [("idle", &mut idle), ("half a body", &mut body), ("half a head", &mut head)] {
        let mut silent = server.connect().await;
        assert_eq!(read_to_end(name, closes).await, "", "{name}");
        // An idle newcomer would be the next one to be closed.
        send(&mut silent, HALF_A_BODY).await;
        sleep(SHORT / 8).await;
        newcomers.push(silent);
    }
    assert_eq!(statuses(&read_to_end("busy", &mut busy).await), ["200"], "a pending response is still sent");
}

/// The connections that have waited are closed while newer ones are still within their minimum stay.
#[tokio::test]
async fn silent_connections_do_not_block_later_ones() {
    let server = Server::start(Limits { connections: 64, stay: SHORT, ..lenient() }).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        let mut slow = server.connect().await;
        send(&mut slow, "GET / HT").await;
        open.push(slow);
    }
    sleep(SHORT * 2).await;
    // If each had to wait out its `stay`, they would take longer than `PATIENCE`.
    for _ in 0..40 {
        open.push(server.connect().await);
    }
    let mut next = server.connect().await;
    send(&mut next, LAST).await;
    assert_eq!(statuses(&read_to_end("the next client", &mut next).await), ["200"]);
}

#[tokio::test]
async fn a_connection_that_becomes_idle_makes_room_for_a_waiting_one() {
    let server = Server::start(Limits { connections: 1, stay: Duration::ZERO, ..lenient() }).await;
    let mut busy = server.connect().await;
    send(&mut busy, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    sleep(SHORT).await;
    let mut waiting = server.connect().await;
    send(&mut waiting, LAST).await;
    assert_eq!(statuses(&read_to_end("waiting", &mut waiting).await), ["200"]);
    assert_eq!(
        statuses(&read_to_end("busy", &mut busy).await),
        ["200"],
        "it was answered before it was closed"
    );
}

#[tokio::test]
async fn a_large_body_that_stalls_loses_its_slot() {
    let limits = Limits { small_body_bytes: 10, large_bodies: 1, stay: SHORT, ..lenient() };
    let server = Server::start(limits).await;
    let post = |length: &str| format!("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{length}\r\n\r\n");
    let whole = format!("{}{}", post("content-length: 100"), "x".repeat(100));
    let mut slow = server.connect().await;
    send(&mut slow, &format!("{}{}", post("content-length: 100"), "x".repeat(50))).await;
    sleep(SHORT / 4).await;
    for (name, request, expected) in [
        ("as large, too early", whole.as_str(), "503"),
        ("of unknown length", &format!("{}0\r\n\r\n", post("transfer-encoding: chunked")), "503"),
        ("small", &format!("{}{}", post("content-length: 10"), "x".repeat(10)), "200"),
    ] {
        let mut stream = server.connect().await;
        send(&mut stream, request).await;
        assert_eq!(statuses(&read_to_end(name, &mut stream).await), [expected], "{name}");
    }
    let mut larger = server.connect().await;
    sleep(SHORT * 2).await;
    for _ in 0..2 {
        let mut large = server.connect().await;
        send(&mut large, &whole).await;
        assert!(read_to_end("large", &mut large).await.ends_with("100"), "the slot was not reused");
    }
    assert_eq!(read_to_end("slow", &mut slow).await, "");
    send(&mut larger, &format!("{}{}", post("content-length: 101"), "x".repeat(50))).await;
    sleep(SHORT / 4).await;
    let mut large = server.connect().await;
    send(&mut large, &whole).await;
    assert!(read_to_end("the smaller one", &mut large).await.ends_with("100"));
    assert_eq!(read_to_end("the larger one", &mut larger).await, "");
}

#[tokio::test]
async fn every_connection_has_a_minimum_stay_to_send_its_request() {
    let server = Server::start(Limits { connections: 1, stay: SHORT * 2, ..lenient() }).await;
    let mut first = server.connect().await;
    sleep(SHORT / 4).await;
    let mut second = server.connect().await;
    send(&mut second, LAST).await;
    sleep(SHORT / 4).await;
    send(&mut first, LAST).await;
    assert_eq!(
        statuses(&read_to_end("first", &mut first).await),
        ["200"],
        "closed before its minimum stay was over"
    );
    assert_eq!(statuses(&read_to_end("second", &mut second).await), ["200"]);
}

#[tokio::test]
async fn connections_per_address_are_limited_unless_it_is_a_trusted_proxy() {
    let limits = Limits { connections_per_address: 2, stay: SHORT, ..lenient() };
    let server = Server::behind(TrustedProxies::parse("none").unwrap(), limits).await;
    let (mut oldest, _other) = (server.connect().await, server.connect().await);
    let mut early = server.connect().await;
    assert_eq!(
        read_to_end("a third, at once", &mut early).await,
        "",
        "no connection has waited long enough to be closed"
    );
    sleep(SHORT * 2).await;
    let mut late = server.connect().await;
    assert_eq!(read_to_end("the oldest", &mut oldest).await, "");
    send(&mut late, LAST).await;
    assert_eq!(statuses(&read_to_end("a third, later", &mut late).await), ["200"]);
    let trusting = Server::start(limits).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(trusting.connect().await);
    }
    for stream in &mut streams {
        send(stream, LAST).await;
        assert_eq!(statuses(&read_to_end("behind a proxy", stream).await), ["200"]);
    }
}

#[tokio::test]
async fn concurrent_requests_per_client_behind_a_proxy_are_limited() {
    let server = Server::start(Limits { requests_per_client: 1, ..lenient() }).await;
    let request = |path: &str, client: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-forwarded-for: {client}\r\n\r\n")
    };
    let mut stuck = server.connect().await;
    send(&mut stuck, &request("/stuck", "203.0.113.7")).await;
    sleep(SHORT / 2).await;
    for (client, expected) in [
        ("203.0.113.7", "503"),
        // The client's own values stand before the one that the proxy adds.
        ("198.51.100.1, 203.0.113.7", "503"),
        ("203.0.113.8", "200"),
    ] {
        let mut stream = server.connect().await;
        send(&mut stream, &request("/", client)).await;
        assert_eq!(statuses(&read_to_end(client, &mut stream).await), [expected], "{client}");
    }
    let mut own = server.connect().await;
    send(&mut own, LAST).await;
    assert_eq!(statuses(&read_to_end("the proxy itself", &mut own).await), ["200"]);
}

/// When the memory for request bodies is used up, the body that has been arriving the longest is dropped.
#[tokio::test]
async fn the_memory_of_bodies_is_bounded() {
    let limits = Limits { body_bytes: 10_000, ..lenient() };
    let server = Server::start(limits).await;
    let post = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n")
    };
    let mut slow = server.connect().await;
    send(&mut slow, &format!("{}{}", post("/", 9_000), "x".repeat(6_000))).await;
    sleep(SHORT / 4).await;
    let mut prompt = server.connect().await;
    send(&mut prompt, &format!("{}{}", post("/", 6_000), "x".repeat(6_000))).await;
    assert!(read_to_end("prompt", &mut prompt).await.ends_with("6000"));
    assert_eq!(read_to_end("slow", &mut slow).await, "");
    let mut greedy = server.connect().await;
    send(&mut greedy, &format!("{}{}", post("/", 20_000), "x".repeat(20_000))).await;
    assert_eq!(statuses(&read_to_end("greedy", &mut greedy).await), ["503"]);
    let mut next = server.connect().await;
    send(&mut next, &format!("{}{}", post("/", 9_999), "x".repeat(9_999))).await;
    assert!(read_to_end("next", &mut next).await.ends_with("9999"), "the memory was not released");
}

#[tokio::test]
async fn draining_finishes_pending_requests_and_closes_the_rest() {
    let server = Server::start(lenient()).await;
    let _silent = server.connect().await;
    let mut idle = server.connect().await;
    send(&mut idle, GET).await;
    read_until(&mut idle, "hello").await;
    let mut busy = server.connect().await;
    send(&mut busy, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    sleep(SHORT).await;
    let address = server.address;
    assert_eq!(server.stop().await, Drained { cut: 0 });
    assert_eq!(statuses(&read_to_end("busy", &mut busy).await), ["200"]);
    assert_eq!(read_to_end("idle", &mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err(), "still accepts");
}

#[tokio::test]
async fn the_drain_has_a_deadline() {
    let server = Server::start(Limits { drain: SHORT, ..lenient() }).await;
    let mut stuck = server.connect().await;
    send(&mut stuck, "GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut half = server.connect().await;
    send(&mut half, "GET /").await;
    sleep(SHORT).await;
    assert_eq!(server.stop().await, Drained { cut: 2 });
    assert_eq!(read_to_end("stuck", &mut stuck).await, "");
}

#[tokio::test]
async fn every_response_carries_the_standard_headers() {
    let server = Server::start(Limits { body: SHORT, ..lenient() }).await;
    let policy = "content-security-policy: default-src 'none'; frame-ancestors 'none'";
    let id = "x-request-id: 00000000-0000-0000-0000-000000000007";
    let long = format!("GET /{}", "x".repeat(2048));
    for (request, status, expected) in [
        ("GET /", "200", &[policy, id][..]),
        ("GET /nowhere", "404", &[policy, id]),
        ("GET /unread", "405", &[policy, id]),
        ("GET /own-policy", "200", &["content-security-policy: default-src 'self'", id]),
        ("POST /", "408", &[policy, id]),
        (&long, "414", &[policy, id]),
    ] {
        let length = if request.starts_with("POST") { 9 } else { 0 };
        let mut stream = server.connect().await;
        let fields = format!("content-length: {length}\r\nconnection: close\r\nx-request-id: mine");
        send(&mut stream, &format!("{request} HTTP/1.1\r\n{fields}\r\n\r\n")).await;
        let received = read_to_end(request, &mut stream).await;
        assert_eq!(statuses(&received), [status], "{request}: {received}");
        for (of, kind) in [("408", "REQUEST_TIMEOUT"), ("414", "URI_TOO_LONG")] {
            assert!(status != of || received.contains(kind), "{received}");
        }
        let always =
            ["x-content-type-options: nosniff", "cache-control: no-store", "referrer-policy: no-referrer"];
        for line in always.iter().chain(expected) {
            assert_eq!(
                received.matches(&format!("{line}\r\n")).count(),
                1,
                "{request}: {line} in {received}"
            );
        }
    }
}

#[tokio::test]
async fn a_handler_sees_the_client_address() {
    let none = TrustedProxies::parse("none").unwrap();
    for (proxies, forwarded, expected) in [
        (TrustedProxies::loopback(), "", "127.0.0.1"),
        (TrustedProxies::loopback(), "x-forwarded-for: 203.0.113.7\r\n", "203.0.113.7"),
        (none, "x-forwarded-for: 203.0.113.7\r\n", "127.0.0.1"),
    ] {
        let server = Server::behind(proxies, lenient()).await;
        let mut stream = server.connect().await;
        send(&mut stream, &format!("GET /peer HTTP/1.1\r\n{forwarded}connection: close\r\n\r\n")).await;
        assert!(read_to_end("the client", &mut stream).await.ends_with(expected), "{forwarded}");
    }
}
