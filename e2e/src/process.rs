//! One run of the program: its output is collected while it runs, and it never outlives the test that
//! started it. Only processes that were started here are ever signalled, each by its own id.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often to look whether something happened.
const GLANCE: Duration = Duration::from_millis(2);
/// How many times to look: three minutes. Nothing that the tests start takes as long.
const GLANCES: u32 = 90_000;

/// A run that has not ended, or whose end was not looked at.
pub struct Process {
    child: Child,
    called: String,
    stdout: Collected,
    stderr: Collected,
}

/// A run that ended. It prints as what a person at the terminal would have seen.
#[derive(Clone, Debug)]
pub struct Ended {
    called: String,
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Process {
    /// Starts it; `called` is how a person would have typed it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, called: String) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`{called}` could not be started: {error}"));
        let stdout = Collected::from(child.stdout.take().expect("piped just now"));
        let stderr = Collected::from(child.stderr.take().expect("piped just now"));
        Self { child, called, stdout, stderr }
    }

    /// What it has printed to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has printed to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// From now on nobody reads what it prints: its pipes fill up.
    pub fn stop_reading(&self) {
        self.stdout.stop();
        self.stderr.stop();
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `look` finds something, and answers it; or how the process ended before that.
    ///
    /// # Errors
    /// When it ended first.
    ///
    /// # Panics
    /// After three minutes.
    pub fn wait_for<T>(mut self, mut look: impl FnMut(&Self) -> Option<T>) -> Result<(Self, T), Ended> {
        for _ in 0..GLANCES {
            if let Some(found) = look(&self) {
                return Ok((self, found));
            }
            if self.exited() {
                return Err(self.wait());
            }
            thread::sleep(GLANCE);
        }
        panic!("`{}` does not get ready", self.called);
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// After three minutes.
    pub fn wait(mut self) -> Ended {
        for _ in 0..GLANCES {
            if self.exited() {
                let status = self.child.wait().expect("it is our child");
                let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
                return Ended { called: self.called.clone(), code: status.code(), stdout, stderr };
            }
            thread::sleep(GLANCE);
        }
        panic!("`{}` does not end", self.called);
    }

    /// Kills it where it stands (SIGKILL).
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("it is our child");
        self.wait()
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("every system has kill");
        assert!(sent.success(), "`{}` cannot be signalled", self.called);
    }

    fn exited(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("`{}` had printed:\n{}{}", self.called, self.stdout(), self.stderr());
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        write!(f, "$ {}\n{}{}({code})", self.called, self.stdout, self.stderr)
    }
}

/// A stream, read to its end by a thread, so that the process never waits for us.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    stopped: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let collected = bytes.clone();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                collected.lock().expect("no holder panics").extend_from_slice(&piece[..count]);
                while stop.load(Relaxed) {
                    thread::park();
                }
            }
        });
        Self { bytes, stopped, reader: Some(reader) }
    }

    fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no holder panics")).into_owned()
    }

    fn finish(&mut self) -> String {
        self.stopped.store(false, Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.thread().unpark();
            reader.join().expect("it only reads");
        }
        self.text()
    }
}
