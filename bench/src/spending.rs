//! Measurements of the credits API (`cargo run --release -p bench -- spends`): spends over HTTP, durable
//! before they are answered, on one hot tenant and spread over many; the same number of row-locking function
//! calls on PostgreSQL; and the time to read a balance during the spends.
//!
//! Every tenant has more credits than a run can spend. An answer other than 200 ends the run with an error.

mod load;
mod postgres;
mod service;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use tokio::runtime::Runtime;

use crate::{
    load::percentile,
    machine, peers,
    report::{hundredths, median},
};
use postgres::Postgres;
use service::Service;

/// Options of a run.
#[derive(Args)]
pub(crate) struct Plan {
    /// Number of rounds; every figure is the median over the rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measured seconds per part of a round
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Connections that spend; each sends its next request when the last one is answered
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Number of tenants in the spread load
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    tenants: u32,
    /// Run one round of one second, to see that everything works
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Program to measure, instead of building this workspace's
    #[arg(long)]
    faireplace: Option<PathBuf>,
}

/// Number of connections that read balances while the others spend.
const READERS: u32 = 4;

/// Result of one load of spends. Times are in microseconds.
#[derive(Clone, Copy, Default)]
struct Spends {
    per_second: u64,
    p99: u64,
    /// CPU time of the service per spend.
    cpu: u64,
}

/// Result of one round. Times are in microseconds.
#[derive(Default)]
struct Round {
    hot: Spends,
    spread: Spends,
    idle_read_p99: u64,
    read_p50: u64,
    read_p99: u64,
    /// At the end of the round, in KiB.
    resident_kib: u64,
    /// Spends per second on one row and on all rows; none without PostgreSQL.
    postgres: Option<(u64, u64)>,
}

/// Runs all rounds, and prints each round as it ends, and the medians.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "measures release builds only: cargo run --release -p bench -- spends");
    let (rounds, seconds) = if plan.quick { (1, 1) } else { (plan.rounds, plan.seconds) };
    std::fs::create_dir_all(peers::tools())?;
    let program = plan.faireplace.clone().map_or_else(peers::faireplace, Ok)?;
    println!("machine     {}", machine::describe(&peers::tools())?);
    let postgres = match Postgres::start(plan.tenants) {
        Ok(postgres) => Some(postgres),
        Err(error) => {
            eprintln!("\n!!! NOT MEASURED: PostgreSQL: {error:#}\n");
            None
        }
    };
    let runtime = Runtime::new()?;
    let mut all = Vec::new();
    for number in 1..=rounds {
        let time = Duration::from_secs(seconds);
        let mut round = runtime.block_on(round(plan, &program, number, time))?;
        if let Some(postgres) = &postgres {
            let (hot, spread) =
                (postgres.hot(plan.connections, time)?, postgres.spread(plan.connections, time)?);
            round.postgres = Some((hot, spread));
        }
        let (hot, spread) = (round.hot.per_second, round.spread.per_second);
        eprintln!("round {number} of {rounds}: hot {hot}/s, spread {spread}/s");
        all.push(round);
    }
    print!("{}", table(plan, seconds, &all));
    Ok(())
}

/// One round on a new service. The order of the two loads alternates, because the second one finds a larger
/// database.
async fn round(plan: &Plan, program: &std::path::Path, number: u32, time: Duration) -> anyhow::Result<Round> {
    let service = Service::start(program, plan.tenants).await?;
    let (hot, spread) = (&service.keys[..1], &service.keys[1..]);
    let warm_up = Duration::from_secs(1);
    load::spend(service.address, spread, plan.connections, warm_up).await?;
    let idle = load::read(service.address, hot, READERS, warm_up).await?;
    let mut round = Round { idle_read_p99: percentile(&idle.micros, 99), ..Round::default() };
    for is_hot in if number.is_multiple_of(2) { [false, true] } else { [true, false] } {
        let keys = if is_hot { hot } else { spread };
        let before = service.cpu_micros()?;
        let sample = load::spend(service.address, keys, plan.connections, time).await?;
        let used = service.cpu_micros()? - before;
        let spends = Spends {
            per_second: sample.per_second(),
            p99: percentile(&sample.micros, 99),
            cpu: used / u64::try_from(sample.micros.len())?.max(1),
        };
        if is_hot {
            round.hot = spends;
        } else {
            round.spread = spends;
        }
    }
    let (spending, reading) = tokio::join!(
        load::spend(service.address, spread, plan.connections, time),
        load::read(service.address, hot, READERS, time),
    );
    spending?;
    let reading = reading?;
    (round.read_p50, round.read_p99) = (percentile(&reading.micros, 50), percentile(&reading.micros, 99));
    round.resident_kib = service.resident_kib()?;
    service.check_books().await?;
    Ok(round)
}

fn table(plan: &Plan, seconds: u64, rounds: &[Round]) -> String {
    let middle = |figure: fn(&Round) -> u64| median(rounds.iter().map(figure).collect()).unwrap_or_default();
    let ratio = |one: u64, other: u64| hundredths((one * 100).checked_div(other).unwrap_or_default());
    let millis = |micros: u64| hundredths(micros / 10);
    let (hot, spread) = (middle(|round| round.hot.per_second), middle(|round| round.spread.per_second));
    let hot_to_spread = |round: &Round| round.hot.per_second * 100 / round.spread.per_second.max(1);
    let hot_to_spread = median(rounds.iter().map(hot_to_spread).collect());
    let mut text = format!(
        "load        spends of 1 credit, each with its own idempotency key, {} connections, closed loop, \
         {} tenants; medians of {} rounds of {seconds} s\n\
         durability  faireplace: SQLite, WAL, synchronous=FULL, group commit; PostgreSQL: its defaults\n\n\
         | | spends/s | p99 ms | CPU µs | |\n|---|--:|--:|--:|---|\n\
         | faireplace, one hot tenant | {hot} | {} | {} | over HTTP |\n\
         | faireplace, {} tenants | {spread} | {} | {} | over HTTP |\n",
        plan.connections,
        plan.tenants,
        rounds.len(),
        millis(middle(|round| round.hot.p99)),
        middle(|round| round.hot.cpu),
        plan.tenants,
        millis(middle(|round| round.spread.p99)),
        middle(|round| round.spread.cpu),
    );
    let of_postgres = |side: fn((u64, u64)) -> u64| {
        median(rounds.iter().filter_map(|round| round.postgres.map(side)).collect())
    };
    if let (Some(pg_hot), Some(pg_spread)) = (of_postgres(|p| p.0), of_postgres(|p| p.1)) {
        text += &format!(
            "| PostgreSQL, one hot row | {pg_hot} | | | a locking function, called by pgbench: no HTTP |\n\
             | PostgreSQL, {} rows | {pg_spread} | | | the same |\n\n\
             faireplace to PostgreSQL, hot: {} ×; spread: {} ×\n",
            plan.tenants,
            ratio(hot, pg_hot),
            ratio(spread, pg_spread),
        );
    }
    text += &format!(
        "\nhot : spread = {} (median of the rounds' ratios)\n\
         a balance, read while {} connections spend: p50 {} ms, p99 {} ms; on an idle service p99 {} ms\n\
         resident after that: {} MiB\n",
        hundredths(hot_to_spread.unwrap_or_default()),
        plan.connections,
        millis(middle(|round| round.read_p50)),
        millis(middle(|round| round.read_p99)),
        millis(middle(|round| round.idle_read_p99)),
        hundredths(middle(|round| round.resident_kib) * 100 / 1024),
    );
    text
}
