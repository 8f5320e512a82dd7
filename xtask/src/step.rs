//! One program, run as one step: one line with its name, result and time. Its output is shown only on
//! failure.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A program to run in the root of the repository, and the step's name on the screen.
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

    /// Runs the program and returns its standard output.
    ///
    /// # Errors
    /// When it cannot be started or fails; a failure contains all its output.
    pub(crate) fn run(mut self) -> Result<String> {
        print!("{:<20}", self.name);
        std::io::stdout().flush()?;
        let started = now();
        let output =
            self.command.output().with_context(|| format!("{} could not be started", self.command_line()))?;
        let result = if output.status.success() { "ok" } else { "FAILED" };
        println!("{result:<8}{:>7.1} s", started.elapsed().as_secs_f32());
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("{stdout}{stderr}\n{} failed: {}", self.command_line(), output.status);
        }
        Ok(stdout)
    }

    /// Runs the program with its output on the terminal.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub(crate) fn watch(mut self) -> Result<()> {
        let status =
            self.command.status().with_context(|| format!("{} could not be started", self.command_line()))?;
        if !status.success() {
            bail!("{} failed: {status}", self.command_line());
        }
        Ok(())
    }

    /// The command line, for error messages.
    fn command_line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
        format!("`{}`", words.join(" "))
    }
}

#[expect(clippy::disallowed_methods, reason = "step times are printed and decide nothing")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
