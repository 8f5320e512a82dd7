//! Settings that were checked: whatever stands in a [`Config`] can be used as it is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use engine::{MetadataKeys, World};
use ledger::{Catalogue, Credits, Minor, Package, Policy, Rounding};
use store::Mode;
use stripe::Secret;

use super::{Environment, Raw, RawPackage, Source};
use crate::failure::Failure;

/// What the program runs with.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// Of the emulator that `dev` runs.
    pub(crate) emulator_listen: SocketAddr,
    pub(crate) database: Database,
    /// None where nobody set it: only `serve` cannot do without.
    pub(crate) secrets: Option<Vec<Secret>>,
    pub(crate) mode: Mode,
    pub(crate) policy: Arc<Policy>,
    pub(crate) world: Arc<World>,
    pub(crate) log: String,
    pub(crate) log_json: bool,
}

/// Where everything is kept.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// The SQLite file.
    pub(crate) path: PathBuf,
}

impl Database {
    /// A file beside the database, named after it.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }
}

impl Config {
    /// Gathers and checks the settings.
    ///
    /// # Errors
    /// Exit code 78, naming the setting and what it should be, never its value if it is a secret.
    pub(crate) fn load(environment: &Environment) -> Result<Self, Failure> {
        Self::check(&Raw::gather(environment)?)
    }

    /// As [`Config::load`], for commands that look at what is there: where nobody says which mode, it is the
    /// database's own.
    pub(crate) fn of_database(environment: &Environment) -> Result<Self, Failure> {
        Self::of_database_or(environment, Mode::Live)
    }

    /// As [`Config::of_database`]; where there is no database either, the mode is `otherwise`.
    pub(crate) fn of_database_or(environment: &Environment, otherwise: Mode) -> Result<Self, Failure> {
        let raw = Raw::gather(environment)?;
        let config = Self::check(&raw)?;
        if raw.source("FAIREPLACE_MODE") != Source::Default {
            return Ok(config);
        }
        let mode = store::sqlite::mode_of(&config.database.path).unwrap_or(otherwise);
        let world = Arc::new(World { mode, ..(*config.world).clone() });
        Ok(Self { mode, world, ..config })
    }

    /// Checks gathered settings.
    pub(crate) fn check(raw: &Raw) -> Result<Self, Failure> {
        if let Some(unknown) = &raw.unknown {
            return Err(Failure::configuration(unknown));
        }
        let address = |variable, example: &str| {
            let parsed = required(raw, variable)?.parse();
            parsed.map_err(|_| wrong(variable, &format!("an address and a port, such as {example}")))
        };
        let mode = match required(raw, "FAIREPLACE_MODE")? {
            "live" => Mode::Live,
            "test" => Mode::Test,
            _ => return Err(wrong("FAIREPLACE_MODE", "live or test")),
        };
        let refund_rounding = match required(raw, "FAIREPLACE_REFUND_ROUNDING")? {
            "floor" => Rounding::Floor,
            "ceil" => Rounding::Ceil,
            _ => return Err(wrong("FAIREPLACE_REFUND_ROUNDING", "floor or ceil")),
        };
        let metadata = MetadataKeys {
            tenant: metadata_key(raw, "FAIREPLACE_METADATA_TENANT")?,
            package: metadata_key(raw, "FAIREPLACE_METADATA_PACKAGE")?,
            credits: metadata_key(raw, "FAIREPLACE_METADATA_CREDITS")?,
        };
        let policy = Policy {
            refund_rounding,
            catalogue: raw.packages.as_deref().map(catalogue).transpose()?,
            known_tenants_only: flag(raw, "FAIREPLACE_KNOWN_TENANTS_ONLY")?,
        };
        let account = raw.get("FAIREPLACE_STRIPE_ACCOUNT").map(str::to_owned);
        if account.as_deref().is_some_and(|account| !account.starts_with("acct_")) {
            return Err(wrong("FAIREPLACE_STRIPE_ACCOUNT", "an account id, such as acct_1A2b3C"));
        }
        Ok(Self {
            listen: address("FAIREPLACE_LISTEN", "127.0.0.1:3000")?,
            emulator_listen: address("FAIREPLACE_EMULATOR_LISTEN", "127.0.0.1:12111")?,
            database: database(required(raw, "DATABASE_URL")?)?,
            secrets: raw.get("STRIPE_WEBHOOK_SECRET").map(secrets).transpose()?,
            mode,
            policy: Arc::new(policy),
            world: Arc::new(World { mode, account, metadata }),
            log: log(required(raw, "FAIREPLACE_LOG")?)?,
            log_json: match required(raw, "FAIREPLACE_LOG_FORMAT")? {
                "text" => false,
                "json" => true,
                _ => return Err(wrong("FAIREPLACE_LOG_FORMAT", "text or json")),
            },
        })
    }
}

