//! Checked settings: every value in a [`Config`] is valid.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::shop::{self, Package};
use engine::{DeploymentScope, MetadataKeys};
use ledger::money::MAX_CREDITS_PER_PAYMENT;
use ledger::{Credits, Policy, Rounding, TermsFrom};
use store::{Mode, OperatorLimits};
use stripe::{Secret, SecretFault};
use web::destination::Destinations;
use web::server::TrustedProxies;

use super::{ApiKey, Environment, Raw, Source, packages};
use crate::failure::Failure;
use crate::operator_key::OperatorKey;

/// The checked settings.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub(crate) trusted_proxies: TrustedProxies,
    /// The address of the emulator that `dev` runs.
    pub(crate) emulator_listen: SocketAddr,
    pub(crate) database: Database,
    /// `None` if not set; only `serve` requires it.
    pub(crate) secrets: Option<Vec<Secret>>,
    /// The Stripe account's key as configured; [`ApiKey::require`] checks it.
    pub(crate) stripe_key: Option<ApiKey>,
    /// The base URL of Stripe's API, if configured.
    pub(crate) stripe_base: Option<String>,
    /// The packages for sale; the same as in the policy.
    pub(crate) packages: Vec<Package>,
    pub(crate) automatic_tax: bool,
    /// The credits that one person may move by hand in 24 hours.
    pub(crate) operator_limits: OperatorLimits,
    /// The name of the first operator, used if nobody is registered.
    pub(crate) first_person: String,
    /// Requests that all keys of one tenant may make in an hour; 0: no limit.
    pub(crate) requests_per_hour: u32,
    /// The operator key of commands; `None` for this machine's.
    pub(crate) operator_key: Option<OperatorKey>,
    pub(crate) mode: Mode,
    pub(crate) policy: Arc<Policy>,
    pub(crate) scope: Arc<DeploymentScope>,
    /// Private hosts that notices may be sent to; `None` if not set.
    pub(crate) notice_hosts: Option<Destinations>,
    /// Days to keep notices.
    pub(crate) notice_days: u32,
    pub(crate) log: String,
    pub(crate) log_json: bool,
}

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// The SQLite file.
    pub(crate) path: PathBuf,
}

impl Database {
    /// The directory of the file.
    pub(crate) fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// A file beside the database: its name followed by `suffix`.
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

    /// Like [`Config::load`], for commands on an existing database: the default mode is the database's own.
    pub(crate) fn of_database(environment: &Environment) -> Result<Self, Failure> {
        Self::of_database_or(environment, Mode::Live)
    }

    /// Like [`Config::of_database`]; without a database the default mode is `otherwise`.
    pub(crate) fn of_database_or(environment: &Environment, otherwise: Mode) -> Result<Self, Failure> {
        let raw = Raw::gather(environment)?;
        let config = Self::check(&raw)?;
        if raw.source("FAIREPLACE_MODE") != Source::Default {
            return Ok(config);
        }
        let mode = store::sqlite::mode_of(&config.database.path).unwrap_or(otherwise);
        let scope = Arc::new(DeploymentScope { mode, ..(*config.scope).clone() });
        Ok(Self { mode, scope, ..config })
    }

    /// The same settings with these packages for sale.
    pub(crate) fn selling(self, packages: Vec<Package>) -> Self {
        let policy = Policy { catalogue: shop::catalogue(&packages), ..(*self.policy).clone() };
        Self { packages, policy: Arc::new(policy), ..self }
    }

