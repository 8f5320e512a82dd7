//! A webhook endpoint on this machine: it stores requests and answers 204, or misbehaves on request. The
//! official libraries (`clients`) verify what it received.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Arrivals, Sender, channel};
use std::thread;
use std::time::Duration;

/// Maximum time to wait for a request, or for the rest of one.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The server. It listens until the test process ends.
pub struct Receiver {
    address: SocketAddr,
    arrivals: Arrivals<Request>,
}

/// Reaction to a request.
pub enum Reaction {
    /// Answers with this status line, such as `204 No Content`, and header fields.
    Answers(String),
    /// Answers 200 with an endless body.
    Floods,
    /// Never answers.
    Hangs,
}

type Reactions = Arc<dyn Fn(usize) -> Reaction + Send + Sync>;

/// A received request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Header fields; names are in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Receiver {
    /// Listens on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub fn start() -> Self {
        Self::with_reactions(|_| Reaction::Answers("204 No Content".to_owned()))
    }

    /// Like [`Receiver::start`], with a reaction for each request; the first request has number 0.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn with_reactions(reactions: impl Fn(usize) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, arrivals) = channel();
        let reactions: Reactions = Arc::new(reactions);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let (sender, reactions) = (sender.clone(), reactions.clone());
                thread::spawn(move || handle(stream, &sender, &reactions(number)));
            }
        });
        Self { address, arrivals }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/notices", self.address)
    }

    /// Waits for the next request.
    ///
    /// # Panics
    /// After half a minute without a request.
    pub fn next(&self) -> Request {
        self.arrivals.recv_timeout(TIMEOUT).expect("a notice arrives in time")
    }

    /// All requests that arrived and were not returned yet.
    pub fn rest(&self) -> Vec<Request> {
        self.arrivals.try_iter().collect()
    }
}

impl Request {
    /// The value of a header field.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.fields)).1
    }
}

/// Reads one request, stores it, and answers it.
fn handle(stream: TcpStream, sender: &Sender<Request>, reaction: &Reaction) {
    // An incomplete request does not count; the service tries again.
    let Some((request, mut stream)) = read(stream) else { return };
    if sender.send(request).is_err() {
        return;
    }
    // Errors mean that the service gave up on the answer.
    let _ = match reaction {
        Reaction::Answers(answer) => {
            stream.write_all(format!("HTTP/1.1 {answer}\r\nconnection: close\r\n\r\n").as_bytes())
        }
        Reaction::Floods => {
            let head = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n");
            head.and_then(|()| {
                loop {
                    stream.write_all(&[b'x'; 4096])?;
                }
            })
        }
        Reaction::Hangs => stream.read(&mut [0]).map(drop),
    };
}

fn read(stream: TcpStream) -> Option<(Request, TcpStream)> {
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut String::new()).ok()?;
    let mut fields = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = fields.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((Request { fields, body }, reader.into_inner()))
}