fn required<'r>(raw: &'r Raw, variable: &str) -> Result<&'r str, Failure> {
    raw.get(variable).ok_or_else(|| wrong(variable, "set"))
}

fn wrong(variable: &str, expected: &str) -> Failure {
    Failure::configuration(format!("{variable} must be {expected}"))
}

fn flag(raw: &Raw, variable: &str) -> Result<bool, Failure> {
    match required(raw, variable)? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(variable, "true or false")),
    }
}

/// docs.stripe.com/metadata: a key has 1 to 40 characters.
fn metadata_key(raw: &Raw, variable: &str) -> Result<String, Failure> {
    let key = required(raw, variable)?;
    if (1..=40).contains(&key.chars().count()) && !key.chars().any(char::is_control) {
        return Ok(key.to_owned());
    }
    Err(wrong(variable, "a metadata key of 1 to 40 characters"))
}

fn log(level: &str) -> Result<String, Failure> {
    if ["error", "warn", "info", "debug", "trace"].contains(&level) {
        return Ok(level.to_owned());
    }
    Err(wrong("FAIREPLACE_LOG", "error, warn, info, debug or trace"))
}

/// After `whsec_`. Stripe's have 32; with a handful anyone could guess it.
const SECRET_CHARACTERS_MIN: usize = 16;

/// Refuses a secret with which anyone could mint credits (design section 6, Environment and defaults).
fn secrets(text: &str) -> Result<Vec<Secret>, Failure> {
    let list = Secret::parse_list(text)
        .map_err(|fault| Failure::configuration(format!("STRIPE_WEBHOOK_SECRET: {fault}")))?;
    let long = |rest: &str| rest.len() >= SECRET_CHARACTERS_MIN;
    if list.iter().all(|secret| secret.expose().strip_prefix("whsec_").is_some_and(long)) {
        return Ok(list);
    }
    Err(wrong(
        "STRIPE_WEBHOOK_SECRET",
        "the signing secret of the webhook endpoint: whsec_ and at least 16 more characters",
    ))
}

const SQLITE_FORM: &str = "sqlite:PATH, such as sqlite:faireplace.db";

fn database(url: &str) -> Result<Database, Failure> {
    match url.split_once(':') {
        Some(("sqlite", path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(":memory") {
                return Err(wrong("DATABASE_URL", SQLITE_FORM));
            }
            Ok(Database { path: PathBuf::from(path) })
        }
        Some(("postgres" | "postgresql", _)) => Err(Failure::configuration(
            "DATABASE_URL: this release keeps its books in SQLite only; use sqlite:PATH",
        )),
        _ => Err(wrong("DATABASE_URL", SQLITE_FORM)),
    }
}

fn catalogue(packages: &[RawPackage]) -> Result<Catalogue, Failure> {
    let mut catalogue = Catalogue::new();
    for package in packages {
        let name = &package.name;
        let bad = |what: &str| Failure::configuration(format!("package `{name}`: {what}"));
        if !(1..=ledger::money::CREDITS_PER_PAYMENT_MAX).contains(&package.credits) {
            return Err(bad("credits must be from 1 to 1000000000"));
        }
        if !(0..=1_000_000_000_000).contains(&package.price) {
            return Err(bad("price must be in minor units, such as 25000 for 250.00 EUR"));
        }
        let currency = package.currency.to_ascii_lowercase();
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err(bad("currency must be three letters, such as eur"));
        }
        let entry = Package { credits: Credits(package.credits), price: Minor(package.price), currency };
        if catalogue.insert(name.clone(), entry).is_some() {
            return Err(bad("it stands in the catalogue twice"));
        }
    }
    if catalogue.is_empty() {
        return Err(Failure::configuration(
            "the catalogue is empty: leave [[packages]] out, or sell something",
        ));
    }
    Ok(catalogue)
}