    /// The same settings with this name for the first operator.
    pub(crate) fn with_first_person(self, name: Option<String>) -> Self {
        let first_person = name.map_or(self.first_person, |name| first_person(Some(&name)));
        Self { first_person, ..self }
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
        let metadata = MetadataKeys {
            tenant: metadata_key(raw, "FAIREPLACE_METADATA_TENANT")?,
            package: metadata_key(raw, "FAIREPLACE_METADATA_PACKAGE")?,
            credits: metadata_key(raw, "FAIREPLACE_METADATA_CREDITS")?,
        };
        let packages = raw.packages.as_deref().map(packages::check).transpose()?.unwrap_or_default();
        let policy = policy(raw, &packages)?;
        let account = raw.get("FAIREPLACE_STRIPE_ACCOUNT").map(str::to_owned);
        if account.as_deref().is_some_and(|account| !account.starts_with("acct_")) {
            return Err(wrong("FAIREPLACE_STRIPE_ACCOUNT", "an account id, such as acct_1A2b3C"));
        }
        Ok(Self {
            listen: address("FAIREPLACE_LISTEN", "127.0.0.1:3000")?,
            trusted_proxies: trusted_proxies(required(raw, "FAIREPLACE_TRUSTED_PROXIES")?)?,
            emulator_listen: address("FAIREPLACE_EMULATOR_LISTEN", "127.0.0.1:12111")?,
            database: database(required(raw, "DATABASE_URL")?)?,
            secrets: raw.get("STRIPE_WEBHOOK_SECRET").map(secrets).transpose()?,
            stripe_key: raw.get("STRIPE_SECRET_KEY").map(ApiKey::new),
            stripe_base: raw.get("STRIPE_API_BASE").map(str::to_owned),
            packages,
            automatic_tax: flag(raw, "FAIREPLACE_AUTOMATIC_TAX")?,
            operator_limits: operator_limits(raw)?,
            first_person: first_person(raw.user.as_deref()),
            requests_per_hour: requests_per_hour(required(raw, "FAIREPLACE_REQUESTS_PER_HOUR")?)?,
            operator_key: raw.get("FAIREPLACE_OPERATOR_KEY").map(operator_key).transpose()?,
            mode,
            policy: Arc::new(policy),
            scope: Arc::new(DeploymentScope { mode, account, metadata }),
            notice_hosts: raw.get("FAIREPLACE_NOTICE_HOSTS").map(notice_hosts).transpose()?,
            notice_days: match required(raw, "FAIREPLACE_NOTICE_DAYS")?.parse() {
                Ok(days @ 1..=3650) => days,
                _ => return Err(wrong("FAIREPLACE_NOTICE_DAYS", "a number of days from 1 to 3650")),
            },
            log: log(required(raw, "FAIREPLACE_LOG")?)?,
            log_json: match required(raw, "FAIREPLACE_LOG_FORMAT")? {
                "text" => false,
                "json" => true,
                _ => return Err(wrong("FAIREPLACE_LOG_FORMAT", "text or json")),
            },
        })
    }
}

/// The deployment's rules about money.
fn policy(raw: &Raw, packages: &[Package]) -> Result<Policy, Failure> {
    Ok(Policy {
        refund_rounding: match required(raw, "FAIREPLACE_REFUND_ROUNDING")? {
            "floor" => Rounding::Floor,
            "ceil" => Rounding::Ceil,
            _ => return Err(wrong("FAIREPLACE_REFUND_ROUNDING", "floor or ceil")),
        },
        catalogue: shop::catalogue(packages),
        known_tenants_only: flag(raw, "FAIREPLACE_KNOWN_TENANTS_ONLY")?,
        terms_from: match required(raw, "FAIREPLACE_TERMS_FROM")? {
            "session" => TermsFrom::Session,
            "payment_intent" => TermsFrom::PaymentIntent,
            _ => return Err(wrong("FAIREPLACE_TERMS_FROM", "session or payment_intent")),
        },
        reversal_wait: match required(raw, "FAIREPLACE_REVERSAL_WAIT_MINUTES")?.parse() {
            Ok(minutes @ 1..=1_440) => minutes * 60,
            _ => return Err(wrong("FAIREPLACE_REVERSAL_WAIT_MINUTES", "minutes from 1 to 1440")),
        },
        ..Policy::default()
    })
}

fn required<'r>(raw: &'r Raw, variable: &str) -> Result<&'r str, Failure> {
    raw.get(variable).ok_or_else(|| wrong(variable, "set"))
}

fn wrong(variable: &str, expected: &str) -> Failure {
    Failure::configuration(format!("{variable} must be {expected}"))
}

/// The largest limit over all tenants.
const MAX_TOTAL_CREDITS: i64 = 1_000_000_000_000_000;
/// The default limit over all tenants, as a multiple of the limit per tenant.
const TOTAL_FACTOR: i64 = 10;

