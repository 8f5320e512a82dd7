//! Somebody who is told: a server on this machine that keeps what came, and answers 204 until told otherwise.
//!
//! Not here: whether it is true. The official libraries judge that.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Arrivals, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long to wait for a notice, or for the rest of one.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server. It listens until the test's process ends.
pub struct Receiver {
    address: SocketAddr,
    arrivals: Arrivals<Request>,
}

/// What a receiver does with a request.
pub enum Manner {
    /// Answers this, which begins with the status.
    Answers(String),
    /// Answers 200 and then bytes, until nobody takes them.
    Floods,
    /// Answers nothing, until the other side gives up.
    Hangs,
}

type Manners = Arc<dyn Fn(usize) -> Manner + Send + Sync>;

/// A request, as its bytes were.
#[derive(Clone, Debug)]
pub struct Request {
    /// The names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Receiver {
    /// Listens on a port of its own.
    ///
    /// # Panics
    /// When there is none.
    pub fn start() -> Self {
        Self::behaving(|_| Manner::Answers("204 No Content".to_owned()))
    }

    /// As [`Receiver::start`], with a manner for each request, of which the first is 0.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn behaving(manners: impl Fn(usize) -> Manner + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it was bound just now");
        let (sender, arrivals) = channel();
        let manners: Manners = Arc::new(manners);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let (sender, manners) = (sender.clone(), manners.clone());
                thread::spawn(move || hear(stream, &sender, &manners(number)));
            }
        });
        Self { address, arrivals }
    }

    /// Where it wants to be told.
    pub fn url(&self) -> String {
        format!("http://{}/notices", self.address)
    }

    /// The next request that came.
    ///
    /// # Panics
    /// After half a minute without one.
    pub fn next(&self) -> Request {
        self.arrivals.recv_timeout(PATIENCE).expect("a notice arrives in time")
    }

    /// What came and was not looked at.
    pub fn rest(&self) -> Vec<Request> {
        self.arrivals.try_iter().collect()
    }
}

impl Request {
    /// The value of a header field.
    ///
    /// # Panics
    /// When there is none.
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.fields)).1
    }
}

/// Reads one request, keeps it, and answers it.
fn hear(stream: TcpStream, sender: &Sender<Request>, manner: &Manner) {
    // What breaks off half-way was not received: the other side tries again.
    let Some((request, mut stream)) = read(stream) else { return };
    if sender.send(request).is_err() {
        return;
    }
    // Whoever gives up on the answer need not be told.
    let _ = match manner {
        Manner::Answers(answer) => {
            stream.write_all(format!("HTTP/1.1 {answer}\r\nconnection: close\r\n\r\n").as_bytes())
        }
        Manner::Floods => {
            let head = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n");
            head.and_then(|()| {
                loop {
                    stream.write_all(&[b'x'; 4096])?;
                }
            })
        }
        Manner::Hangs => stream.read(&mut [0]).map(drop),
    };
}

fn read(stream: TcpStream) -> Option<(Request, TcpStream)> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
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
