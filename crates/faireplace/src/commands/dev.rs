//! `faireplace dev`: everything on this machine, with nothing to set up. The first thing a newcomer runs: it
//! shows the main job done, says what to paste next, and stays up.

use clap::Args;
use engine::{Clock, entropy};
use serde_json::Value;
use store::{Access, KeyHolder, Mode};
use stripe::Secret;
use stripe::write::{ApiVersion, Purchase, event_names};
use web::auth;
use web::destination::Destinations;
use web::shop::Package;

use super::trigger::checkout;
use crate::account::{Account, text};
use crate::background_writer::BackgroundWriter;
use crate::checkout as selling;
use crate::client::Client;
use crate::config::{ApiKey, Config, Environment, published};
use crate::dev_file::DevFile;
use crate::emulation::{Emulation, Wanted};
use crate::failure::Failure;
use crate::log::Log;
use crate::service::Service;
use crate::terminal::{bold, faint, green, red, say};

/// Run everything on this machine, buy 10 credits, and stay up
///
/// Makes its own webhook secret and API key, and keeps them beside the database. Settings that matter:
/// DATABASE_URL, FAIREPLACE_LISTEN, and for events from elsewhere STRIPE_WEBHOOK_SECRET; FAIREPLACE_MODE must
/// be test, if it is set. `faireplace config show` prints them all. Ctrl-C stops it in order.
#[derive(Args)]
pub(crate) struct Dev {
    /// The name of the first person who operates this, where nobody is registered; else your user's
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Dev {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        // Events that `dev` makes are test events, whatever a file says about production.
        let mut config =
            with_packages(Config::load(&with_default_mode(environment))?).with_first_person(self.name);
        if config.notice_hosts.is_none() {
            // Whoever tries it has no receiver on the internet.
            config.notice_hosts = Destinations::parse("localhost,127.0.0.1,[::1]").ok();
        }
        if config.mode == Mode::Live {
            return Err(Failure::configuration(
                "`dev` makes up its payments, so FAIREPLACE_MODE must be test",
            ));
        }
        let _log = Log::start("warn", false)?;
        let earlier = DevFile::read(&config.database);
        let which = if earlier.is_some() { "another " } else { "" };
        let mut dev = match earlier {
            Some(dev) => dev,
            None => DevFile::new(&entropy::bytes()).ok_or_else(|| Failure::failed("no demo tenant"))?,
        };
        let secret = dev.secret()?;
        let mut accepted = vec![secret.clone()];
        accepted.extend(config.secrets.iter().flatten().cloned());
        let mut service = Service::open(&config, accepted, None).await?;
        ensure_api_key(&service, &mut dev).await?;
        dev.write(&config.database)?;

        let url = format!("http://{}", service.address);
        let emulation = emulation(&config, &url, &secret).await?;
        dev.emulator = Some(emulation.url.clone());
        dev.write(&config.database)?;
        // Whatever the settings say: nothing that `dev` sells is sold at Stripe.
        service.app.shop = selling::shop(&config, Some(&ApiKey::of_emulator()), Some(&emulation.url))?;
        let account = Account::at(&emulation.url, emulator::API_KEY)?;
        let screen = emulation.screen.clone();
        let running = tokio::spawn(service.run());
        let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
        let emulating = tokio::spawn(emulation.run(async {
            // Ended by a word, or by the end of whoever would say it.
            let _ = stopping.await;
        }));
        let client = Client::connect(&config).await?;
        let database = config.database.path.display();
        say!("{}  {url}, {database}; Stripe is played at {}\n", bold("faireplace dev"), account.url);
        show_purchase(&client, &account, &dev, which, &screen).await?;
        let next = checkout(&account, &purchase(&dev)).await?;
        print_next_steps(&url, &dev, text(&next, "url"));
        let ended = running.await.map_err(|error| Failure::failed(error.to_string()))?;
        // It may have ended already.
        let _ = stop.send(());
        emulating.await.map_err(|error| Failure::failed(error.to_string()))?;
        ended?;
        screen.line(b"Stopped; everything is on disk.\n".to_vec());
        screen.flush();
        Ok(())
    }
}

/// Stripe, played in this process, with our service as its webhook endpoint.
async fn emulation(config: &Config, url: &str, secret: &Secret) -> Result<Emulation, Failure> {
    let emulation = Emulation::open(Wanted {
        listen: config.emulator_listen,
        listen_option: "FAIREPLACE_EMULATOR_LISTEN=",
        url: None,
        api_key: emulator::API_KEY.to_owned(),
        file: Some(config.database.beside(".emulator.json")),
        seed: None,
        still_at_ms: None,
        attempt_timeout: None,
    })
    .await?;
    let endpoint = format!("{url}/webhooks/stripe");
    let types: Vec<_> = event_names().iter().map(|name| (*name).to_owned()).collect();
    emulation.forward(&endpoint, "faireplace dev", &types, ApiVersion::default(), secret);
    Ok(emulation)
}

