//! Hostile clients: thousands of real connections from many loopback addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// Number of loopback addresses that attackers use. Deliveries come from another one.
const ADDRESSES: usize = 64;
/// Interval between two bytes of a slow client.
const DRIP: Duration = Duration::from_secs(1);

/// What a client does, repeatedly.
#[derive(Clone, Copy)]
pub(crate) enum Client {
    /// Posts small bodies without a signature, as fast as they are answered.
    Unsigned,
    /// Posts this many bytes with a well-formed but wrong signature.
    Forged(usize),
    /// Connects and sends nothing.
    Silent,
    /// Sends a request head, one byte per second.
    SlowHead,
    /// Sends a body of this many bytes: all but the last thousand at once, then one byte per second.
    SlowBody(usize),
    /// Sends one request and keeps the connection open.
    Idle,
}

/// A running attack, stopped on drop.
pub(crate) struct Attack {
    stop: Arc<AtomicBool>,
    connected: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Attack {
    /// Attacks `target` with these numbers of clients.
    pub(crate) fn start(target: SocketAddr, clients: &[(Client, usize)]) -> Self {
        let (stop, connected) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted, clients) = (stop.clone(), connected.clone(), clients.to_vec());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(async move {
                for (client, count) in clients {
                    for number in 0..count {
                        let from = Ipv4Addr::new(127, 6, 6, u8::try_from(number % ADDRESSES).expect("few"));
                        tokio::spawn(attack(client, target, from, counted.clone()));
                    }
                }
                while !stopped.load(Relaxed) {
                    sleep(Duration::from_millis(50)).await;
                }
            });
        });
        Self { stop, connected, thread: Some(thread) }
    }

    /// Number of connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connected.load(Relaxed)
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the attacker does not fail the test.
            let _ = thread.join();
        }
    }
}

async fn attack(client: Client, target: SocketAddr, from: Ipv4Addr, connected: Arc<AtomicU64>) {
    loop {
        if let Ok(Ok(stream)) = timeout(Duration::from_secs(10), connect(from, target)).await {
            connected.fetch_add(1, Relaxed);
            // Errors are expected: the service closes connections.
            let _ = run(client, stream).await;
        }
        // Leaves the thread time for the other clients.
        sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(from: Ipv4Addr, target: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    socket.connect(target).await
}

async fn run(client: Client, mut stream: TcpStream) -> std::io::Result<()> {
    let forged = format!("t={},v1={}", e2e::now(), "5e".repeat(32));
    let post = |length: usize, signature: &str| {
        format!("POST /webhooks/stripe HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{signature}\r\n")
    };
    let signature = format!("stripe-signature: {forged}\r\n");
    match client {
        Client::Unsigned => loop {
            stream.write_all(format!("{}{{}}", post(2, "")).as_bytes()).await?;
            if stream.read(&mut [0; 2048]).await? == 0 {
                return Ok(());
            }
        },
        Client::Forged(length) => {
            stream.write_all(post(length, &signature).as_bytes()).await?;
            let chunk = vec![b' '; 64 * 1024];
            for _ in 0..length / chunk.len() {
                stream.write_all(&chunk).await?;
            }
            stream.read(&mut [0; 2048]).await.map(drop)
        }
        Client::Silent => stream.read(&mut [0; 1]).await.map(drop),
        Client::SlowHead => drip(&mut stream, "POST /webhooks/stripe HTTP/1.1\r\nx: ", "x").await,
        Client::SlowBody(length) => {
            let start = format!("{}{}", post(length, &signature), " ".repeat(length - 1000));
            drip(&mut stream, &start, " ").await
        }
        Client::Idle => {
            stream.write_all(b"GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n").await?;
            while stream.read(&mut [0; 2048]).await? > 0 {}
            Ok(())
        }
    }
}

async fn drip(stream: &mut TcpStream, start: &str, more: &str) -> std::io::Result<()> {
    stream.write_all(start.as_bytes()).await?;
    loop {
        sleep(DRIP).await;
        stream.write_all(more.as_bytes()).await?;
    }
}
