//! Deliveries per second: the events of many purchases are held back, released at once, and timed until the
//! last one is answered. The same round also times a plain loop: the same bodies, rendered and signed in
//! advance, are POSTed one after the other on one persistent connection per endpoint.

use std::{net::SocketAddr, time::Duration};

use anyhow::ensure;
use emulator::Emulator;
use emulator::act::control::{ControlCommand as _, HoldDeliveries, Release};
use stripe::{Secret, signature::sign, write::pretty};
use tokio::task::JoinSet;

use super::{account, middle, of_thousandths, receiver::Receiver};
use crate::{
    deliveries::{Delivery, unix_seconds},
    load::{self, now},
    process::cpu_micros,
};

/// Result of one round.
pub(crate) struct Flood {
    deliveries: u64,
    body_bytes: u64,
    emulator: Cost,
    plain: Cost,
}

struct Cost {
    per_second: u64,
    /// The sender's CPU time per delivery, in nanoseconds.
    cpu_nanos: u64,
}

/// Header of the table.
pub(crate) const HEADER: &str = "
| endpoints | deliveries | bytes each | emulator /s | plain loop /s | ratio | emulator CPU µs | plain CPU µs |
|--:|--:|--:|--:|--:|--:|--:|--:|";

/// One round.
pub(crate) async fn measure(receiver: &Receiver, payments: u32, endpoints: u32) -> anyhow::Result<Flood> {
    let emulator = account::open((0..endpoints).map(|endpoint| receiver.url(endpoint)))?;
    hold(&emulator, true)?;
    for tenant in 0..payments {
        let bought = emulator.with(|world| account::buy(world, tenant, "4242424242424242"));
        ensure!(bought.is_some(), "a card was refused");
    }
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let runner = emulator.clone();
    let running = tokio::spawn(async move {
        runner.run(async { drop(stopping.await) }).await;
    });
    // Gives the workers time to start.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let events: Vec<String> =
        emulator.with(|world| world.events().iter().map(|event| event.id.clone()).collect());
    let deliveries = u64::try_from(events.len())? * u64::from(endpoints);
    let release = timed(receiver, deliveries, async {
        hold(&emulator, false)?;
        emulator.quiet().await;
        anyhow::Ok(())
    });
    let emulated = release.await?;
    for endpoint in 0..endpoints {
        receiver.expect(endpoint, &events).await?;
    }
    drop(stop);
    running.await?;
    let bodies = rendered(&emulator)?;
    let body_bytes = bodies.iter().map(|(body, _)| body.len()).sum::<usize>() / bodies.len();
    let plain = timed(receiver, deliveries, plain(receiver.address, &bodies, endpoints)).await?;
    for endpoint in 0..endpoints {
        receiver.expect(endpoint, &events).await?;
    }
    Ok(Flood { deliveries, body_bytes: u64::try_from(body_bytes)?, emulator: emulated, plain })
}

/// The table row for this number of endpoints.
pub(crate) fn row(endpoints: u32, rounds: &[Flood]) -> String {
    let ratio = |round: &Flood| round.emulator.per_second * 1_000 / round.plain.per_second.max(1);
    format!(
        "| {endpoints} | {} | {} | {} | {} | {} × | {} | {} |",
        middle(rounds, |round| round.deliveries),
        middle(rounds, |round| round.body_bytes),
        middle(rounds, |round| round.emulator.per_second),
        middle(rounds, |round| round.plain.per_second),
        of_thousandths(middle(rounds, ratio)),
        middle(rounds, |round| round.emulator.cpu_nanos / 1_000),
        middle(rounds, |round| round.plain.cpu_nanos / 1_000),
    )
}

fn hold(emulator: &Emulator, held: bool) -> anyhow::Result<()> {
    emulator.with(|world| {
        let ids: Vec<String> = world.endpoints().iter().map(|endpoint| endpoint.id.clone()).collect();
        for id in ids {
            if held {
                HoldDeliveries { endpoint: id }.run(world)?;
            } else {
                Release { endpoint: id, shuffle: None, times: 1 }.run(world)?;
            }
        }
        Ok(())
    })
}

async fn timed(
    receiver: &Receiver,
    deliveries: u64,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Cost> {
    // The receiver is a child of this process, so its CPU time is subtracted.
    let used = || anyhow::Ok(cpu_micros(std::process::id())? - cpu_micros(receiver.id())?);
    let (start, before) = (now(), used()?);
    work.await?;
    let (micros, used) = (u64::try_from(start.elapsed().as_micros())?, used()? - before);
    Ok(Cost { per_second: deliveries * 1_000_000 / micros.max(1), cpu_nanos: used * 1_000 / deliveries })
}

/// Body and signature of every event, in order.
fn rendered(emulator: &Emulator) -> anyhow::Result<Vec<(bytes::Bytes, String)>> {
    let secret = [Secret::parse("whsec_5JqXo2v8Zt1RkLw9Yb3Nf7Hd4Gc6Ms0P")?];
    Ok(emulator.with(|world| {
        let body = |event: &emulator::object::EventRecord| {
            let body = pretty(&event.render(Default::default(), event.recipients));
            let signature = sign(body.as_bytes(), unix_seconds(), &secret);
            (body.into(), signature)
        };
        world.events().iter().map(body).collect()
    }))
}

async fn plain(address: SocketAddr, bodies: &[(bytes::Bytes, String)], endpoints: u32) -> anyhow::Result<()> {
    let mut loops = JoinSet::new();
    for endpoint in 0..endpoints {
        let bodies = bodies.to_vec();
        loops.spawn(async move {
            let path = format!("/{endpoint}");
            let mut connection = load::connect(address).await?;
            for (body, signature) in bodies {
                let (status, _) =
                    load::exchange(&mut connection, &path, Delivery { body, signature }).await?;
                ensure!(status == 200, "answered {status}");
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended??;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
