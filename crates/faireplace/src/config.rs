//! Settings: from the environment, else from a TOML file with the same names, else the default. [`Raw`] keeps
//! where each value came from; [`Config`] is the checked form that the program uses. Secrets are never
//! printed.

mod api_key;
mod checked;
mod mistakes;
mod packages;
mod unknown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use api_key::ApiKey;
pub(crate) use checked::{Config, Database};
pub(crate) use mistakes::Mistakes;
pub(crate) use packages::{RawPackage, published};

use crate::failure::Failure;

/// The environment variables of this process, read once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(pub(crate) BTreeMap<String, String>);

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn of_this_process() -> Self {
        // A value that is not UTF-8 becomes text that no setting accepts, so that it is refused, not ignored.
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The environment variable. The key in the file is the same in lower case, without `FAIREPLACE_`.
    pub(crate) variable: &'static str,
    /// The default.
    pub(crate) default: Option<&'static str>,
    /// Whether the value is a secret, which is never printed.
    pub(crate) secret: bool,
    /// What it is for, in a few words.
    pub(crate) purpose: &'static str,
}

const fn setting(variable: &'static str, default: Option<&'static str>, purpose: &'static str) -> Setting {
    Setting { variable, default, secret: false, purpose }
}

/// Every setting.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("FAIREPLACE_LISTEN", Some("127.0.0.1:3000"), "address and port to listen on"),
    setting(
        "FAIREPLACE_TRUSTED_PROXIES",
        Some("loopback"),
        "proxies whose X-Forwarded-For is trusted, or none",
    ),
    setting("DATABASE_URL", Some("sqlite:faireplace.db"), "the database"),
    Setting {
        variable: "STRIPE_WEBHOOK_SECRET",
        default: None,
        secret: true,
        purpose: "the endpoint's whsec_… secret; comma-separated while rotating",
    },
    Setting {
        variable: "STRIPE_SECRET_KEY",
        default: None,
        secret: true,
        purpose: "the Stripe account's sk_… or rk_… key: purchases and `listen`",
    },
    setting("STRIPE_API_BASE", None, "base URL of Stripe's API; https://api.stripe.com with a key"),
    setting("FAIREPLACE_MODE", Some("live"), "live or test; events of the other mode never count"),
    setting("FAIREPLACE_STRIPE_ACCOUNT", None, "with Connect: the account whose events count"),
    setting(
        "FAIREPLACE_REFUND_ROUNDING",
        Some("floor"),
        "floor or ceil: rounding of fractions of a credit at a refund",
    ),
    setting(
        "FAIREPLACE_KNOWN_TENANTS_ONLY",
        Some("false"),
        "true: purchases of unknown tenants are quarantined",
    ),
    setting(
        "FAIREPLACE_TERMS_FROM",
        Some("session"),
        "session, or payment_intent if you sell without sessions",
    ),
    setting(
        "FAIREPLACE_REVERSAL_WAIT_MINUTES",
        Some("60"),
        "minutes until a refund without purchase is quarantined",
    ),
    setting("FAIREPLACE_METADATA_TENANT", Some("tenant_id"), "metadata key of the tenant"),
    setting("FAIREPLACE_METADATA_PACKAGE", Some("package"), "metadata key of the package"),
    setting("FAIREPLACE_METADATA_CREDITS", Some("credits"), "metadata key of the credits"),
    setting(
        "FAIREPLACE_ADJUSTMENT_LIMIT",
        Some("100"),
        "credits that one person may move per tenant in 24 hours",
    ),
    setting(
        "FAIREPLACE_ADJUSTMENT_LIMIT_TOTAL",
        None,
        "the same for all tenants together; default 10 times that",
    ),
    setting(
        "FAIREPLACE_REQUESTS_PER_HOUR",
        Some("1000"),
        "requests of a tenant, all keys together; 0: no limit",
    ),
    Setting {
        variable: "FAIREPLACE_OPERATOR_KEY",
        default: None,
        secret: true,
        purpose: "for commands: your operator key instead of this machine's",
    },
    setting("FAIREPLACE_EMULATOR_LISTEN", Some("127.0.0.1:12111"), "address of the emulator of `dev`"),
    setting("FAIREPLACE_AUTOMATIC_TAX", Some("false"), "true: Stripe computes tax for purchases"),
    setting("FAIREPLACE_NOTICE_HOSTS", None, "private or plain http hosts that notices may be sent to"),
    setting("FAIREPLACE_NOTICE_DAYS", Some("30"), "days to keep notices, 1 to 3650"),
    setting("FAIREPLACE_LOG", Some("info"), "error, warn, info, debug or trace"),
    setting("FAIREPLACE_LOG_FORMAT", Some("text"), "text or json"),
];

