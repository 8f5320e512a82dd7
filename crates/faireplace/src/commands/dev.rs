//! `faireplace dev`: runs everything on this machine without set-up. It buys credits once, prints what to
//! paste next, and stays up.

use clap::Args;
use emulator::scenario::{Sale, event_names, metadata};
use engine::{Clock, MetadataKeys, Package, entropy};
use serde_json::Value;
use store::{Access, KeyHolder, Mode};
use stripe::Secret;
use stripe::write::ApiVersion;
use web::auth;
use web::destination::Destinations;

use super::trigger::open_session;
use crate::account::{Account, text};
use crate::background_writer::BackgroundWriter;
use crate::checkout as selling;
use crate::client::Client;
use crate::config::{ApiKey, Config, Environment, published};
use crate::dev_file::DevFile;
use crate::emulation::{Emulation, EmulationOptions};
use crate::failure::Failure;
use crate::log::Log;
use crate::service::Service;
use crate::terminal::{bold, faint, green, red, say};

/// Run the service and the Stripe emulator, with one demo purchase
///
/// Creates its own webhook secret and API key, and keeps them beside the database. Important settings:
/// DATABASE_URL, FAIREPLACE_LISTEN, and STRIPE_WEBHOOK_SECRET for events from elsewhere. FAIREPLACE_MODE must
/// be test, if it is set. `faireplace config show` prints all settings. Ctrl-C stops it gracefully.
#[derive(Args)]
pub(crate) struct DevArgs {
    /// Name of the first operator, if nobody is registered yet [default: your user name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl DevArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        // `dev` makes test events, even if the configuration file is for production.
        let mut config =
            with_packages(Config::load(&with_default_mode(environment))?).with_first_person(self.name);
        if config.notice_hosts.is_none() {
            // A first try has its receiver on this machine.
            config.notice_hosts = Destinations::parse("localhost,127.0.0.1,[::1]").ok();
        }
        if config.mode == Mode::Live {
            return Err(Failure::configuration(
                "`dev` uses simulated payments, so FAIREPLACE_MODE must be test",
            ));
        }
        let log = Log::start("warn", false)?;
        let earlier = DevFile::read(&config.database);
        let which = if earlier.is_some() { "another " } else { "" };
        let mut dev = match earlier {
            Some(dev) => dev,
            None => DevFile::new(&entropy::bytes()).ok_or_else(|| Failure::failed("no demo tenant"))?,
        };
        let secret = dev.secret()?;
        let mut accepted = vec![secret.clone()];
        accepted.extend(config.secrets.iter().flatten().cloned());
        let service = Service::open(&config, accepted, None).await?;
        ensure_api_key(&service, &mut dev).await?;
        dev.write(&config.database)?;

        let url = format!("http://{}", service.address);
        let emulation = emulation(&config, &url, &secret).await?;
        dev.emulator = Some(emulation.url.clone());
        dev.write(&config.database)?;
        // `dev` sells through the emulator, never through Stripe.
        let shop = selling::shop(&config, Some(&ApiKey::of_emulator()), Some(&emulation.url))?;
        let account = Account::at(&emulation.url, emulator::API_KEY)?;
        let screen = emulation.screen.clone();
        let running = tokio::spawn(service.run(shop, log.dropped()));
        let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
        let emulating = tokio::spawn(emulation.run(async {
            // The emulator also stops when the sender is dropped.
            let _ = stopping.await;
        }));
        let client = Client::connect(&config).await?;
        let database = config.database.path.display();
        say!("{}  {url}, {database}; Stripe emulator at {}\n", bold("faireplace dev"), account.url);
        let keys = &config.scope.metadata;
        show_purchase(&client, &account, &dev, keys, which, &screen).await?;
        let next = open_session(&account, &ten_credits(&dev, keys)).await?;
        print_next_steps(&url, &dev, text(&next, "url"));
        let ended = running.await.map_err(|error| Failure::failed(error.to_string()))?;
        // It may have ended already.
        let _ = stop.send(());
        emulating.await.map_err(|error| Failure::failed(error.to_string()))?;
        ended?;
        screen.line(b"Stopped; all data is on disk.\n".to_vec());
        screen.flush();
        Ok(())
    }
}

