//! `faireplace serve`: the service, with a log on standard error and everything from the settings.

use clap::Args;

use crate::checkout;
use crate::config::{Config, Environment, Mistakes, Raw};
use crate::failure::Failure;
use crate::log::Log;
use crate::outgoing::date;
use crate::service::Service;

/// Run the service: receive webhooks, apply them, answer the API
///
/// Settings that matter: STRIPE_WEBHOOK_SECRET (it must be set), DATABASE_URL, FAIREPLACE_MODE (live or
/// test), FAIREPLACE_LISTEN. `faireplace config show` prints them all. Ctrl-C or SIGTERM stops it in order.
#[derive(Args)]
pub(crate) struct Serve {
    /// The name of the first person who operates this, where nobody is registered; else your user's
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Serve {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let raw = Raw::gather(environment)?;
        let config = Config::check(&raw)?.with_first_person(self.name);
        let mistakes = Mistakes::find(&raw, &config);
        mistakes.refuse()?;
        // None is refused above.
        let secrets = config.secrets.clone().unwrap_or_default();
        let key = config.stripe_key.as_ref().map(|key| key.require(config.mode)).transpose()?;
        let shop = checkout::shop(&config, key, config.stripe_base.as_deref())?;
        let log = Log::start(&config.log, config.log_json)?;
        for mistake in &mistakes.named {
            tracing::warn!("{mistake}");
        }
        let date = date::source(config.stripe_base.as_deref().unwrap_or(checkout::STRIPE));
        let mut service = Service::open(&config, secrets, date).await?;
        service.app.shop = shop;
        service.app.log_lines_dropped = log.dropped();
        tracing::info!(
            webhook = format!("http://{}/webhooks/stripe", service.address),
            database = %config.database.path.display(),
            mode = config.mode.as_str(),
            secrets = config.secrets.as_ref().map_or(0, Vec::len),
            packages = config.packages.len(),
            "ready: a 2xx means that the event is on disk (SQLite, synchronous=FULL)"
        );
        service.run().await?;
        tracing::info!("stopped: everything that was acknowledged is on disk");
        Ok(())
    }
}
