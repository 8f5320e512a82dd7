//! One program run as one step: announced in a line, timed, and silent unless it fails.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A program about to run in the root of the repository, and the name under which people see it.
pub(crate) struct Step {
    name: &'static str,
    command: Command,
}

impl Step {
    pub(crate) fn new(name: &'static str, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(crate::root()).stdin(Stdio::null());
        Self { name, command }
    }

    pub(crate) fn args<Argument: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Runs it and returns what it wrote to standard output.
    ///
    /// # Errors
    /// When it cannot be started, or ends with anything but success: then all that it wrote is in the error.
    pub(crate) fn run(mut self) -> Result<String> {
        print!("{:<20}", self.name);
        std::io::stdout().flush()?;
        let started = now();
        let output =
            self.command.output().with_context(|| format!("{} could not be started", self.called()))?;
        let verdict = if output.status.success() { "ok" } else { "FAILED" };
        println!("{verdict:<8}{:>7.1} s", started.elapsed().as_secs_f32());
        let written = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let complaints = String::from_utf8_lossy(&output.stderr);
            bail!("{written}{complaints}\n{} failed: {}", self.called(), output.status);
        }
        Ok(written)
    }

    /// Runs it with its output on the terminal: for programs whose output is the point.
    ///
    /// # Errors
    /// When it cannot be started, or ends with anything but success.
    pub(crate) fn watch(mut self) -> Result<()> {
        let status =
            self.command.status().with_context(|| format!("{} could not be started", self.called()))?;
        if !status.success() {
            bail!("{} failed: {status}", self.called());
        }
        Ok(())
    }

    /// The command line, to paste into a shell.
    fn called(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
        format!("`{}`", words.join(" "))
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a step took is told to a person and decides nothing")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