/// The Stripe emulator in this process, with our service as its webhook endpoint.
async fn emulation(config: &Config, url: &str, secret: &Secret) -> Result<Emulation, Failure> {
    let emulation = Emulation::open(EmulationOptions {
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

/// The configured packages, or FairePlace's if there are none. The emulator does not know the Stripe
/// account's prices, so each checkout names its amount.
fn with_packages(config: Config) -> Config {
    let configured = config.packages.iter().cloned();
    let packages: Vec<_> = configured.map(|package| Package { stripe_price: None, ..package }).collect();
    config.selling(if packages.is_empty() { published() } else { packages })
}

/// Ensures that the demo tenant has a valid API key, keeping the old one if it still works.
async fn ensure_api_key(service: &Service, dev: &mut DevFile) -> Result<(), Failure> {
    let store = &service.store;
    if let Some(secret) = &dev.api_key {
        let found = store.find_key(auth::hash(secret)).await?;
        if found.is_some_and(|key| key.works(service.clock.now())) {
            return Ok(());
        }
    }
    let name = "demo tenant, made by dev".to_owned();
    let holder = KeyHolder::Tenant { tenant: dev.tenant, access: Access::Full };
    dev.api_key = Some(auth::create_key(store, name, holder, service.clock.now()).await?);
    Ok(())
}

/// Buys credits through the emulator's checkout, and prints the balance before and after.
async fn show_purchase(
    client: &Client,
    account: &Account,
    dev: &DevFile,
    keys: &MetadataKeys,
    which: &str,
    screen: &BackgroundWriter,
) -> Result<(), Failure> {
    let before = available(client, dev).await?;
    say!("A demo tenant buys {which}{}. Stripe sends:", bold("10_credits"));
    let session = open_session(account, &ten_credits(dev, keys)).await?;
    account.pay(text(&session, "id"), "4242424242424242").await?;
    account.settled().await?;
    client.settled().await?;
    let after = available(client, dev).await?;
    screen.flush();
    let mark = if after > before { green("✓") } else { red("✗") };
    say!("\n{mark} balance {before} → {} credits, tenant {}\n", bold(&after.to_string()), dev.tenant);
    if after <= before {
        say!("These settings did not accept the purchase; see why:  {} quarantine list\n", program());
    }
    Ok(())
}

fn ten_credits(dev: &DevFile, keys: &MetadataKeys) -> Sale {
    let tenant = dev.tenant.to_string();
    let terms = [(&*keys.tenant, &*tenant), (&*keys.package, "10_credits"), (&*keys.credits, "10")];
    Sale {
        reference: format!("dev{:08x}", u32::from_le_bytes(entropy::bytes())),
        metadata: metadata(terms),
        description: "10 credits".to_owned(),
        amount: 25_000,
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
    say!("{}", faint("Refund it, dispute it, advance the clock:"));
    say!("  {}/", dev.emulator.as_deref().unwrap_or_default());
    say!("\n{}", faint("Paste next, in another terminal in this folder:"));
    say!("  export FAIREPLACE_URL={url} FAIREPLACE_KEY={key}");
    say!("  curl -H \"Authorization: Bearer $FAIREPLACE_KEY\" $FAIREPLACE_URL/api/credits/balance");
    say!("  curl -H \"Authorization: Bearer $FAIREPLACE_KEY\" -H 'Idempotency-Key: lease-1' \\");
    say!("       -d '{{\"credits\": 1, \"reference\": \"lease 1\"}}' $FAIREPLACE_URL/api/credits/spend");
    say!("  {program} trigger --story partial-refund --times 3 --shuffle");
    say!("  {program} history {}", dev.tenant);
    say!("{}", faint("API reference:"));
    say!("  {url}/docs");
    say!("\n{}", faint("Or let Stripe's own CLI forward to it, with its secret in STRIPE_WEBHOOK_SECRET:"));
    say!("  stripe listen --forward-to {url}/webhooks/stripe");
    say!("\n{}", faint("Running. Ctrl-C stops it; the data stays in the database."));
}

/// The path by which the program was called: it may be in target/, not on the PATH.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if called.contains('/') { called } else { "faireplace".to_owned() }
}
