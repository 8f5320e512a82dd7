//! `faireplace trigger`: realistic, signed events for a webhook endpoint: a single one, or all events of one
//! payment; in order or shuffled, once or several times.

mod emulated;
mod expected;
mod plan;

use clap::Args;
use emulator::scenario::{Scenario, Step, event_names, steps_to};
use engine::{Clock, entropy};
use ledger::TenantId;
use store::Mode;
use stripe::write::ApiVersion;

use crate::account::{Account, text};
use crate::client::{Client, running};
use crate::config::{Config, Environment};
use crate::dev_file::DevFile;
use crate::failure::Failure;
use crate::sender::EventSender;
use crate::terminal::{bold, faint, green, red, say};
pub(super) use emulated::open_session;
use emulated::{DeliveryOrder, EmulatedPayment};
use plan::Plan;

/// Send realistic, signed events to a webhook endpoint
///
/// Either one EVENT, such as charge.refunded, or with --story all events of one payment: purchase,
/// partial-refund, pending-refund, failed-refund, dispute-won, dispute-lost, async, declined. They are test
/// events.
#[derive(Args)]
#[command(after_help = "Examples:
  faireplace trigger checkout.session.completed --payment r1
  faireplace trigger charge.refunded --payment r1 --amount 7000
  faireplace trigger --story partial-refund --times 3 --shuffle")]
pub(crate) struct Trigger {
    /// Type of the event
    #[arg(required_unless_present_any = ["story", "list"], conflicts_with = "story")]
    event: Option<String>,
    /// All events of one payment
    #[arg(long)]
    story: Option<String>,
    /// List events and stories
    #[arg(long)]
    list: bool,
    /// UUID of the tenant that buys
    #[arg(long, default_value = crate::dev_file::DEMO_TENANT, value_parser = super::tenant)]
    tenant: TenantId,
    /// Package to buy
    #[arg(long, default_value = "10_credits")]
    package: String,
    /// Your name for the payment, to send more events about it later [default: a new payment]
    #[arg(long, value_name = "REF")]
    payment: Option<String>,
    /// Amount of the event in minor units; with the emulator, of a refund
    #[arg(long, value_name = "MINOR", conflicts_with = "story")]
    amount: Option<i64>,
    /// Number of times to deliver each event
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    times: u32,
    /// Deliver the events in random order
    #[arg(long)]
    shuffle: bool,
    /// Seed of the random order; the same seed gives the same order [default: a new seed]
    #[arg(long, requires = "shuffle")]
    seed: Option<u64>,
    /// Send live events; a live deployment grants credits for them that nobody paid for
    #[arg(long)]
    live: bool,
    /// URL of the endpoint [default: the service on this database]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
}

