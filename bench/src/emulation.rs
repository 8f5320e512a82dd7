//! Measurements of the emulator (`cargo run --release -p bench -- emulator`): deliveries per second, compared
//! with a plain loop that POSTs the same bodies; three days of payments in virtual time; and the start time
//! of `faireplace emulate`.
//!
//! A round in which an event was lost, delivered twice or out of order ends the run with an error.

mod account;
mod flood;
pub(crate) mod receiver;
mod start;
mod story;

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tokio::runtime::Runtime;

use crate::{
    machine, peers,
    report::{hundredths, median},
};
use receiver::Receiver;

/// Options of a run.
#[derive(Args)]
pub(crate) struct Plan {
    /// Number of rounds; every figure is the median over the rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Number of payments whose events are delivered as fast as possible
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    payments: u32,
    /// Number of payments in the three days
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    story: u32,
    /// What to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::ALL)]
    parts: Vec<Part>,
    /// Program whose start is measured, instead of building this workspace's
    #[arg(long)]
    faireplace: Option<PathBuf>,
}

/// A measurement.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Deliveries per second.
    Deliveries,
    /// Three days of payments.
    Story,
    /// From the start of the process to its first answer.
    Start,
}

impl Part {
    const ALL: [Self; 3] = [Self::Deliveries, Self::Story, Self::Start];
}

/// Measures, and prints the medians.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "measures release builds only: cargo run --release -p bench");
    std::fs::create_dir_all(peers::tools())?;
    println!("machine     {}", machine::describe(&peers::tools())?);
    if plan.parts.contains(&Part::Deliveries) {
        println!("{}", flood::HEADER);
        for endpoints in [1, 4] {
            let rounds =
                rounds(plan, &async |receiver| flood::measure(receiver, plan.payments, endpoints).await)?;
            println!("{}", flood::row(endpoints, &rounds));
        }
    }
    if plan.parts.contains(&Part::Story) {
        let told = rounds(plan, &async |receiver| story::tell(receiver, plan.story).await)?;
        println!("{}", story::line(&told));
    }
    if plan.parts.contains(&Part::Start) {
        let program = plan.faireplace.clone().map_or_else(peers::faireplace, Ok)?;
        let started = rounds(plan, &async |_| start::measure(&program).await)?;
        println!("{}", start::line(&started));
    }
    Ok(())
}

/// The figures of all rounds. Every round has a new receiver.
fn rounds<R>(plan: &Plan, round: &impl AsyncFn(&Receiver) -> anyhow::Result<R>) -> anyhow::Result<Vec<R>> {
    let runtime = Runtime::new()?;
    let one = async || round(&Receiver::start().await?).await;
    (0..plan.rounds).map(|_| runtime.block_on(one())).collect()
}

/// The median of one figure over the rounds; 0 if there are none.
fn middle<R>(rounds: &[R], figure: impl Fn(&R) -> u64) -> u64 {
    median(rounds.iter().map(figure).collect()).unwrap_or_default()
}

/// An integer number of thousandths, as a decimal number with two places.
fn of_thousandths(value: u64) -> String {
    hundredths(value / 10)
}
