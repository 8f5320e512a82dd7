//! How soon `faireplace emulate` is up: from the start of the process to its first line, and to the first
//! byte that it answers to a request.
//!
//! What is deliberately not here: an account on a file, whose size would decide.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::Context as _;

use super::{middle, of_thousandths};
use crate::load::{self, now};

/// What one round came to, in microseconds.
pub(crate) struct Started {
    line: u64,
    answer: u64,
}

/// One start.
pub(crate) async fn measure(program: &Path) -> anyhow::Result<Started> {
    let start = now();
    let child =
        Command::new(program).args(["emulate", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
    let mut child = Running(child);
    let mut said = BufReader::new(child.0.stdout.take().context("no output")?);
    let mut words = String::new();
    said.read_line(&mut words)?;
    let line = u64::try_from(start.elapsed().as_micros())?;
    let url = words.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let address: SocketAddr = url.with_context(|| format!("no address in {words:?}"))?.parse()?;
    // Whatever it answers: that it does is the point.
    load::get(address, "/").await?;
    Ok(Started { line, answer: u64::try_from(start.elapsed().as_micros())? })
}

/// What all rounds together say.
pub(crate) fn line(rounds: &[Started]) -> String {
    format!(
        "start       first line after {} ms, first answer after {} ms",
        of_thousandths(middle(rounds, |started| started.line)),
        of_thousandths(middle(rounds, |started| started.answer)),
    )
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Of a process that has already ended, both say so, and that is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
