//! `faireplace trigger`: realistic, signed events for a webhook endpoint, one by one or a whole life of one
//! payment; in order or shuffled, once or several times.

mod plan;
mod rehearse;

use clap::Args;
use engine::{Clock, entropy};
use ledger::TenantId;
use store::Mode;
use stripe::story::Story;
use stripe::write::event_names;

use crate::account::{Account, text};
use crate::client::{Client, running};
use crate::config::{Config, Environment};
use crate::dev_file::DevFile;
use crate::failure::Failure;
use crate::sender::EventSender;
use crate::terminal::{bold, faint, green, red, say};
use plan::Plan;
pub(super) use rehearse::checkout;
use rehearse::{Manners, Rehearsal, Turn};

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
    /// The sum that one event is about, in minor units: with the emulator, what one refund gives back
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
        let service = running(&config.database);
        if let (Some(url), Some(dev), Some(turns)) = (&service, &dev, self.turns(&plan))
            && let Some(account) = account(dev).await
        {
            return self.rehearse(&config, &account, url, &plan, turns).await;
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
            let client = Client::connect(&config).await?;
            return report(&client, &plan.session(), &plan.payment_intent(), &plan, &self).await;
        }
        Ok(())
    }

    /// What the emulator would have to do; None where it cannot, or where the endpoint is another one.
    fn turns(&self, plan: &Plan) -> Option<&'static [Turn]> {
        if self.live || self.to.is_some() {
            return None;
        }
        let turns = match (plan.story, &self.event) {
            (Some(story), _) => rehearse::of_story(story),
            (None, Some(name)) => rehearse::of_event(name)?,
            (None, None) => return None,
        };
        let sum_is_a_refund = turns.contains(&Turn::Refund);
        (self.amount.is_none() || sum_is_a_refund).then_some(turns)
    }

    /// Has the emulator play it, and says what it came to.
    async fn rehearse(
        &self,
        config: &Config,
        account: &Account,
        service: &str,
        plan: &Plan,
        turns: &[Turn],
    ) -> Result<(), Failure> {
        let endpoints = account.read("/v1/webhook_endpoints?limit=100").await?;
        let url = format!("{service}/webhooks/stripe");
        let ours = |endpoint: &&serde_json::Value| text(endpoint, "url") == url;
        let endpoint = endpoints["data"].as_array().into_iter().flatten().find(ours);
        let Some(endpoint) = endpoint.filter(|endpoint| text(endpoint, "status") == "enabled") else {
            return Err(Failure::failed(format!(
                "the emulator sends nothing to {url}: its endpoint is disabled, as Stripe does after days of \
                 failures, or gone. Enable it on the control page {}/, or restart `faireplace dev`",
                account.url
            )));
        };
        let endpoint = text(endpoint, "id");
        say!("{}", faint(&format!("Played by the emulator at {}:", account.url)));
        if let Some(seed) = plan.seed {
            say!("{}", faint(&format!("in an order of its own; --seed {seed} repeats it")));
        }
        let mut rehearsal = Rehearsal::begin(account, &plan.purchase, self.amount).await?;
        rehearsal.take(turns, endpoint, Manners { times: self.times, seed: plan.seed }).await?;
        let session = account.read(&format!("/v1/checkout/sessions/{}", rehearsal.session)).await?;
        let client = Client::connect(config).await?;
        report(&client, &rehearsal.session, text(&session, "payment_intent"), plan, self).await
    }
}

/// The emulator of the `dev` that runs here, if it answers.
async fn account(dev: &DevFile) -> Option<Account> {
    let account = Account::at(dev.emulator.as_deref()?, emulator::API_KEY).ok()?;
    account.answers().await.then_some(account)
}

/// Waits until everything is applied, and says what it came to.
async fn report(
    client: &Client,
    session: &str,
    intent: &str,
    plan: &Plan,
    asked: &Trigger,
) -> Result<(), Failure> {
    client.settled().await?;
    // The session first: a payment that was declined is known by nothing else.
    let payment = match client.find(&format!("/api/payments/{session}")).await? {
        Some(payment) => Some(payment),
        None => client.find(&format!("/api/payments/{intent}")).await?,
    };
    let Some(payment) = payment else {
        return match plan.expected {
            Some(1..) => Err(Failure::failed("the service has heard nothing of this payment")),
            Some(_) | None => Ok(()),
        };
    };
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
