//! The targets of the measurements, and how to start and stop them.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use crate::{
    deliveries::{Deliveries, Delivery},
    load::{self, now},
    peers,
};

/// A kind of target.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// An axum handler that reads the body and does nothing.
    Noop,
    /// `faireplace serve`.
    Faireplace,
    /// The guide's handler in Node: express and the official SDK.
    Node,
    /// The guide's handler in Python: Flask, the official SDK, gunicorn.
    Python,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Noop, Self::Faireplace, Self::Node, Self::Python];

    /// Name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Noop => "no-op axum handler",
            Self::Faireplace => "faireplace serve",
            Self::Node => "guide's Node handler",
            Self::Python => "guide's Python handler",
        }
    }

    /// The program to run, built or installed if necessary.
    pub(crate) fn program(self, faireplace: Option<&Path>) -> anyhow::Result<PathBuf> {
        match (self, faireplace) {
            (Self::Noop, _) => Ok(std::env::current_exe()?),
            (Self::Faireplace, Some(given)) => Ok(given.to_owned()),
            (Self::Faireplace, None) => peers::faireplace(),
            (Self::Node, _) => peers::node(),
            (Self::Python, _) => peers::python(),
        }
    }

    fn command(self, program: &Path, address: SocketAddr, secret: &str, data: &Path) -> Command {
        let port = address.port().to_string();
        let mut command;
        match self {
            Self::Noop => {
                command = Command::new(program);
                command.args(["noop", "--port", &port]);
            }
            Self::Faireplace => {
                command = Command::new(program);
                command
                    .arg("serve")
                    .env("FAIREPLACE_LISTEN", address.to_string())
                    .env("FAIREPLACE_MODE", "test")
                    .env("DATABASE_URL", format!("sqlite:{}", data.join("bench.db").display()));
            }
            Self::Node => {
                command = Command::new("node");
                command.arg(program).env("NODE_ENV", "production").env("PORT", &port);
            }
            Self::Python => {
                let workers = thread::available_parallelism().map_or(1, usize::from);
                command = Command::new(program);
                command
                    .args(["--log-level", "warning", "--bind", &address.to_string()])
                    .args(["--workers", &workers.to_string()])
                    .arg("--chdir")
                    .arg(peers::source("python", ""))
                    .arg("handler:app");
            }
        }
        command.env("STRIPE_WEBHOOK_SECRET", secret);
        command
    }
}

/// A running target, stopped on drop.
pub(crate) struct Target {
    kind: Kind,
    child: Child,
    /// Its address.
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Target {
    /// Starts the target on a free port with an empty database, and waits until it works: it must accept a
    /// signed event and, unless it is the no-op handler, reject a wrong signature.
    pub(crate) async fn start(kind: Kind, program: &Path, deliveries: &Deliveries) -> anyhow::Result<Self> {
        let data = peers::tools().join("data");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        fs::create_dir_all(&data)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let log = data.join("log");
        let file = File::create(&log)?;
        let child = kind
            .command(program, address, deliveries.secret(), &data)
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut target = Self { kind, child, address, log };
        target.wait_until_ready(deliveries).await.with_context(|| target.log_tail())?;
        Ok(target)
    }

    /// Id of its process. CPU time and memory include the descendants.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its name and the end of its log, for error messages.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(10)..];
        format!("{}\n{}\n", self.kind.name(), tail.join("\n"))
    }

    async fn wait_until_ready(&mut self, deliveries: &Deliveries) -> anyhow::Result<()> {
        let deadline = now() + Duration::from_secs(30);
        let status = loop {
            match load::deliver(self.address, deliveries.next()).await {
                Ok(status) => break status,
                Err(error) if now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the target ended before it was ready: {status}");
            }
        };
        ensure!(status == 200, "answered {status} to a signed event");
        let Delivery { signature, .. } = deliveries.next();
        let forged = Delivery { signature, ..deliveries.next() };
        let status = load::deliver(self.address, forged).await?;
        let expected = if self.kind == Kind::Noop { 200 } else { 400 };
        ensure!(status == expected, "answered {status} to a wrong signature");
        Ok(())
    }
}

impl Drop for Target {
    /// SIGTERM first: gunicorn's workers outlive a killed master.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let signalled = Command::new("kill").arg(self.child.id().to_string()).status();
            for _ in 0..100 {
                if signalled.is_err() || !matches!(self.child.try_wait(), Ok(None)) {
                    break;
                }
                thread::sleep(Duration::from_millis(100));
            }
        }
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
