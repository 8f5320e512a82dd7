//! A deployment: a temporary folder with a configuration and a database. Commands run in it with their own
//! environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::{Ended, Process};
pub use crate::service::SECRET;
use crate::service::Service;

/// A deployment; by default in test mode and with [`SECRET`]. Its folder is deleted on drop.
pub struct Deployment {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Default for Deployment {
    fn default() -> Self {
        Self::empty()
            .with("FAIREPLACE_LISTEN", "127.0.0.1:0")
            .with("FAIREPLACE_MODE", "test")
            .with("STRIPE_WEBHOOK_SECRET", SECRET)
    }
}

impl Deployment {
    /// A folder without any settings.
    ///
    /// # Panics
    /// If the folder cannot be created.
    pub fn empty() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("faireplace-e2e-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        // Tests run in parallel, so every `dev` needs its own port for the emulator.
        Self { folder, environment: BTreeMap::new() }.with("FAIREPLACE_EMULATOR_LISTEN", "127.0.0.1:0")
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Writes a file into the folder.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn with_file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).expect("the folder is writable");
        self
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a command without waiting for it. Its words are separated by single spaces.
    pub fn start(&self, command: &str) -> Process {
        self.start_words(&command.split(' ').collect::<Vec<_>>())
    }

    /// Like [`Deployment::start`], for words with spaces in them.
    pub fn start_words(&self, words: &[&str]) -> Process {
        self.start_in(&crate::program(), words, &self.environment)
    }

    /// Starts another program, which itself starts `faireplace`, in the same folder and environment.
    pub fn start_program(&self, program: &str, words: &[&str]) -> Process {
        self.start_in(program.as_ref(), words, &self.environment)
    }

    fn start_in(&self, program: &Path, words: &[&str], environment: &BTreeMap<String, String>) -> Process {
        let mut process = Command::new(program);
        process
            .args(words)
            .current_dir(&self.folder)
            .env_clear()
            .envs(crate::path_variable())
            .env("HOME", &self.folder)
            .env("USER", "erin")
            .envs(environment);
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        Process::start(process, format!("{name} {}", words.join(" ")))
    }

    /// Like [`Deployment::start_words`], with one more environment variable.
    pub fn start_words_with(&self, words: &[&str], name: &str, value: &str) -> Process {
        let mut environment = self.environment.clone();
        environment.insert(name.to_owned(), value.to_owned());
        self.start_in(&crate::program(), words, &environment)
    }

    /// Runs a command to its end. Its words are separated by single spaces.
    pub fn run(&self, command: &str) -> Ended {
        self.start(command).wait()
    }

    /// Runs a command that must succeed, and returns its standard output.
    ///
    /// # Panics
    /// If it fails.
    pub fn done(&self, command: &str) -> String {
        let ended = self.run(command);
        assert_eq!(ended.code, Some(0), "{ended}");
        ended.stdout
    }

    /// Waits until a process that runs `serve` or `dev` in the folder is ready.
    ///
    /// # Panics
    /// If it ends before that.
    pub fn ready(&self, process: Process) -> Service {
        Service::ready(process, || self.path("faireplace.db.operator-key"))
    }

    /// Starts `serve` and waits until it is ready.
    ///
    /// # Panics
    /// If it ends before that.
    pub fn serve(&self) -> Service {
        self.ready(self.start("serve"))
    }

    /// Starts `dev` and waits until it has printed its first screen.
    ///
    /// # Panics
    /// If it ends before that.
    pub fn dev(&self) -> Service {
        self.ready(self.start("dev"))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // A folder that cannot be removed stays in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
