//! A client with an unreliable connection: connections end at random points, and the client retries with the
//! same `Idempotency-Key` until it has an answer, as the guides tell every client to do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use e2e::http::{Answer, Connection, Request};
use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;

use crate::history::TENANT;

/// Maximum number of cut attempts of one command.
const MAX_CUTS: usize = 6;
/// Maximum number of attempts of one command. A killed service may have to start in the meantime.
const MAX_ATTEMPTS: usize = 3000;
const PAUSE: Duration = Duration::from_millis(10);

/// The current address of the service, and the numbers of cut connections.
pub(crate) struct Network {
    address: Mutex<SocketAddr>,
    pub(crate) cuts: [AtomicU32; 3],
}

impl Network {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address: Mutex::new(address), cuts: Default::default() }
    }

    /// Sets the address after a restart, which uses another port.
    pub(crate) fn moved(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    /// Numbers of connections cut in the request, before the answer, and in the answer.
    pub(crate) fn cuts(&self) -> [u32; 3] {
        self.cuts.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// A client.
pub(crate) struct Client<'a> {
    pub(crate) network: &'a Network,
    /// Its API key.
    pub(crate) key: &'a str,
    /// Decides where its connections are cut.
    pub(crate) random: Xoshiro256PlusPlus,
}

impl Client<'_> {
    /// Sends a command until there is a final answer.
    pub(crate) fn ask(&mut self, path: &str, name: &str, body: &str) -> Answer {
        let path = &format!("{path}?tenant_id={TENANT}");
        for attempt in 0..MAX_ATTEMPTS {
            let address = *self.network.address.lock().unwrap();
            if attempt < MAX_CUTS && self.random.random_ratio(3, 4) {
                // It may fail before the planned cut.
                let _ = self.cut(address, path, name, body);
                continue;
            }
            match self.whole(address, path, name, body) {
                // The command may be stored or not. A retry finds out.
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

    /// Sends the command and cuts the connection: in the request, before the answer, or in the answer.
    fn cut(&mut self, address: SocketAddr, path: &str, name: &str, body: &str) -> std::io::Result<()> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nidempotency-key: {name}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        let place = self.random.random_range(0..3_usize);
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        match place {
            // Anywhere in the request, half of the time in the body. At least one byte is missing.
            0 => {
                let end = match self.random.random_range(0..2) {
                    0 => self.random.random_range(0..request.len()),
                    _ => request.len() - 1 - self.random.random_range(0..body.len()),
                };
                stream.write_all(&request.as_bytes()[..end])?;
            }
            1 => {
                stream.write_all(request.as_bytes())?;
                thread::sleep(Duration::from_micros(self.random.random_range(0..4000)));
            }
            _ => {
                stream.write_all(request.as_bytes())?;
                let mut part = vec![0; self.random.random_range(1..=300)];
                stream.read_exact(&mut part)?;
            }
        }
        self.network.cuts[place].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
