//! HTTP/1.1 as a careful client speaks it: one request at a time, and an answer is either whole or an error
//! that says how much of it came. Plain TCP to this machine; bodies have a length or come in chunks.
//!
//! Not here: redirects, TLS. The program uses neither, and a client library would hide what the tests are
//! about: where exactly a connection ends.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long to wait for an answer. Longer than any of the service's own limits.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection, kept for as many requests as the other side likes.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The target, query included.
    pub path: &'a str,
    /// Header fields; `host` and `content-length` are added.
    pub fields: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line and the header fields.
    pub head: String,
    /// The body, decoded leniently.
    pub body: String,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] when the answer broke off in its middle; any other kind when none came.
    pub fn send(&mut self, request: Request<'_>) -> io::Result<Answer> {
        let stream = self.stream.get_mut();
        let mut head = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", request.method, request.path);
        for (name, value) in request.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        // One write, so that a server that refuses early has the whole request.
        let sent = stream.write_all(&[head.as_bytes(), request.body].concat());
        // A server may refuse a body before it has read all of it: its answer says more than our failure.
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
                Ok(0) => return Err(half(&head)),
                Ok(_) => {}
                Err(error) if head.is_empty() => return Err(error),
                Err(_) => return Err(half(&head)),
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
        let body = body.map_err(|_| half(&head))?;
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
            // Each ends with an empty line, the last one too.
            let chunk = self.exactly(length + 2)?;
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }
}

fn half(head: &str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, format!("half an answer, beginning with: {head}"))
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }
}
