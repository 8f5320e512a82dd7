//! `faireplace doctor`: checks the set-up and says what to do about each problem.

use clap::Args;
use serde_json::Value;
use store::Mode;

use super::listing::counted;
use crate::checkout;
use crate::client::{Client, running};
use crate::config::{Config, Environment, Mistakes, Raw, Source};
use crate::failure::Failure;
use crate::service::cannot_listen;
use crate::terminal::{green, red, say, yellow};

/// Check the setup and print what to fix
#[derive(Args)]
pub(crate) struct DoctorArgs {}

enum Finding {
    Good(String),
    Odd(String),
    Bad(String),
}

use Finding::{Bad, Good, Odd};

impl DoctorArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let mut findings = Vec::new();
        match Raw::gather(environment).and_then(|raw| Ok((Config::of_database(environment)?, raw))) {
            Ok((config, raw)) => {
                settings(&raw, &config, &mut findings);
                findings.extend(secret(&config));
                findings.push(catalogue(&config));
                findings.push(sales(&config));
                findings.push(Good(format!("SQLite {}", store::sqlite::version())));
                findings.extend(port(&config));
                books(&config, &mut findings).await;
            }
            Err(failure) => findings.push(Bad(failure.to_string())),
        }
        let mut bad = 0;
        for finding in &findings {
            match finding {
                Good(text) => say!("{} {text}", green("✓")),
                Odd(text) => say!("{} {text}", yellow("!")),
                Bad(text) => {
                    bad += 1;
                    say!("{} {text}", red("✗"));
                }
            }
        }
        if bad == 0 {
            Ok(())
        } else {
            Err(Failure::failed(format!("{bad} of {} checks failed", findings.len())))
        }
    }
}

/// Settings that keep `serve` from starting, and those it warns about.
fn settings(raw: &Raw, config: &Config, findings: &mut Vec<Finding>) {
    let mistakes = Mistakes::find(raw, config);
    let mode = config.mode.as_str();
    let other_mode = raw.source("FAIREPLACE_MODE") == Source::Default && config.mode != Mode::Live;
    if mistakes.refused.is_empty() && !other_mode {
        findings.push(Good(format!("the settings are valid ({mode} mode)")));
    }
    if other_mode {
        findings.push(Bad(format!("the database is of {mode} mode: `serve` needs FAIREPLACE_MODE={mode}")));
    }
    findings.extend(mistakes.refused.into_iter().map(Bad));
    findings.extend(mistakes.named.into_iter().map(Odd));
}

fn secret(config: &Config) -> Option<Finding> {
    Some(match config.secrets.as_ref()?.len() {
        1 => Good("one signing secret is set".to_owned()),
        several => Odd(format!(
            "{several} signing secrets are accepted; remove the old one when the rotation is over"
        )),
    })
}

/// Whether `serve` could listen. Not checked while a service runs on this database.
fn port(config: &Config) -> Option<Finding> {
    if running(&config.database).is_some() {
        return None;
    }
    let error = std::net::TcpListener::bind(config.listen).err()?;
    Some(Bad(cannot_listen(config, &error).to_string()))
}

fn catalogue(config: &Config) -> Finding {
    match config.packages.len() {
        1.. => {
            let packages = counted(config.packages.len() as u64, "package");
            Good(format!("catalogue: {packages}; anything else is quarantined"))
        }
        0 => Odd("no catalogue: the credits in Stripe's metadata are trusted. Add [[packages]] to the \
             configuration file to check them"
            .to_owned()),
    }
}

