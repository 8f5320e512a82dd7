//! `faireplace trigger`: realistic, signed events for a webhook endpoint, one by one or a whole life of one
//! payment; in order or shuffled, once or several times.

mod plan;

use clap::Args;
use engine::{Clock, entropy};
use ledger::TenantId;
use store::Mode;
use stripe::story::Story;
use stripe::write::event_names;

use crate::client::{Client, running};
use crate::config::{Config, Environment};
use crate::dev_file::DevFile;
use crate::failure::Failure;
use crate::sender::Sender;
use crate::terminal::{bold, faint, green, red, say};
use plan::Plan;

/// Send realistic, signed events to a webhook endpoint
///
/// Either one EVENT, such as charge.refunded, or with --story a whole life of one payment: purchase,
/// partial-refund, failed-refund, dispute-won, dispute-lost, async, declined. They are test events.
#[derive(Args)]
#[command(after_help = "Examples:
  faireplace trigger checkout.session.completed --payment r1
  faireplace trigger charge.refunded --payment r1 --amount 7000
  faireplace trigger --story partial-refund --times 3 --shuffle")]
pub(crate) struct Trigger {
    /// The type of the event
    #[arg(required_unless_present_any = ["story", "list"], conflicts_with = "story")]
    event: Option<String>,
    /// A whole life of one payment
    #[arg(long)]
    story: Option<String>,
    /// List events and stories
    #[arg(long)]
    list: bool,
    /// Who buys: a UUID
    #[arg(long, default_value = crate::dev_file::DEMO_TENANT, value_parser = super::tenant)]
    tenant: TenantId,
    /// What they buy
    #[arg(long, default_value = "10_credits")]
    package: String,
    /// Which payment it is about: the same word, the same payment. A new one, if left out
    #[arg(long, value_name = "REF")]
    payment: Option<String>,
    /// The amount that one event is about, in minor units; the whole price, if left out
    #[arg(long, value_name = "MINOR", conflicts_with = "story")]
    amount: Option<i64>,
    /// Deliver every event so many times, as Stripe may
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    times: u32,
    /// Deliver in any order, as Stripe may
    #[arg(long)]
    shuffle: bool,
    /// Which order: the same seed, the same order. A new one, if left out
    #[arg(long, requires = "shuffle")]
    seed: Option<u64>,
    /// Send live events: at a live deployment they book credits that nobody paid for
    #[arg(long)]
    live: bool,
    /// The endpoint; the service on this database, if left out
    #[arg(long, value_name = "URL")]
    to: Option<String>,
}

impl Trigger {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        if self.list {
            print_list();
            return Ok(());
        }
        // Where nothing says live, nothing is: what is made up counts only for whoever asked for it.
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
        let service = running(&config.database);
        let endpoint = self.to.clone().unwrap_or_else(|| {
            let url = service.clone().unwrap_or_else(|| format!("http://{}", config.listen));
            format!("{url}/webhooks/stripe")
        });
        let sender = Sender::new(&endpoint, secret, clock)?;
        if let Some(seed) = plan.seed {
            say!(
                "{}",
                faint(&format!(
                    "{} deliveries in an order of their own; --seed {seed} repeats it",
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
            return report(&Client::connect(&config).await?, &plan, &self).await;
        }
        Ok(())
    }
}

/// Waits until everything is applied, and says what it came to.
async fn report(client: &Client, plan: &Plan, asked: &Trigger) -> Result<(), Failure> {
    client.settled().await?;
    // The session first: a payment that was declined is known by nothing else.
    let payment = match client.find(&format!("/api/payments/{}", plan.session)).await? {
        Some(payment) => Some(payment),
        None => client.find(&format!("/api/payments/{}", plan.payment)).await?,
    };
    let Some(payment) = payment else { return Ok(()) };
    let figure = |name: &str| payment["data"]["credits"][name].as_i64().unwrap_or_default();
    let worth = figure("granted") - figure("revoked") - figure("frozen");
    let of = |name: &str| payment["data"][name].as_str().unwrap_or_default();
    let (id, status) = (of("id"), bold(of("status")));
    say!("\npayment {id}: {status}, worth {} spendable credits", bold(&worth.to_string()));
    let balance = client.get(&format!("/api/credits/balance?tenant_id={}", asked.tenant)).await?;
    say!("balance {} available for tenant {}", bold(&balance["data"]["available"].to_string()), asked.tenant);
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
    for story in Story::ALL {
        say!("  {:<16} {}", story.name(), story.summary());
    }
    say!("{}", faint("events"));
    for name in event_names() {
        say!("  {name}");
    }
}
