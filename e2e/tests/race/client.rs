//! A client on a bad line: its connections end at random points, and it asks again under the same
//! `Idempotency-Key` until it has an answer. It does what the guides tell every client to do.
//! Not here: what is asked, and what the answers must add up to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use e2e::http::{Answer, Connection, Request};
use e2e::random::Random;

use crate::till::TENANT;

/// Attempts of one command that may be cut; those after them are not.
const CUTS_MAX: usize = 6;
/// Attempts of one command. Between two of them a killed service may have to start.
const ATTEMPTS_MAX: usize = 3000;
const PAUSE: Duration = Duration::from_millis(10);

/// Where the service is now, and how often a connection to it was cut where.
pub(crate) struct Line {
    address: Mutex<SocketAddr>,
    pub(crate) cuts: [AtomicU32; 3],
}

impl Line {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address: Mutex::new(address), cuts: Default::default() }
    }

    /// It was started again, on a port of its own.
    pub(crate) fn moved(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    /// How many connections were cut: within the request, before the answer, within the answer.
    pub(crate) fn cuts(&self) -> [u32; 3] {
        self.cuts.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// One client.
pub(crate) struct Client<'a> {
    pub(crate) line: &'a Line,
    /// Its API key.
    pub(crate) key: &'a str,
    /// Its luck.
    pub(crate) random: Random,
}

impl Client<'_> {
    /// Asks until there is an answer that says what became of the command.
    pub(crate) fn ask(&mut self, path: &str, name: &str, body: &str) -> Answer {
        let path = &format!("{path}?tenant_id={TENANT}");
        for attempt in 0..ATTEMPTS_MAX {
            let address = *self.line.address.lock().unwrap();
            if attempt < CUTS_MAX && self.random.below(4) > 0 {
                // Whether it fails earlier than planned does not matter.
                let _ = self.cut(address, path, name, body);
                continue;
            }
            match self.whole(address, path, name, body) {
                // It may or may not be stored: asking again finds out.
                Some(answer) if answer.status == 503 => {}
                Some(answer) => return answer,
                None => {}
            }
            thread::sleep(PAUSE);
        }
        panic!("{path}, {name}: no answer");
    }

    fn whole(&self, address: SocketAddr, path: &str, name: &str, body: &str) -> Option<Answer> {
        let bearer = format!("Bearer {}", self.key);
        let fields = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", name),
            ("content-type", "application/json"),
        ];
        let request = Request { method: "POST", path, fields: &fields, body: body.as_bytes() };
        Connection::open(address).and_then(|mut connection| connection.send(request)).ok()
    }

    /// Asks, and breaks the connection off: within the request, before its answer, or within that.
    fn cut(&mut self, address: SocketAddr, path: &str, name: &str, body: &str) -> std::io::Result<()> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nidempotency-key: {name}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        let place = self.random.below(3);
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        match place {
            // Anywhere; half of the time within the body, of which at least one byte is missing.
            0 => {
                let end = match self.random.below(2) {
                    0 => self.random.below(request.len()),
                    _ => request.len() - 1 - self.random.below(body.len()),
                };
                stream.write_all(&request.as_bytes()[..end])?;
            }
            1 => {
                stream.write_all(request.as_bytes())?;
                thread::sleep(Duration::from_micros(self.random.below(4000) as u64));
            }
            _ => {
                stream.write_all(request.as_bytes())?;
                let mut part = vec![0; 1 + self.random.below(300)];
                stream.read_exact(&mut part)?;
            }
        }
        self.line.cuts[place].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
