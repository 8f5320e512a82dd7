//! A running process. Its output is collected in the background, and it is killed when the test ends. Signals
//! go only to processes that were started here, by id.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Interval between two checks while waiting.
const INTERVAL: Duration = Duration::from_millis(2);
/// Maximum number of checks: three minutes, which nothing in the tests needs.
const MAX_CHECKS: u32 = 90_000;

/// A process that was started and not yet waited for.
pub struct Process {
    child: Child,
    command_line: String,
    stdout: Collected,
    stderr: Collected,
}

/// A process that ended. Its `Display` looks like a terminal session.
#[derive(Clone, Debug)]
pub struct Ended {
    command_line: String,
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a process. `command_line` is for messages.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command, command_line: String) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`{command_line}` could not be started: {error}"));
        let stdout = Collected::from(child.stdout.take().expect("piped just now"));
        let stderr = Collected::from(child.stderr.take().expect("piped just now"));
        Self { child, command_line, stdout, stderr }
    }

    /// Its standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Its standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Stops reading its output, so that its pipes fill up.
    pub fn stop_reading(&self) {
        self.stdout.stop();
        self.stderr.stop();
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `look` returns a value.
    ///
    /// # Errors
    /// If the process ends first.
    ///
    /// # Panics
    /// After three minutes.
    pub fn wait_for<T>(mut self, mut look: impl FnMut(&Self) -> Option<T>) -> Result<(Self, T), Ended> {
        for _ in 0..MAX_CHECKS {
            if let Some(found) = look(&self) {
                return Ok((self, found));
            }
            if self.exited() {
                return Err(self.wait());
            }
            thread::sleep(INTERVAL);
        }
        panic!("`{}` did not become ready", self.command_line);
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// After three minutes.
    pub fn wait(mut self) -> Ended {
        for _ in 0..MAX_CHECKS {
            if self.exited() {
                let status = self.child.wait().expect("it is a child of this process");
                let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
                return Ended {
                    command_line: self.command_line.clone(),
                    code: status.code(),
                    stdout,
                    stderr,
                };
            }
            thread::sleep(INTERVAL);
        }
        panic!("`{}` did not end", self.command_line);
    }

    /// Kills it (SIGKILL).
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("it is a child of this process");
        self.wait()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("`kill` is installed");
        assert!(sent.success(), "`{}` cannot be signalled", self.command_line);
    }

    fn exited(&mut self) -> bool {
        self.child.try_wait().expect("it is a child of this process").is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("output of `{}`:\n{}{}", self.command_line, self.stdout(), self.stderr());
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        write!(f, "$ {}\n{}{}({code})", self.command_line, self.stdout, self.stderr)
    }
}

/// A stream that a thread reads to its end, so that the process never blocks on its output.
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
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                collected.lock().expect("not poisoned").extend_from_slice(&buffer[..count]);
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
        String::from_utf8_lossy(&self.bytes.lock().expect("not poisoned")).into_owned()
    }

    fn finish(&mut self) -> String {
        self.stopped.store(false, Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.thread().unpark();
            reader.join().expect("the reader does not panic");
        }
        self.text()
    }
}