/// Whether `POST /api/credits/purchase` has what it needs.
fn sales(config: &Config) -> Finding {
    match config.stripe_key.as_ref().map(|key| key.require(config.mode)) {
        Some(Err(failure)) => Bad(failure.to_string()),
        Some(Ok(key)) => match checkout::shop(config, Some(key), config.stripe_base.as_deref()) {
            Ok(_) if config.packages.is_empty() => {
                Odd("STRIPE_SECRET_KEY is set, but without [[packages]] nothing can be bought".to_owned())
            }
            Ok(_) => Good("packages can be bought through POST /api/credits/purchase".to_owned()),
            Err(failure) => Bad(failure.to_string()),
        },
        None if config.packages.is_empty() => {
            Good("this service sells nothing: you create the checkouts yourself".to_owned())
        }
        None => {
            Odd("STRIPE_SECRET_KEY is not set: `serve` lists the packages but cannot sell them; `dev` sells \
             them through its emulator"
                .to_owned())
        }
    }
}

/// Checks the database, through the running service if there is one.
async fn books(config: &Config, findings: &mut Vec<Finding>) {
    let path = config.database.path.display();
    if let Err(obstacle) = store::sqlite::examine(&config.database.path) {
        return findings.push(Bad(obstacle.to_string()));
    }
    if !config.database.path.is_file() {
        // Anything else is a mistake that was found already.
        if config.database.folder().is_dir() && !config.database.path.is_dir() {
            findings.push(Odd(format!("there is no database at {path} yet; `serve` and `dev` create it")));
        }
        return;
    }
    // Before the client opens the database itself, after which it would find its own lock.
    let service = running(&config.database);
    let client = match Client::connect(config).await {
        Ok(client) => client,
        Err(failure) => return findings.push(Bad(failure.to_string())),
    };
    findings.push(match service {
        Some(url) => Good(format!("a service runs at {url}")),
        None => Odd(format!("no service runs on {path}")),
    });
    match client.get("/api/admin/status").await {
        Ok(answer) => state(&answer["data"], findings),
        Err(failure) => findings.push(Bad(failure.to_string())),
    }
    match client.audit().await {
        Ok(answer) if answer["data"]["ok"] == true => {
            findings.push(Good(format!(
                "the books add up: {}",
                counted(answer["data"]["transactions"].as_u64().unwrap_or_default(), "transaction")
            )));
        }
        Ok(_) => findings.push(Bad("the books do not add up: see `faireplace audit verify`".to_owned())),
        Err(failure) => findings.push(Bad(failure.to_string())),
    }
}

fn state(status: &Value, findings: &mut Vec<Finding>) {
    findings.push(match status["clock"]["message"].as_str() {
        None => Good("the machine's clock is trusted".to_owned()),
        Some(message) => Bad(message.trim_end_matches('.').to_owned()),
    });
    if let Some(message) = status["restore"]["message"].as_str() {
        findings.push(Bad(message.trim_end_matches('.').to_owned()));
    }
    let number = |name: &str| status[name].as_u64().unwrap_or_default();
    findings.push(match number("pending") {
        0 => Good(format!("all events are applied: {}", counted(number("events"), "event"))),
        several => Odd(format!(
            "not applied yet: {}; see `faireplace events list --pending`",
            counted(several, "event")
        )),
    });
    if number("quarantined") > 0 {
        findings.push(Odd(format!(
            "in quarantine: {}; see `faireplace quarantine list`",
            counted(number("quarantined"), "item")
        )));
    }
    let unavailable = status["since_start"]["unavailable"].as_u64().unwrap_or_default();
    if unavailable > 0 {
        findings.push(Odd(format!(
            "{unavailable} webhooks could not be stored and were answered 503 since the start. Is the disk \
             full? The log says why; Stripe sends them again"
        )));
    }
    let faults = &status["since_start"]["signature_faults"];
    let refused: u64 = faults.as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum();
    let off = |name: &str| faults[name].as_u64().unwrap_or_default();
    if refused > 0 {
        let hint = if off("stale") + off("future") > off("mismatch") {
            "most because of their timestamp: is this machine's clock right?"
        } else {
            "is STRIPE_WEBHOOK_SECRET that of this endpoint, in this mode?"
        };
        findings.push(Odd(format!("rejected since the start: {}; {hint}", counted(refused, "webhook"))));
    }
}
