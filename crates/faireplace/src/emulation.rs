//! Runs the Stripe emulator in this process, on a port of its own, for `emulate` and `dev`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use emulator::act::endpoint::{self, NewWebhookEndpoint};
use emulator::object::MetadataMap;
use emulator::world::{Dispatch, Outcome};
use emulator::{Emulator, Options, Watcher};
use engine::{Clock, entropy};
use stripe::Secret;
use stripe::retry::Schedule;
use stripe::write::ApiVersion;
use tokio::net::TcpListener;
use web::Limits;
use web::server::{self, TrustedProxies};

use crate::background_writer::BackgroundWriter;
use crate::delivery_line;
use crate::failure::Failure;
use crate::terminal;

/// The emulator's default signing secret. It is public and the same in every run, so that tests can use it.
pub(crate) const SECRET: &str = "whsec_emulator_known_to_everybody";

/// An emulator that is ready to run: its account is open and its port is bound.
pub(crate) struct Emulation {
    pub(crate) emulator: Emulator,
    pub(crate) url: String,
    /// Prints deliveries.
    pub(crate) screen: BackgroundWriter,
    listener: TcpListener,
}

/// Options of an emulator.
pub(crate) struct EmulationOptions {
    pub(crate) listen: SocketAddr,
    /// The setting or option for the address, to name in the error when the port is taken.
    pub(crate) listen_option: &'static str,
    /// Public URL; `None` for the address where it listens.
    pub(crate) url: Option<String>,
    pub(crate) api_key: String,
    pub(crate) file: Option<PathBuf>,
    /// `None` for a random one.
    pub(crate) seed: Option<u64>,
    /// Frozen clock in Unix milliseconds; `None` for a running clock.
    pub(crate) still_at_ms: Option<i64>,
    pub(crate) attempt_timeout: Option<Duration>,
}

impl Emulation {
    /// Opens the account and the port.
    ///
    /// # Errors
    /// When the port is taken, or the file is not an emulator's.
    pub(crate) async fn open(wanted: EmulationOptions) -> Result<Self, Failure> {
        let (listen, option) = (wanted.listen, wanted.listen_option);
        let taken = |error: std::io::Error| {
            Failure::failed(format!(
                "the emulator cannot listen on {listen}: {error}. Choose another port: {option}127.0.0.1:0 \
                 takes a free one"
            ))
        };
        let listener = server::listen(listen).map_err(taken)?;
        let own = format!("http://{}", listener.local_addr().map_err(taken)?);
        let url = wanted.url.unwrap_or(own);
        let screen = BackgroundWriter::start("screen", |text| {
            terminal::write(&String::from_utf8_lossy(text));
        });
        let screen = screen.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
        let clock = Clock::system();
        let default_timeout = Duration::from_secs(u64::from(Schedule::default().attempt_timeout_seconds()));
        let options = Options {
            url: url.clone(),
            api_key: wanted.api_key,
            seed: wanted.seed.unwrap_or_else(|| u64::from_le_bytes(entropy::bytes())),
            still_at_ms: wanted.still_at_ms,
            file: wanted.file,
            attempt_timeout: wanted.attempt_timeout.unwrap_or(default_timeout),
            wall: Arc::new(move || clock.now().0.div_euclid(1_000)),
            watcher: printing(screen.clone()),
        };
        let emulator = Emulator::open(options).map_err(|fault| Failure::failed(fault.to_string()))?;
        Ok(Self { emulator, url, screen, listener })
    }

    /// Sends events of these types (empty: all) to `url`, signed with `secret`. An existing endpoint with
    /// that description is reused, with the new URL and without misbehaviour.
    pub(crate) fn forward(
        &self,
        url: &str,
        description: &str,
        types: &[String],
        version: ApiVersion,
        secret: &Secret,
    ) {
        let all = ["*".to_owned()];
        let enabled_events = if types.is_empty() { all.to_vec() } else { types.to_vec() };
        let new = NewWebhookEndpoint {
            url: url.to_owned(),
            enabled_events,
            api_version: version,
            description: Some(description.to_owned()),
            metadata: MetadataMap::new(),
            secret: Some(secret.expose().to_owned()),
        };
        self.emulator.with(|world| endpoint::forward(world, new));
    }

    /// Runs until `stop` completes, then finishes requests in progress.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        let (tell, stopping) = tokio::sync::watch::channel(false);
        let until = |mut stopping: tokio::sync::watch::Receiver<bool>| async move {
            // The sender lives until the end of this function.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let limits = Limits { drain: Duration::from_secs(2), ..Limits::default() };
        let router = emulator::router(&self.emulator);
        let proxies = TrustedProxies::loopback();
        let http = server::serve(self.listener, router, limits, proxies, until(stopping.clone()));
        let told = async {
            stop.await;
            // Both receivers are below.
            let _ = tell.send(true);
        };
        tokio::join!(http, self.emulator.run(until(stopping)), told);
    }
}

/// Prints every delivery as `stripe listen` does, without making deliveries wait for the terminal.
fn printing(screen: BackgroundWriter) -> Watcher {
    let clock = Clock::system();
    Arc::new(move |dispatch: &Dispatch, outcome: Option<&Outcome>| {
        let now = clock.now();
        let line = match outcome {
            None => delivery_line::sent(&dispatch.type_name, &dispatch.event, now),
            Some(Outcome::Answered { status, .. }) => {
                delivery_line::answered(*status, &dispatch.url, &dispatch.event, now)
            }
            Some(Outcome::Failed(reason)) => delivery_line::failed(reason, now),
        };
        screen.line((line + "\n").into_bytes());
    })
}
