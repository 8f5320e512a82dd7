//! Starts, runs and stops the service, for `serve` and `dev`.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use engine::clock::{ClockKeeper, DateSource, Machine};
use engine::{Applier, Clock, CommandQueue, CommandWorker, Notifier, Pruner, Shop, Sweeper, read};
use store::{CloseReason, OpenError, Store, StoreError};
use stripe::Secret;
use stripe::retry::Schedule;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use web::server::{self, TrustedProxies};
use web::{App, AppParts, Limits, router};

use crate::config::Config;
use crate::descriptors;
use crate::failure::Failure;
use crate::operator_key;
use crate::outgoing;

/// A service that is ready to run: its database is open and its port is bound.
pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    proxies: TrustedProxies,
    /// All but the shop and the log's counter, which [`Service::run`] brings.
    parts: AppParts,
    worker: CommandWorker,
    applier: Applier,
    notifier: Notifier,
    pruner: Pruner,
    keeper: ClockKeeper,
    orders_to_stop: [Signal; 2],
}

/// Builds the parts that need no network. Commands use them when no service runs. Nothing is for sale.
pub(crate) fn parts(
    config: &Config,
    store: Store,
    secrets: Vec<Secret>,
    clock: Clock,
    limits: Limits,
) -> (AppParts, CommandWorker) {
    let (commands, worker) = CommandQueue::new(store.clone());
    let parts = AppParts {
        store,
        commands,
        clock,
        mode: config.mode,
        policy: config.policy.clone(),
        operator_limits: config.operator_limits,
        shop: Arc::default(),
        secrets,
        destinations: Arc::new(config.notice_hosts.clone().unwrap_or_default()),
        limits,
        log_lines_dropped: Arc::default(),
    };
    (parts, worker)
}

/// The limits of a service with these settings.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits { requests_per_hour: config.requests_per_hour, ..Limits::default() }
}

/// The loop that applies events.
pub(crate) fn applier(config: &Config, store: Store) -> Applier {
    let (policy, scope) = (config.policy.clone(), config.scope.clone());
    Applier { store, policy, scope, schedule: Schedule::default(), reader: read }
}

/// The machine's clock, checked against the time last written to this database.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn clock(store: &Store) -> Result<Clock, Failure> {
    Ok(Clock::watched(Machine::real(), &store.clock_record().await?))
}

impl Service {
    /// Opens the database and binds the port. `date` is a source of time while the clock is in doubt.
    ///
    /// # Errors
    /// When another process has the database or the port.
    pub(crate) async fn open(
        config: &Config,
        secrets: Vec<Secret>,
        date: Option<DateSource>,
    ) -> Result<Self, Failure> {
        // The port first, so that a taken port does not leave a new database behind.
        let listener = server::listen(config.listen).map_err(|error| cannot_listen(config, &error))?;
        let store = Store::open_sqlite(&config.database.path, config.mode)?;
        // Before the service says that it is ready: from then on a signal means to drain.
        let no_signals = |error| Failure::failed(format!("cannot listen for signals: {error}"));
        let orders_to_stop = [
            signal(SignalKind::terminate()).map_err(no_signals)?,
            signal(SignalKind::interrupt()).map_err(no_signals)?,
        ];
        if store.unconfirmed_restore().await?.is_some() {
            tracing::warn!(
                "this database was restored from a backup, and the restore is not confirmed: events are \
                 stored, and no credits move. Check it with `faireplace restore`, then confirm: `faireplace \
                 restore --confirm --reason WHY`"
            );
        }
        let clock = clock(&store).await?;
        operator_key::ensure(config, &store, &clock).await?;
        let address = listener.local_addr().map_err(|error| cannot_listen(config, &error))?;
        let holder = serde_json::json!({ "pid": std::process::id(), "url": format!("http://{address}") });
        store.describe_holder(&holder.to_string()).map_err(|error| {
            Failure::failed(format!("cannot write the lock of {}: {error}", config.database.path.display()))
        })?;
        let limits = limits(config);
        let limits = Limits { connections: descriptors::room_for_connections(limits.connections), ..limits };
        let (parts, worker) = parts(config, store.clone(), secrets, clock.clone(), limits);
        let transport = outgoing::notices::transport(parts.destinations.clone())?;
        let notifier = Notifier::new(store.clone(), transport, Schedule::default(), clock.clone());
        Ok(Self {
            address,
            listener,
            proxies: config.trusted_proxies.clone(),
            parts,
            worker,
            applier: applier(config, store.clone()),
            notifier,
            pruner: Pruner { store: store.clone(), keep_days: config.notice_days },
            keeper: ClockKeeper::new(clock.clone(), store.clone(), date),
            orders_to_stop,
            store,
            clock,
        })
    }

