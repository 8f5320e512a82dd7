//! Start time of `faireplace emulate`: from the start of the process to its first line of output, and to its
//! first answer. The account is in memory; with a file, the time would depend on its size.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::Context as _;

use super::{middle, of_thousandths};
use crate::load::{self, now};

/// Result of one round, in microseconds.
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
    let mut output = BufReader::new(child.0.stdout.take().context("no output")?);
    let mut first_line = String::new();
    output.read_line(&mut first_line)?;
    let line = u64::try_from(start.elapsed().as_micros())?;
    let url = first_line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let address: SocketAddr = url.with_context(|| format!("no address in {first_line:?}"))?.parse()?;
    // The status does not matter.
    load::get(address, "/").await?;
    Ok(Started { line, answer: u64::try_from(start.elapsed().as_micros())? })
}

/// The medians of all rounds as text.
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
        // Errors mean that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
