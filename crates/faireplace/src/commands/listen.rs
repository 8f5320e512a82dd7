//! `faireplace listen`: forwards the events of a Stripe account or of the emulator to an endpoint.

use clap::{Args, ValueEnum};
use engine::Clock;
use store::Mode;
use tokio::signal::unix::{SignalKind, signal};

use crate::account::nearest;
use crate::config::{Config, Database, Environment, Raw};
use crate::failure::Failure;
use crate::listen::api::EventsApi;
use crate::listen::{Listener, Pace, Selection, secret};
use crate::outgoing::Certificates;
use crate::sender::EventSender;
use crate::terminal::{faint, line, note, say};

const STRIPE: &str = "https://api.stripe.com";

/// Forward the events of Stripe or the emulator to your endpoint
///
/// Like `stripe listen`, but it polls the events API, so that nothing is lost while the endpoint, the API or
/// the network is down. An event that is not answered with 2xx is signed and sent again after 1, 2, 4 … 30
/// seconds, for three days, before any later event. Only events created after the start are forwarded.
/// Ctrl-C stops it.
///
/// The events are the emulator's, or with STRIPE_SECRET_KEY those of your Stripe account (a restricted key
/// that can read events is enough). They are signed with STRIPE_WEBHOOK_SECRET, else with the secret of
/// `faireplace dev` in this folder, else with a new secret that is kept beside the database.
#[derive(Args)]
#[command(after_help = "Examples:
  faireplace listen --forward-to localhost:3000/webhooks/stripe
  faireplace listen -f 4242 --events checkout.session.completed,charge.refunded
  STRIPE_SECRET_KEY=rk_test_… faireplace listen -f https://app.test/webhook --skip-verify
  STRIPE_WEBHOOK_SECRET=$(faireplace listen --print-secret) npm start
  faireplace listen --format JSON | jq -r .type")]
pub(crate) struct ListenArgs {
    /// Destination: a URL, host:port/path, or a port of this machine [default: only print events]
    #[arg(short, long, value_name = "URL")]
    forward_to: Option<String>,
    /// Event types, separated by commas; `charge.*` matches a prefix
    #[arg(short, long, value_name = "TYPES", value_delimiter = ',', default_value = "*")]
    #[arg(value_parser = type_name)]
    events: Vec<String>,
    /// Base URL of the events API [default: STRIPE_API_BASE, else `https://api.stripe.com` with
    /// STRIPE_SECRET_KEY, else the emulator at `http://127.0.0.1:12111`]
    #[arg(long, value_name = "URL")]
    api_base: Option<String>,
    /// Request the newest API version. Stripe keeps each event in the version in which it was created, so
    /// this changes little there
    #[arg(short, long)]
    latest: bool,
    /// Print only the signing secret, and exit
    #[arg(long)]
    print_secret: bool,
    /// Accept any certificate of the endpoint; the API's certificate is always verified
    #[arg(long)]
    skip_verify: bool,
    /// Print each event as one line of JSON, and everything else to standard error
    #[arg(long, value_enum, ignore_case = true)]
    format: Option<ListenFormat>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ListenFormat {
    #[value(name = "JSON")]
    Json,
}

impl ListenArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let config = Config::of_database_or(environment, Mode::Test)?;
        let origin = secret::find(&config)?;
        if self.print_secret {
            say!("{}", origin.secret().expose());
            return Ok(());
        }
        let api = self.api(&Raw::gather(environment)?, &config.database)?;
        let raw = self.format.is_some();
        let out = if raw { note } else { line };
        let clock = Clock::system();
        let certificates = if self.skip_verify { Certificates::Unchecked } else { Certificates::Checked };
        let sender = match &self.forward_to {
            Some(to) => {
                let secret = origin.secret().clone();
                Some(EventSender::with(&address(to), secret, clock.clone(), certificates, out)?)
            }
            None => None,
        };
        out(&faint(&format!("Getting ready... (events of {})", api.shown())));
        let pace = Pace::towards(&api);
        let selection = Selection(self.events);
        let greeting = origin.greeting();
        let listener = Listener { api, sender, selection, clock, pace, raw, say: out, greeting };
        let mut terminate =
            signal(SignalKind::terminate()).map_err(|error| Failure::failed(error.to_string()))?;
        tokio::select! {
            failure = listener.run() => Err(failure),
            _ = tokio::signal::ctrl_c() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    }

    fn api(&self, raw: &Raw, database: &Database) -> Result<EventsApi, Failure> {
        let key = raw.get("STRIPE_SECRET_KEY").unwrap_or(emulator::API_KEY);
        let said = self.api_base.as_deref().or(raw.get("STRIPE_API_BASE"));
        let base = match said {
            None if key != emulator::API_KEY => STRIPE.to_owned(),
            said => nearest(said, Some(database)),
        };
        EventsApi::new(&base, key, Selection(self.events.clone()).types(), self.latest)
    }
}

/// An event type, or a prefix followed by `*`.
fn type_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let exact = name.strip_suffix('*').unwrap_or(name);
    if !name.is_empty() && exact.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte)) {
        return Ok(name.to_owned());
    }
    Err("must be event types, such as charge.refunded,refund.*".to_owned())
}

/// The forms that `stripe listen` accepts: a URL; host, port and path; a port; a path. A port may have a
/// path.
pub(super) fn address(text: &str) -> String {
    if text.contains("://") {
        text.to_owned()
    } else if text.starts_with('/') {
        format!("http://localhost{text}")
    } else if text.split('/').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
        format!("http://localhost:{text}")
    } else {
        format!("http://{text}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_event_type_is_a_name_or_a_prefix() {
        for good in ["*", "charge.refunded", "charge.*", " v2.core.event "] {
            assert_eq!(super::type_name(good).as_deref(), Ok(good.trim()));
        }
        for bad in ["", " ", "charge refunded", "*.refunded", "charge.**", "a&b"] {
            assert!(super::type_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn short_forms_of_an_endpoint() {
        for (text, address) in [
            ("4242", "http://localhost:4242"),
            ("4242/hook", "http://localhost:4242/hook"),
            ("localhost:3000/hook", "http://localhost:3000/hook"),
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("/hook", "http://localhost/hook"),
            ("httpbin.test/post", "http://httpbin.test/post"),
            ("https://app.test/hook?a=b", "https://app.test/hook?a=b"),
        ] {
            assert_eq!(super::address(text), address, "{text}");
        }
    }
}
