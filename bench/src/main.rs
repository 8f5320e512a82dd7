//! Side-by-side measurements: `cargo run --release -p bench` drives `faireplace serve`, a no-op handler and
//! the guide's own handlers with the same signed events, in one run on one machine, and prints one table;
//! `-- emulator` measures the emulator beside a plain loop, `-- spends` the credits API beside PostgreSQL.
//!
//! What is deliberately not here: what a target is measured *to do* (their own tests say), and results: a
//! table without the machine it was made on is worth nothing, so `bench/README.md` keeps both.

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

/// Measures targets side by side.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plan: Plan,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the handler that does nothing, which is what the machine and the HTTP library cost alone.
    Noop {
        /// Port on loopback.
        #[arg(long)]
        port: u16,
    },
    /// Measures the emulator: deliveries in a second, three days of payments, and how soon it is up.
    Emulator(emulation::Plan),
    /// Measures the credits API: spends on one tenant and on many, beside PostgreSQL, and reads meanwhile.
    Spends(spending::Plan),
    /// Serves the receiver of the emulator's deliveries, on a port that it prints.
    Receive,
}

/// What one run does.
#[derive(Args)]
struct Plan {
    /// Targets, in the order in which every round takes them.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    targets: Vec<Kind>,
    /// Rounds; every figure in the table is the median over them.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measured seconds of each round.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Connections, each with one request under way at any moment.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// One round of two seconds: shows that everything works, measures nothing.
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// The program to measure as faireplace, instead of building this workspace's.
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