impl Trigger {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        if self.list {
            print_list();
            return Ok(());
        }
        // Without a database or a setting, the mode is test: made-up payments never become live by default.
        let config = Config::of_database_or(environment, Mode::Test)?;
        if config.mode == Mode::Live && !self.live {
            return Err(Failure::failed(
                "this deployment is live, where a made-up payment would book real credits: nothing was sent. \
                 Rehearse with `faireplace dev` in another folder, or say --live if you mean it",
            ));
        }
        let clock = Clock::system();
        let random = u64::from_le_bytes(entropy::bytes());
        let plan = Plan::make(&self, &config, clock.now(), random)?;
        let dev = DevFile::read(&config.database);
        let service = running(&config.database);
        if let (Some(url), Some(dev), Some(steps)) = (&service, &dev, self.emulated_steps(&plan))
            && let Some(account) = account(dev).await
        {
            return self.emulate(&config, &account, url, &plan, steps).await;
        }
        let secret = match (&config.secrets, &dev) {
            (Some(secrets), _) => secrets[0].clone(),
            (None, Some(dev)) => dev.secret()?,
            (None, None) => {
                return Err(Failure::configuration(
                    "there is no secret to sign with: start `faireplace dev` in this folder, or set \
                     STRIPE_WEBHOOK_SECRET to the endpoint's",
                ));
            }
        };
        let endpoint = self.to.clone().unwrap_or_else(|| {
            let url = service.clone().unwrap_or_else(|| format!("http://{}", config.listen));
            format!("{url}/webhooks/stripe")
        });
        let sender = EventSender::new(&endpoint, secret, clock)?;
        if let Some(seed) = plan.seed {
            say!(
                "{}",
                faint(&format!(
                    "{} deliveries in random order; --seed {seed} repeats it",
                    plan.deliveries.len()
                ))
            );
        }
        let mut refused = 0;
        for event in &plan.deliveries {
            match sender.deliver(event).await {
                Some(status) if status.is_success() => {}
                _ => refused += 1,
            }
        }
        if refused > 0 {
            return Err(Failure::failed(format!(
                "{refused} of {} deliveries were not accepted; Stripe would send them again",
                plan.deliveries.len()
            )));
        }
        if service.is_some_and(|url| sender.sends_to(&url)) {
            let client = Client::connect(&config).await?;
            let (session, intent) = (plan.sale.session_id(), plan.sale.payment_intent_id());
            return report(&client, &session, &intent, &plan, &self).await;
        }
        Ok(())
    }

    /// The steps for the emulator of `dev`; None if it cannot take them, or for another endpoint.
    fn emulated_steps(&self, plan: &Plan) -> Option<&'static [Step]> {
        if self.live || self.to.is_some() {
            return None;
        }
        let steps = match (plan.scenario, &self.event) {
            (Some(scenario), _) => scenario.steps(),
            (None, Some(name)) => steps_to(name).filter(|_| ApiVersion::default().sends(name))?,
            (None, None) => return None,
        };
        let amount_is_a_refund = steps.contains(&Step::Refund);
        (emulated::has_api_for(steps) && (self.amount.is_none() || amount_is_a_refund)).then_some(steps)
    }

    /// Has the emulator take the steps, and reports the result.
    async fn emulate(
        &self,
        config: &Config,
        account: &Account,
        service: &str,
        plan: &Plan,
        steps: &[Step],
    ) -> Result<(), Failure> {
        let endpoints = account.read("/v1/webhook_endpoints?limit=100").await?;
        let url = format!("{service}/webhooks/stripe");
        let matches = |endpoint: &&serde_json::Value| text(endpoint, "url") == url;
        let endpoint = endpoints["data"].as_array().into_iter().flatten().find(matches);
        let Some(endpoint) = endpoint.filter(|endpoint| text(endpoint, "status") == "enabled") else {
            return Err(Failure::failed(format!(
                "the emulator sends nothing to {url}: its endpoint is disabled, as Stripe does after days of \
                 failures, or gone. Enable it on the control page {}/, or restart `faireplace dev`",
                account.url
            )));
        };
        let endpoint = text(endpoint, "id");
        say!("{}", faint(&format!("Sent by the emulator at {}:", account.url)));
        if let Some(seed) = plan.seed {
            say!("{}", faint(&format!("in random order; --seed {seed} repeats it")));
        }
        let mut payment = EmulatedPayment::open(account, &plan.sale, self.amount).await?;
        payment.take(steps, endpoint, DeliveryOrder { times: self.times, seed: plan.seed }).await?;
        let session = account.read(&format!("/v1/checkout/sessions/{}", payment.session)).await?;
        let client = Client::connect(config).await?;
        report(&client, &payment.session, text(&session, "payment_intent"), plan, self).await
    }
}

/// The emulator of the running `dev`, if it answers.
async fn account(dev: &DevFile) -> Option<Account> {
    let account = Account::at(dev.emulator.as_deref()?, emulator::API_KEY).ok()?;
    account.answers().await.then_some(account)
}

/// Waits until everything is applied, and reports what the payment is worth.
async fn report(
    client: &Client,
    session: &str,
    intent: &str,
    plan: &Plan,
    options: &Trigger,
) -> Result<(), Failure> {
    client.settled().await?;
    // The session first: a declined payment is known by its session only.
    let payment = match client.find(&format!("/api/payments/{session}")).await? {
        Some(payment) => Some(payment),
        None => client.find(&format!("/api/payments/{intent}")).await?,
    };
    let Some(payment) = payment else {
        return match plan.expected {
            Some(1..) => Err(Failure::failed("the service has received no event of this payment")),
            Some(_) | None => Ok(()),
        };
    };
    let figure = |name: &str| payment["data"]["credits"][name].as_i64().unwrap_or_default();
    let worth = figure("granted") - figure("revoked") - figure("frozen");
    let of = |name: &str| payment["data"][name].as_str().unwrap_or_default();
    let (id, status) = (of("id"), bold(of("status")));
    say!("\npayment {id}: {status}, worth {} spendable credits", bold(&worth.to_string()));
    let balance = client.get(&format!("/api/credits/balance?tenant_id={}", options.tenant)).await?;
    say!(
        "balance {} available for tenant {}",
        bold(&balance["data"]["available"].to_string()),
        options.tenant
    );
    match plan.expected {
        Some(expected) if expected == worth => {
            say!("{} as expected: {expected}", green("✓"));
            Ok(())
        }
        Some(expected) => {
            say!("{} expected {expected}", red("✗"));
            Err(Failure::failed(
                "the payment is not worth what it should be; see `faireplace quarantine list`",
            ))
        }
        None => Ok(()),
    }
}

fn print_list() {
    say!("{}", faint("stories"));
    for scenario in Scenario::ALL {
        say!("  {:<16} {}", scenario.name(), scenario.summary());
    }
    say!("{}", faint("events"));
    for name in event_names() {
        say!("  {name}");
    }
}