/// The variable that names the configuration file.
pub(crate) const FILE_VARIABLE: &str = "FAIREPLACE_CONFIG";
const FILE_DEFAULT: &str = "faireplace.toml";

impl Setting {
    /// Its name in the file.
    pub(crate) fn key(&self) -> String {
        self.variable.trim_start_matches("FAIREPLACE_").to_ascii_lowercase()
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    File(PathBuf),
    Default,
    Unset,
}

/// Every setting with its value and origin, and the catalogue, not yet checked.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) values: Vec<(Setting, Option<String>, Source)>,
    pub(crate) packages: Option<Vec<RawPackage>>,
    pub(crate) file: Option<PathBuf>,
    /// The variable of the first secret in the file, even if the environment overrides it.
    pub(crate) secret_in_file: Option<&'static str>,
    /// The operating system's user name, if known: the default name of the first operator.
    pub(crate) user: Option<String>,
    /// A message about the first unknown setting. It is refused when the settings are checked, so that
    /// `config show` can still print them.
    pub(crate) unknown: Option<String>,
}

impl Raw {
    /// Gathers the settings.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn gather(environment: &Environment) -> Result<Self, Failure> {
        let (file, mut table) = read_file(environment)?;
        let packages = match table.remove("packages") {
            None => None,
            Some(value) => Some(value.try_into().map_err(|error| {
                let file = file.as_deref().unwrap_or(Path::new(FILE_DEFAULT)).display();
                Failure::configuration(format!("{file}: [[packages]]: {error}"))
            })?),
        };
        let mut values = Vec::new();
        let mut secret_in_file = None;
        for setting in SETTINGS {
            let in_file = table.remove(&setting.key()).map(|value| match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            });
            if setting.secret && in_file.is_some() {
                secret_in_file = secret_in_file.or(Some(setting.variable));
            }
            let (value, source) = match (environment.get(setting.variable), in_file, &file) {
                (Some(value), _, _) => (Some(value.to_owned()), Source::Environment),
                (None, Some(value), Some(file)) => (Some(value), Source::File(file.clone())),
                (None, _, _) => match setting.default {
                    Some(default) => (Some(default.to_owned()), Source::Default),
                    None => (None, Source::Unset),
                },
            };
            values.push((*setting, value, source));
        }
        let unknown = match (table.keys().next(), &file) {
            (Some(key), Some(file)) => Some(unknown::key(file, key)),
            _ => unknown::variable(environment),
        };
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| environment.get(name));
        Ok(Self { values, packages, file, secret_in_file, user: user.map(str::to_owned), unknown })
    }

    pub(crate) fn get(&self, variable: &str) -> Option<&str> {
        let found = self.values.iter().find(|(setting, _, _)| setting.variable == variable);
        found.and_then(|(_, value, _)| value.as_deref())
    }

    pub(crate) fn source(&self, variable: &str) -> Source {
        let found = self.values.iter().find(|(setting, _, _)| setting.variable == variable);
        found.map_or(Source::Unset, |(_, _, source)| source.clone())
    }
}

fn read_file(environment: &Environment) -> Result<(Option<PathBuf>, toml::Table), Failure> {
    let named = environment.get(FILE_VARIABLE);
    let path = PathBuf::from(named.unwrap_or(FILE_DEFAULT));
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let table = text.parse().map_err(|error: toml::de::Error| {
                // Only the message, not the excerpt: the line may contain a secret.
                Failure::configuration(format!("{}: {}", path.display(), error.message()))
            })?;
            Ok((Some(path), table))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
            Ok((None, toml::Table::new()))
        }
        Err(error) => Err(Failure::configuration(format!("{}: {error}", path.display()))),
    }
}
