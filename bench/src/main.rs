//! Side-by-side measurements. `cargo run --release -p bench` sends the same signed events to
//! `faireplace serve`, a no-op handler and the webhook guide's handlers, and prints one table; `-- emulator`
//! compares the emulator with a plain loop, `-- spends` the credits API with PostgreSQL.
//!
//! Results, with the machine they were measured on, are in `bench/README.md`.

mod deliveries;
mod emulation;
mod load;
mod machine;
mod noop;
mod peers;
mod process;
mod report;
mod rounds;
mod spending;
mod target;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use target::Kind;

/// Measure targets side by side
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plan: Plan,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the handler that does nothing: the cost of the machine and the HTTP library alone
    Noop {
        /// Port on localhost
        #[arg(long)]
        port: u16,
    },
    /// Measure the emulator: deliveries per second, three days of payments, and the start
    Emulator(emulation::Plan),
    /// Measure the credits API: spends on one tenant and on many, compared with PostgreSQL, and reads
    Spends(spending::Plan),
    /// Serve the receiver of the emulator's deliveries, on a port that it prints
    Receive,
}

/// Options of a run.
#[derive(Args)]
struct Plan {
    /// Targets, in the order in which every round measures them
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    targets: Vec<Kind>,
    /// Number of rounds; every figure in the table is the median over the rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measured seconds per round
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Connections; each sends its next request when the last one is answered
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Run one round of two seconds, to see that everything works
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Program to measure as faireplace, instead of building this workspace's
    #[arg(long)]
    faireplace: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Cli { command, mut plan } = Cli::parse();
    if plan.quick {
        (plan.rounds, plan.seconds) = (1, 2);
    }
    let done = match command {
        Some(Command::Noop { port }) => noop::serve(port),
        Some(Command::Emulator(plan)) => emulation::run(&plan),
        Some(Command::Spends(plan)) => spending::run(&plan),
        Some(Command::Receive) => emulation::receiver::serve(),
        None => rounds::run(&plan),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
