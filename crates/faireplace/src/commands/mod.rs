//! The commands, one file each. The doc comments of the arguments are the help text.

mod actions;
mod adjust;
mod advance;
mod audit;
mod backup;
mod balance;
mod clock;
mod config_show;
mod dev;
mod doctor;
mod emulate;
mod events;
mod explain;
mod history;
mod keys;
mod listen;
mod listing;
mod openapi;
mod people;
mod quarantine;
mod report;
mod restore;
mod serve;
mod tenants;
mod trigger;

use clap::Subcommand;
use ledger::TenantId;

use crate::config::Environment;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum CliCommand {
    Dev(dev::DevArgs),
    Serve(serve::ServeArgs),
    Trigger(trigger::Trigger),
    Emulate(emulate::EmulateArgs),
    Advance(advance::AdvanceArgs),
    Listen(listen::ListenArgs),
    Balance(balance::BalanceArgs),
    History(history::HistoryArgs),
    Events(events::EventsArgs),
    Quarantine(quarantine::QuarantineArgs),
    Tenants(tenants::TenantsArgs),
    Adjust(adjust::AdjustArgs),
    Actions(actions::ActionsArgs),
    Report(report::ReportArgs),
    People(people::PeopleArgs),
    Keys(keys::KeysArgs),
    Audit(audit::AuditArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Clock(clock::ClockArgs),
    Config(config_show::ConfigArgs),
    Doctor(doctor::DoctorArgs),
    Explain(explain::ExplainArgs),
    Openapi(openapi::OpenapiArgs),
}

impl CliCommand {
    /// Runs the command.
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Dev(command) => command.run(environment).await,
            Self::Serve(command) => command.run(environment).await,
            Self::Trigger(command) => command.run(environment).await,
            Self::Emulate(command) => command.run(environment).await,
            Self::Advance(command) => command.run(environment).await,
            Self::Listen(command) => command.run(environment).await,
            Self::Balance(command) => command.run(environment).await,
            Self::History(command) => command.run(environment).await,
            Self::Events(command) => command.run(environment).await,
            Self::Quarantine(command) => command.run(environment).await,
            Self::Tenants(command) => command.run(environment).await,
            Self::Adjust(command) => command.run(environment).await,
            Self::Report(command) => command.run(environment).await,
            Self::Actions(command) => command.run(environment).await,
            Self::People(command) => command.run(environment).await,
            Self::Keys(command) => command.run(environment).await,
            Self::Audit(command) => command.run(environment).await,
            Self::Backup(command) => command.run(environment).await,
            Self::Restore(command) => command.run(environment).await,
            Self::Clock(command) => command.run(environment).await,
            Self::Config(command) => command.run(environment),
            Self::Doctor(command) => command.run(environment).await,
            Self::Explain(command) => command.run(),
            Self::Openapi(command) => {
                command.run();
                Ok(())
            }
        }
    }
}

/// Reads a tenant from the command line.
fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).ok_or_else(|| "must be a UUID, such as 550e8400-e29b-41d4-a716-446655440000".into())
}
