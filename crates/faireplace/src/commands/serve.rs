//! `faireplace serve`: runs the service, with its log on standard error.

use clap::Args;

use crate::checkout;
use crate::config::{Config, Environment, Mistakes, Raw};
use crate::failure::Failure;
use crate::log::Log;
use crate::outgoing::date;
use crate::service::Service;

/// Run the service: receive webhooks, apply events, serve the API
///
/// Important settings: STRIPE_WEBHOOK_SECRET (required), DATABASE_URL, FAIREPLACE_MODE (live or test),
/// FAIREPLACE_LISTEN. `faireplace config show` prints all of them. Ctrl-C or SIGTERM stops it gracefully.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Name of the first operator, if nobody is registered yet [default: your user name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl ServeArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let raw = Raw::gather(environment)?;
        let config = Config::check(&raw)?.with_first_person(self.name);
        let mistakes = Mistakes::find(&raw, &config);
        mistakes.refuse()?;
        // A missing secret was refused above.
        let secrets = config.secrets.clone().unwrap_or_default();
        let key = config.stripe_key.as_ref().map(|key| key.require(config.mode)).transpose()?;
        let shop = checkout::shop(&config, key, config.stripe_base.as_deref())?;
        let log = Log::start(&config.log, config.log_json)?;
        for mistake in &mistakes.named {
            tracing::warn!("{mistake}");
        }
        let date = date::source(config.stripe_base.as_deref().unwrap_or(checkout::STRIPE));
        let service = Service::open(&config, secrets, date).await?;
        tracing::info!(
            webhook = format!("http://{}/webhooks/stripe", service.address),
            database = %config.database.path.display(),
            mode = config.mode.as_str(),
            secrets = config.secrets.as_ref().map_or(0, Vec::len),
            packages = config.packages.len(),
            "ready: a 2xx means that the event is on disk (SQLite, synchronous=FULL)"
        );
        service.run(shop, log.dropped()).await?;
        tracing::info!("stopped: everything that was acknowledged is on disk");
        Ok(())
    }
}