fn with_default_mode(environment: &Environment) -> Environment {
    let mut environment = environment.clone();
    environment.0.entry("FAIREPLACE_MODE".to_owned()).or_insert_with(|| "test".to_owned());
    environment
}

/// FairePlace's packages where nothing else is for sale. Prices of the account are not at the emulator, which
/// is told each price itself.
fn with_packages(config: Config) -> Config {
    let configured = config.packages.iter().cloned();
    let packages: Vec<_> = configured.map(|package| Package { stripe_price: None, ..package }).collect();
    config.selling(if packages.is_empty() { published() } else { packages })
}

/// An API key for the demo tenant that works; the old one, as long as it does.
async fn ensure_api_key(service: &Service, dev: &mut DevFile) -> Result<(), Failure> {
    let store = &service.app.store;
    if let Some(secret) = &dev.api_key {
        let found = store.find_key(auth::hash(secret)).await?;
        if found.is_some_and(|key| key.works(service.app.clock.now())) {
            return Ok(());
        }
    }
    let name = "demo tenant, made by dev".to_owned();
    let holder = KeyHolder::Tenant { tenant: dev.tenant, access: Access::Full };
    dev.api_key = Some(auth::create_key(store, name, holder, service.app.clock.now()).await?);
    Ok(())
}

/// The main job: a payment goes in, credits come out. It goes through Stripe's own checkout, played here.
async fn show_purchase(
    client: &Client,
    account: &Account,
    dev: &DevFile,
    which: &str,
    screen: &BackgroundWriter,
) -> Result<(), Failure> {
    let before = available(client, dev).await?;
    say!("A demo tenant buys {which}{}. Stripe sends:", bold("10_credits"));
    let session = checkout(account, &purchase(dev)).await?;
    account.pay(text(&session, "id"), "4242424242424242").await?;
    account.settled().await?;
    client.settled().await?;
    let after = available(client, dev).await?;
    screen.flush();
    let mark = if after > before { green("✓") } else { red("✗") };
    say!("\n{mark} balance {before} → {} credits, tenant {}\n", bold(&after.to_string()), dev.tenant);
    if after <= before {
        say!("These settings did not believe it; see why:  {} quarantine list\n", program());
    }
    Ok(())
}

fn purchase(dev: &DevFile) -> Purchase {
    Purchase {
        reference: format!("dev{:08x}", u32::from_le_bytes(entropy::bytes())),
        tenant_id: dev.tenant.to_string(),
        package: "10_credits".to_owned(),
        credits: 10,
        amount_total: 25_000,
        currency: "eur".to_owned(),
        created: Clock::system().now().seconds(),
        livemode: false,
        api_version: ApiVersion::default(),
    }
}

async fn available(client: &Client, dev: &DevFile) -> Result<i64, Failure> {
    let answer: Value = client.get(&format!("/api/credits/balance?tenant_id={}", dev.tenant)).await?;
    Ok(answer["data"]["available"].as_i64().unwrap_or_default())
}

fn print_next_steps(url: &str, dev: &DevFile, checkout: &str) {
    let program = program();
    let key = dev.api_key.as_deref().unwrap_or_default();
    say!("{}", faint("Buy ten more in a browser (card 4242 4242 4242 4242):"));
    say!("  {checkout}");
    say!("{}", faint("Refund it, dispute it, turn the clock:"));
    say!("  {}/", dev.emulator.as_deref().unwrap_or_default());
    say!("\n{}", faint("Paste next, in another terminal in this folder:"));
    say!("  export FAIREPLACE_URL={url} FAIREPLACE_KEY={key}");
    say!("  curl -H \"Authorization: Bearer $FAIREPLACE_KEY\" $FAIREPLACE_URL/api/credits/balance");
    say!("  curl -H \"Authorization: Bearer $FAIREPLACE_KEY\" -H 'Idempotency-Key: lease-1' \\");
    say!("       -d '{{\"credits\": 1, \"reference\": \"lease 1\"}}' $FAIREPLACE_URL/api/credits/spend");
    say!("  {program} trigger --story partial-refund --times 3 --shuffle");
    say!("  {program} history {}", dev.tenant);
    say!("{}", faint("Every route, as a page:"));
    say!("  {url}/docs");
    say!("\n{}", faint("Or let Stripe's own CLI forward to it, with its secret in STRIPE_WEBHOOK_SECRET:"));
    say!("  stripe listen --forward-to {url}/webhooks/stripe");
    say!("\n{}", faint("Running. Ctrl-C stops it; what it knows stays in the database."));
}

/// How the program was called: a newcomer has it in target/, not on the path.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if called.contains('/') { called } else { "faireplace".to_owned() }
}