/// A limit of 0 means that every adjustment needs two people.
fn operator_limits(raw: &Raw) -> Result<OperatorLimits, Failure> {
    let read = |variable: &str, text: &str, most: i64| {
        let limit = text.parse().ok().filter(|limit| (0..=most).contains(limit));
        let expected = format!("credits, a whole number from 0 to {most}");
        limit.map(Credits).ok_or_else(|| wrong(variable, &expected))
    };
    let (one, all) = ("FAIREPLACE_ADJUSTMENT_LIMIT", "FAIREPLACE_ADJUSTMENT_LIMIT_TOTAL");
    let per_tenant = read(one, required(raw, one)?, MAX_CREDITS_PER_PAYMENT)?;
    let total = match raw.get(all) {
        Some(text) => read(all, text, MAX_TOTAL_CREDITS)?,
        None => Credits(per_tenant.0 * TOTAL_FACTOR),
    };
    Ok(OperatorLimits { per_tenant, total })
}

/// The default name of the first operator; containers often have no user name.
fn first_person(user: Option<&str>) -> String {
    let plain =
        |name: &&str| (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    user.filter(plain).unwrap_or("operator").to_owned()
}

fn requests_per_hour(text: &str) -> Result<u32, Failure> {
    let expected = "requests, a whole number from 0 (no limit) to 4294967295";
    text.parse().map_err(|_| wrong("FAIREPLACE_REQUESTS_PER_HOUR", expected))
}

fn operator_key(text: &str) -> Result<OperatorKey, Failure> {
    let key = OperatorKey::parse(text);
    key.ok_or_else(|| wrong("FAIREPLACE_OPERATOR_KEY", "an operator's key, as `keys create` shows it: fp_…"))
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

/// Host names of the operator's own network; customers may point their endpoints at them too.
fn notice_hosts(text: &str) -> Result<Destinations, Failure> {
    Destinations::parse(text).map_err(|entry| {
        let expected = "host names with commas, each with or without a port, such as shop.internal:8080";
        wrong("FAIREPLACE_NOTICE_HOSTS", &format!("{expected}; `{}` is not valid", entry.escape_debug()))
    })
}

/// Proxies by address or network.
fn trusted_proxies(text: &str) -> Result<TrustedProxies, Failure> {
    TrustedProxies::parse(text).map_err(|entry| {
        let expected =
            "`loopback`, `none`, or addresses and networks with commas, such as 10.0.0.0/8,fd00::/8";
        wrong("FAIREPLACE_TRUSTED_PROXIES", &format!("{expected}; `{}` is not valid", entry.escape_debug()))
    })
}

/// Characters after `whsec_`. Stripe's secrets have 32; a short one could be guessed.
const SECRET_CHARACTERS_MIN: usize = 16;
/// Distinct characters among them. A random secret has more; a typed placeholder has fewer.
const DISTINCT_CHARACTERS_MIN: usize = 8;

/// Refuses a secret that would let anyone create credits (design section 6, Environment and defaults).
fn secrets(text: &str) -> Result<Vec<Secret>, Failure> {
    let refused = |fault: SecretFault| Failure::configuration(format!("STRIPE_WEBHOOK_SECRET: {fault}"));
    let list = Secret::parse_list(text).map_err(refused)?;
    let rest = |secret| Secret::expose(secret).strip_prefix("whsec_");
    if list.iter().all(|secret| rest(secret).is_some_and(|rest| rest.len() >= SECRET_CHARACTERS_MIN)) {
        let distinct = |rest: &str| rest.bytes().collect::<BTreeSet<_>>().len();
        let random = |secret| rest(secret).is_some_and(|rest| distinct(rest) >= DISTINCT_CHARACTERS_MIN);
        return if list.iter().all(random) { Ok(list) } else { Err(refused(SecretFault::Placeholder)) };
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
            // SQLite would create a file with that name, which nobody meant.
            if path.starts_with('~') || path.contains('?') {
                return Err(wrong("DATABASE_URL", "sqlite:PATH, without ~ and without parameters after a ?"));
            }
            Ok(Database { path: PathBuf::from(path) })
        }
        Some(("postgres" | "postgresql", _)) => Err(Failure::configuration(
            "DATABASE_URL: this release keeps its books in SQLite only; use sqlite:PATH",
        )),
        _ => Err(wrong("DATABASE_URL", SQLITE_FORM)),
    }
}
