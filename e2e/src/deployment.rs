//! A folder with a configuration and, once something ran in it, a database: what an operator has. Commands
//! run in it with an environment of their own, and it disappears with the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::{Ended, Process};
use crate::service::Service;

/// The signing secret of every deployment that does not say otherwise.
pub const SECRET: &str = "whsec_4rTq8LzWc0NfYb2KsUe6HxJm1DvGpA9i";

/// A deployment, in test mode and with [`SECRET`] until told otherwise.
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
    /// A folder, and nothing set.
    ///
    /// # Panics
    /// When there is no place for temporary files.
    pub fn empty() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("faireplace-e2e-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        // Every `dev` has an emulator, and no two of them one port.
        Self { folder, environment: BTreeMap::new() }.with("FAIREPLACE_EMULATOR_LISTEN", "127.0.0.1:0")
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without it.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// With this file in its folder.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn with_file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).expect("our own folder takes files");
        self
    }

    /// The path of a file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a command and does not wait for it. Its words are separated by single blanks.
    pub fn start(&self, command: &str) -> Process {
        self.start_words(&command.split(' ').collect::<Vec<_>>())
    }

    /// As [`Deployment::start`], for words with blanks in them.
    pub fn start_words(&self, words: &[&str]) -> Process {
        self.start_in(&crate::program(), words, &self.environment)
    }

    /// Starts another program in the folder, with the same environment: one that starts `faireplace` itself.
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

    /// As [`Deployment::start_words`], with one more variable in the environment.
    pub fn start_words_with(&self, words: &[&str], name: &str, value: &str) -> Process {
        let mut environment = self.environment.clone();
        environment.insert(name.to_owned(), value.to_owned());
        self.start_in(&crate::program(), words, &environment)
    }

    /// Runs a command to its end. Its words are separated by single blanks.
    pub fn run(&self, command: &str) -> Ended {
        self.start(command).wait()
    }

    /// Runs a command that must succeed, and answers what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn done(&self, command: &str) -> String {
        let ended = self.run(command);
        assert_eq!(ended.code, Some(0), "{ended}");
        ended.stdout
    }

    /// Starts `serve`, and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn serve(&self) -> Service {
        Service::ready(self, self.start("serve"))
    }

    /// Starts `dev`, and waits until it has shown its first screen.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn dev(&self) -> Service {
        Service::ready(self, self.start("dev"))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // What cannot be removed is the temporary folder's own business.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
