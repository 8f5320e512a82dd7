//! `faireplace`: Stripe payments in, an exact prepaid-credit balance out. One program, one file per command.
//! Not here: anything that the commands do. This reads the command line and says how it ended.

mod account;
mod background_writer;
mod checkout;
mod client;
mod commands;
mod config;
mod delivery_line;
mod descriptors;
mod dev_file;
mod emulation;
mod failure;
mod listen;
mod log;
mod operator_key;
mod outgoing;
mod sender;
mod service;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;
use config::Environment;
use failure::Failure;

/// A sixth of a spend's CPU time went into the system's allocator, part of it waiting for other threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AFTER_HELP: &str = "Exit codes: 0 done, 1 refused or failed, 2 not understood, 74 the disk failed, \
                          78 settings that cannot be used.

Start with: faireplace dev";

/// Stripe payments in, an exact prepaid-credit balance out.
///
/// Settings come from the environment, and from faireplace.toml in this folder (or the file that
/// FAIREPLACE_CONFIG names); `faireplace config show` prints each one and where it came from.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let environment = Environment::of_this_process();
    terminal::heed(environment.get("NO_COLOR"));
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(arguments.command.run(&environment)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            background_writer::last_words(terminal::error(&failure.to_string()));
            failure.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