    /// Sells what is in `shop` and runs until SIGTERM or SIGINT, then drains: accepted requests are answered,
    /// and the running batch is finished. The status shows `log_lines_dropped`.
    ///
    /// # Errors
    /// When the disk failed, or a loop panicked: a service without one of its loops would only seem to work.
    pub(crate) async fn run(self, shop: Arc<Shop>, log_lines_dropped: Arc<AtomicU64>) -> Result<(), Failure> {
        let (stop, stopping) = watch::channel(false);
        let until = || {
            let mut stopping = stopping.clone();
            async move {
                // The sender lives until the end of this function.
                let _ = stopping.wait_for(|stop| *stop).await;
            }
        };
        let app = App::new(AppParts { shop, log_lines_dropped, ..self.parts });
        let (draining, limits) = (app.draining.clone(), app.limits);
        let http = server::serve(self.listener, router(app), limits, self.proxies, until());
        let (store, clock) = (self.store, self.clock);
        let mut loops = JoinSet::new();
        let (applier, apply_clock, stopped) = (self.applier, clock.clone(), until());
        loops.spawn(async move { applier.run(&apply_clock, stopped).await });
        let (sweeper, sweep_clock, stopped) = (Sweeper { store: store.clone() }, clock.clone(), until());
        loops.spawn(async move { sweeper.run(&sweep_clock, stopped).await });
        let (mut notifier, stopped) = (self.notifier, until());
        loops.spawn(async move { notifier.run(stopped).await });
        let (pruner, prune_clock, stopped) = (self.pruner, clock.clone(), until());
        loops.spawn(async move { pruner.run(&prune_clock, stopped).await });
        let (mut keeper, stopped) = (self.keeper, until());
        loops.spawn(async move { keeper.run(stopped).await });
        // Requests that were accepted still queue commands, so the queue closes after the last request.
        let (serving, served) = oneshot::channel::<()>();
        let worker = self.worker;
        loops.spawn(async move { worker.run(&clock, async { drop(served.await) }).await });
        loops.spawn(async move {
            let drained = http.await;
            drop(serving);
            if drained.cut > 0 {
                tracing::warn!(connections = drained.cut, "cut connections that did not finish in time");
            }
        });

        let ended = tokio::select! {
            () = ordered(self.orders_to_stop) => Ok(()),
            because = store.closed() => Err(Failure::disk(because.to_string())),
            // A loop ends by itself only when it panics.
            Some(_) = loops.join_next() => Err(Failure::failed(
                "a part of the service panicked, so the service stops; everything acknowledged is on disk. \
                 Start it again, and please report the lines above",
            )),
        };
        tracing::info!("stopping: no new connections, what was accepted is answered");
        // A receiver lives until the end of this function, so this does not fail.
        let _ = stop.send(true);
        draining.send_replace(true);
        while loops.join_next().await.is_some() {}
        // A clean exit means that everything is on disk, so check that the path still names the open file.
        match closed_meanwhile(&store).await {
            Some(because) if ended.is_ok() => Err(Failure::disk(because.to_string())),
            _ => ended,
        }
    }
}

/// The error for an address that cannot be bound, with what to do.
pub(crate) fn cannot_listen(config: &Config, error: &std::io::Error) -> Failure {
    let (address, path) = (config.listen, &config.database.path);
    if error.kind() != ErrorKind::AddrInUse {
        return Failure::failed(format!("cannot listen on {address}: {error}"));
    }
    if let Some(holder) = store::sqlite::holder(path) {
        return OpenError::InUse { path: path.clone(), holder }.into();
    }
    Failure::failed(format!(
        "cannot listen on {address}: {error}. Stop what listens there, or choose another port: \
         FAIREPLACE_LISTEN=127.0.0.1:3001"
    ))
}

/// Why the database is closed for writes, if it is.
async fn closed_meanwhile(store: &Store) -> Option<CloseReason> {
    for _ in 0..3 {
        match store.check_file().await {
            Ok(()) => return None,
            Err(StoreError::FileChanged(_) | StoreError::Closed) => return Some(store.closed().await),
            // Busy, or closed before this job ran: try again to see which.
            Err(_) => {}
        }
    }
    None
}

/// Completes on either signal.
async fn ordered([mut terminate, mut interrupt]: [Signal; 2]) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
