//! One run: every round measures every target in turn, so that other load on the machine affects all targets
//! alike. Each round starts a new process on an empty database and warms it up for one second.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{
    Plan,
    deliveries::Deliveries,
    load::{self, now, percentile},
    machine, peers,
    process::{cpu_micros, resident_kib},
    report::{self, Backlog, Figures, Run},
    target::{Kind, Target},
};

const WARM_UP: Duration = Duration::from_secs(1);
/// Maximum time to wait until the backlog is applied.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// Runs all rounds, and prints each round as it ends, and the table.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "measures release builds only: cargo run --release -p bench");
    let programs = programs(plan)?;
    fs::create_dir_all(peers::tools())?;
    let machine = machine::describe(&peers::tools())?;
    let deliveries = Arc::new(Deliveries::new()?);
    let mut figures: Vec<(Kind, Vec<Figures>)> =
        programs.iter().map(|(kind, _)| (*kind, Vec::new())).collect();
    // One thread per core: with a single thread, the clients would limit the fastest target.
    let runtime = Runtime::new()?;
    for round in 1..=plan.rounds {
        for ((kind, program), (_, figures)) in programs.iter().zip(&mut figures) {
            let one = runtime.block_on(async {
                let target = Target::start(*kind, program, &deliveries).await?;
                measure(plan, &target, &deliveries).await.with_context(|| target.log_tail())
            })?;
            eprintln!("round {round} of {}: {:<22} {}/s", plan.rounds, kind.name(), one.per_second);
            figures.push(one);
        }
    }
    let run = Run {
        machine,
        body_bytes: deliveries.body_len(),
        connections: plan.connections,
        rounds: plan.rounds,
        seconds: plan.seconds,
    };
    print!("{}", report::render(&run, &figures));
    Ok(())
}

/// The programs that this machine can run. Missing handlers of the guide are reported and skipped; the other
/// two are required.
fn programs(plan: &Plan) -> anyhow::Result<Vec<(Kind, PathBuf)>> {
    let mut programs = Vec::new();
    for &kind in &plan.targets {
        match (kind, kind.program(plan.faireplace.as_deref())) {
            (_, Ok(program)) => programs.push((kind, program)),
            (Kind::Node | Kind::Python, Err(error)) => {
                eprintln!("\n!!! NOT MEASURED: {}: {error:#}\n", kind.name());
            }
            (Kind::Noop | Kind::Faireplace, Err(error)) => return Err(error),
        }
    }
    Ok(programs)
}

async fn measure(plan: &Plan, target: &Target, deliveries: &Arc<Deliveries>) -> anyhow::Result<Figures> {
    let warm = load::drive_deliveries(target.address, deliveries, plan.connections, WARM_UP).await?;
    let before = cpu_micros(target.id())?;
    let time = Duration::from_secs(plan.seconds);
    let sample = load::drive_deliveries(target.address, deliveries, plan.connections, time).await?;
    let ended = now();
    let used = cpu_micros(target.id())? - before;
    let resident_kib = resident_kib(target.id())?;
    let requests = u64::try_from(sample.micros.len())?;
    let backlog = match wait_for_backlog(target).await? {
        false => None,
        true => Some(Backlog {
            millis: u64::try_from(ended.elapsed().as_millis())?,
            // Since the start of the process, warm-up included: the CPU time cannot be divided between the
            // two.
            cpu_micros: cpu_micros(target.id())? / (requests + u64::try_from(warm.micros.len())?),
        }),
    };
    Ok(Figures {
        per_second: sample.per_second(),
        p50_micros: percentile(&sample.micros, 50),
        p99_micros: percentile(&sample.micros, 99),
        cpu_micros: used / requests,
        resident_kib,
        backlog,
    })
}

/// Waits until `/api/health` reports nothing pending. `false` if the target does not report it.
async fn wait_for_backlog(target: &Target) -> anyhow::Result<bool> {
    let deadline = now() + MAX_WAIT;
    loop {
        let Some(health) = load::get(target.address, "/api/health").await? else { return Ok(false) };
        let health: Value = serde_json::from_slice(&health)?;
        let pending = health.get("data").unwrap_or(&health).get("pending").and_then(Value::as_u64);
        match pending {
            None => return Ok(false),
            Some(0) => return Ok(true),
            Some(left) if now() > deadline => anyhow::bail!("{left} events still pending after {MAX_WAIT:?}"),
            Some(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
