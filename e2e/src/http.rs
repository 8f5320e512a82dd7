//! A minimal HTTP/1.1 client. An answer is either complete or an error that says where it broke off; client
//! libraries hide that, and some tests are about it. It supports `content-length` and chunked bodies.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Maximum time to wait for an answer; longer than any limit of the service.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A persistent connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// A request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Header fields, without `host` and `content-length`.
    pub fields: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line and the header fields.
    pub head: String,
    /// The body. Invalid UTF-8 is replaced.
    pub body: String,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If nothing listens at the address.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] if the answer broke off; another kind if there was no answer.
    pub fn send(&mut self, request: Request<'_>) -> io::Result<Answer> {
        let stream = self.stream.get_mut();
        let mut head = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", request.method, request.path);
        for (name, value) in request.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        // In one write, so that a server that rejects early has received the whole request.
        let sent = stream.write_all(&[head.as_bytes(), request.body].concat());
        // A server may reject a body before it has read it. Then the write fails, and the answer matters.
        match self.answer() {
            Err(unanswered) => Err(sent.err().unwrap_or(unanswered)),
            answered => answered,
        }
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match self.stream.read_line(&mut head) {
                Ok(0) if head.is_empty() => {
                    return Err(io::Error::new(ErrorKind::ConnectionAborted, "closed without an answer"));
                }
                Ok(0) => return Err(broken_off(&head)),
                Ok(_) => {}
                Err(error) if head.is_empty() => return Err(error),
                Err(_) => return Err(broken_off(&head)),
            }
        }
        let bad = |what: &str| io::Error::new(ErrorKind::InvalidData, format!("{what} in: {head}"));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| bad("no status"))?;
        let field = |wanted: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let body = match field("content-length").map(str::parse) {
            Some(Ok(length)) => self.exactly(length),
            None if field("transfer-encoding") == Some("chunked") => self.chunks(),
            _ => return Err(bad("no content-length")),
        };
        let body = body.map_err(|_| broken_off(&head))?;
        Ok(Answer { status, head, body: String::from_utf8_lossy(&body).into_owned() })
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
            // Every chunk, including the last one, ends with CRLF.
            let chunk = self.exactly(length + 2)?;
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }
}

fn broken_off(head: &str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, format!("the answer broke off; it starts with: {head}"))
}

/// Sends one request on a new connection.
///
/// # Panics
/// If there is no complete answer.
pub fn send(address: SocketAddr, request: Request<'_>) -> Answer {
    let answer = Connection::open(address).and_then(|mut connection| connection.send(request));
    answer.unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }
}
