//! Failures of commands and their exit codes (design section 6, Commands; the numbers are from sysexits.h).

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use store::{OpenError, StoreError};

use crate::terminal::shown;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    message: String,
}

#[derive(Clone, Copy, Debug)]
enum FailureKind {
    Failed,
    Disk,
    Configuration,
    /// The exit code of the command that `emulate` ran.
    Command(u8),
}

impl Failure {
    /// Refused or failed: exit code 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Failed, message: message.into() }
    }

    /// Bad configuration: exit code 78; a supervisor should not restart the program.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Configuration, message: message.into() }
    }

    /// The disk failed: exit code 74. Only opening the database again shows what it holds.
    pub(crate) fn disk(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Disk, message: message.into() }
    }

    /// The command that `emulate` ran failed; its exit code becomes ours.
    pub(crate) fn of_command(code: u8, what: &str) -> Self {
        Self { kind: FailureKind::Command(code), message: format!("the command {what}") }
    }

    /// Prefixes the message with what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { message: format!("{}: {}", shown(what), self.message), ..self }
    }

    /// Adds a line that says what to do.
    pub(crate) fn and(self, advice: &str) -> Self {
        Self { message: format!("{}\n{advice}", self.message), ..self }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            FailureKind::Failed => ExitCode::from(1),
            FailureKind::Disk => ExitCode::from(74),
            FailureKind::Configuration => ExitCode::from(78),
            FailureKind::Command(code) => ExitCode::from(code),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::OtherMode { deployment: ref asked, .. } => {
                Self::configuration(format!("{error}: DATABASE_URL=sqlite:{asked}.db"))
            }
            // A restart would not help; a person must look.
            OpenError::Foreign { .. }
            | OpenError::TooNew { .. }
            | OpenError::MigrationChanged { .. }
            | OpenError::Linked { .. }
            | OpenError::StaleLog { .. }
            | OpenError::LogWithoutDatabase { .. }
            | OpenError::RescuedCopy { .. }
            | OpenError::MustRestore { .. }
            | OpenError::RestoreInterrupted { .. } => Self::configuration(error.to_string()),
            OpenError::InUse { ref path, ref holder } => {
                Self::failed(in_use(path, holder).unwrap_or_else(|| error.to_string()))
            }
            _ => Self::failed(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

/// What to do about the service that holds the database; its process id and address are in the lock file.
fn in_use(path: &Path, holder: &str) -> Option<String> {
    let holder: Value = serde_json::from_str(holder).ok()?;
    let (pid, url) = (holder["pid"].as_u64()?, holder["url"].as_str()?);
    let path = path.display();
    Some(format!("process {pid} serves {path} at {url}; stop that one, or use another DATABASE_URL"))
}
