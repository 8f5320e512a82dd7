//! `faireplace`: turns Stripe payments into an exact prepaid-credit balance. This file parses the command
//! line and sets the exit code; each command has a file of its own.

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

use commands::CliCommand;
use config::Environment;
use failure::Failure;

/// A sixth of a spend's CPU time went into the system's allocator, part of it waiting for other threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AFTER_HELP: &str = "Exit codes: 0 done, 1 refused or failed, 2 usage error, 74 the disk failed, \
                          78 invalid configuration.

Start with: faireplace dev";

/// Turn Stripe payments into an exact prepaid-credit balance.
///
/// Settings come from the environment and from faireplace.toml in the current folder (or the file named by
/// FAIREPLACE_CONFIG). `faireplace config show` prints each setting and where it came from.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: CliCommand,
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
