//! Clients that want to keep others out: thousands of real connections, from loopback addresses of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// Loopback addresses that attackers come from: none of them is the one of whoever delivers.
const ADDRESSES: usize = 64;
/// Between two signs of life of a slow client.
const DRIP: Duration = Duration::from_secs(1);

/// What one client does, over and over again.
#[derive(Clone, Copy)]
pub(crate) enum Client {
    /// Posts small bodies without a signature, as fast as they are answered.
    Unsigned,
    /// Posts so many bytes with a signature that is well formed and wrong.
    Forged(usize),
    /// Connects and says nothing.
    Silent,
    /// Sends a head, one byte a second.
    SlowHead,
    /// Sends a body of so many bytes: all but the last thousand at once, then one byte a second.
    SlowBody(usize),
    /// Asks once, and keeps the connection.
    Idle,
}

/// A running attack; it ends when this is dropped.
pub(crate) struct Attack {
    stop: Arc<AtomicBool>,
    connected: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Attack {
    /// Has so many clients of each kind attack `target`.
    pub(crate) fn start(target: SocketAddr, clients: &[(Client, usize)]) -> Self {
        let (stop, connected) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted, clients) = (stop.clone(), connected.clone(), clients.to_vec());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("an attacker needs little").block_on(async move {
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

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connected.load(Relaxed)
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // It ends by itself, or has panicked, which is its own business.
            let _ = thread.join();
        }
    }
}

async fn attack(client: Client, target: SocketAddr, from: Ipv4Addr, connected: Arc<AtomicU64>) {
    loop {
        if let Ok(Ok(stream)) = timeout(Duration::from_secs(10), connect(from, target)).await {
            connected.fetch_add(1, Relaxed);
            // However it ends, it begins again.
            let _ = play(client, stream).await;
        }
        // Not so fast that this thread does nothing else.
        sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(from: Ipv4Addr, target: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    socket.connect(target).await
}

async fn play(client: Client, mut stream: TcpStream) -> std::io::Result<()> {
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
            let piece = vec![b' '; 64 * 1024];
            for _ in 0..length / piece.len() {
                stream.write_all(&piece).await?;
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
