//! `faireplace emulate`: runs the Stripe emulator alone, for any webhook handler under development or test.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use clap::Args;
use stripe::Secret;
use stripe::write::ApiVersion;
use tokio::signal::unix::{SignalKind, signal};

use super::listen::address;
use crate::account::LISTEN;
use crate::config::Environment;
use crate::emulation::{Emulation, EmulationOptions, SECRET};
use crate::failure::Failure;
use crate::log::Log;
use crate::terminal::{bold, faint, say};

/// Run the Stripe emulator: API, payment page and signed deliveries
///
/// Needs no account and no network. Point an official SDK at the address it prints (`host` and `port`, or
/// `api_base`), with the key it prints. STRIPE_WEBHOOK_SECRET and STRIPE_SECRET_KEY (sk_test_…) set the
/// secret and the key; the defaults are the same in every run. With a COMMAND after --, runs the command with
/// STRIPE_API_BASE, STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET set, and exits with its exit code.
#[derive(Args)]
#[command(after_help = "Examples:
  faireplace emulate --forward-to localhost:8080/webhook
  faireplace emulate --forward-to localhost:8080/webhook -- npm test
  faireplace emulate --at 2026-01-01T00:00:00Z --seed 7     # the same ids and times in every run")]
pub(crate) struct EmulateArgs {
    /// Address and port to listen on; port 0 chooses a free one
    #[arg(long, default_value = LISTEN)]
    listen: SocketAddr,
    /// Public URL: links to the payment page start with it, and its host name is accepted
    #[arg(long, value_name = "URL", value_parser = origin)]
    url: Option<String>,
    /// Keep the account in this file between runs
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Send events to this endpoint
    #[arg(long, value_name = "URL", value_parser = target)]
    forward_to: Option<String>,
    /// Send only events of these types
    #[arg(long, value_name = "TYPES", value_delimiter = ',', requires = "forward_to")]
    events: Vec<String>,
    /// API version of that endpoint
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = version,
        default_value = ApiVersion::default().as_str(),
    )]
    api_version: ApiVersion,
    /// Seed of ids and of random misbehaviour [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Freeze the clock at this time until it is advanced
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<i64>,
    /// Time limit of one delivery, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    attempt_timeout: Option<u64>,
    /// Command to run while the emulator runs
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl EmulateArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let _log = Log::start("warn", false)?;
        let key = environment.get("STRIPE_SECRET_KEY").unwrap_or(emulator::API_KEY);
        if !key.starts_with("sk_test_") || key.contains(char::is_whitespace) {
            return Err(Failure::configuration(
                "STRIPE_SECRET_KEY is not a test key (sk_test_…). Nothing was started, so that no live key \
                 is used with the emulator. Unset it",
            ));
        }
        let chosen = environment.get("STRIPE_WEBHOOK_SECRET").unwrap_or(SECRET);
        let secrets = Secret::parse_list(chosen)
            .map_err(|fault| Failure::configuration(format!("STRIPE_WEBHOOK_SECRET: {fault}")))?;
        // A list has at least one.
        let secret = secrets.into_iter().next().ok_or_else(|| Failure::configuration("no secret"))?;
        let emulation = Emulation::open(EmulationOptions {
            listen: self.listen,
            listen_option: "--listen ",
            url: self.url.clone(),
            api_key: key.to_owned(),
            file: self.file.clone(),
            seed: self.seed,
            still_at_ms: self.at,
            attempt_timeout: self.attempt_timeout.map(Duration::from_secs),
        })
        .await?;
        if let Some(target) = &self.forward_to {
            emulation.forward(target, "faireplace emulate", &self.events, self.api_version, &secret);
        }
        let url = emulation.url.clone();
        self.print_ready(&emulation, key, &secret);
        let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(emulation.run(async {
            // The emulator also stops when the sender is dropped.
            let _ = stopping.await;
        }));
        let ended = match self.command.split_first() {
            Some((program, arguments)) => Some(run(program, arguments, &url, key, &secret).await),
            None => {
                ordered().await?;
                None
            }
        };
        let _ = stop.send(());
        running.await.map_err(|error| Failure::failed(error.to_string()))?;
        ended.map_or(Ok(()), |ended| ended.and_then(exit))
    }

    fn print_ready(&self, emulation: &Emulation, key: &str, secret: &Secret) {
        let url = &emulation.url;
        say!("{}  {url}  (no money moves here)\n", bold("emulate"));
        say!("  {:<24} {url}", faint("STRIPE_API_BASE"));
        // The well-known ones are there to be pasted; others may be those of an account at Stripe.
        let chosen = "the one in the environment";
        let key = if key == emulator::API_KEY { key } else { chosen };
        say!("  {:<24} {key}", faint("STRIPE_SECRET_KEY"));
        if let Some(target) = &self.forward_to {
            let shown = if secret.expose() == SECRET { SECRET } else { chosen };
            say!("  {:<24} {shown}", faint("STRIPE_WEBHOOK_SECRET"));
            say!("  {:<24} {}", faint("events go to"), target);
        }
        say!("  {:<24} {}", faint("seed"), emulation.emulator.with(|world| world.seed()));
        say!("  {:<24} {url}/\n", faint("control page"));
    }
}

/// Runs the command, and answers how it ended.
async fn run(
    program: &str,
    arguments: &[String],
    url: &str,
    key: &str,
    secret: &Secret,
) -> Result<ExitStatus, Failure> {
    let mut command = tokio::process::Command::new(program);
    command
        .args(arguments)
        .env("STRIPE_API_BASE", url)
        .env("STRIPE_SECRET_KEY", key)
        .env("STRIPE_WEBHOOK_SECRET", secret.expose())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::failed(format!("`{program}` cannot be started: {error}")))?;
    tokio::select! {
        ended = child.wait() => ended.map_err(|error| Failure::failed(format!("`{program}`: {error}"))),
        stopped = ordered() => {
            stopped?;
            end_gently(&mut child).await;
            Err(Failure::failed(format!("stopped before `{program}` had ended")))
        }
    }
}

/// Ends as the command did; one that a signal ended counts as 128 and the signal's number, as in a shell.
/// Passes the order on, so that a test suite can clean up, and gives it ten seconds.
async fn end_gently(child: &mut tokio::process::Child) {
    let Some(id) = child.id() else { return };
    // It may have ended just now; then there is nobody to tell.
    let _ = tokio::process::Command::new("kill").args(["-TERM", &id.to_string()]).status().await;
    let _ = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
}

fn exit(status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let by_signal = status.signal().map(|signal| signal.saturating_add(128));
    let code = status.code().or(by_signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure::of_command(code, &format!("ended with exit code {code}")))
}

/// Resolves on SIGTERM or SIGINT.
async fn ordered() -> Result<(), Failure> {
    let no_signals = |error| Failure::failed(format!("cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// The forms that `listen` accepts, limited to plain http, which is all that the emulator speaks.
fn target(text: &str) -> Result<String, String> {
    let url = address(text);
    let parsed: Option<axum::http::Uri> = url.parse().ok();
    let reachable = parsed.is_some_and(|uri| {
        uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty())
    });
    let form = "must be a plain http address, such as localhost:8080/webhook";
    if reachable { Ok(url) } else { Err(form.to_owned()) }
}

/// A URL of scheme, host and port only.
fn origin(text: &str) -> Result<String, String> {
    let parsed: Option<axum::http::Uri> = text.parse().ok();
    let plain = parsed.is_some_and(|uri| {
        let place = uri.authority().filter(|place| !place.host().is_empty() && !place.as_str().contains('@'));
        matches!(uri.scheme_str(), Some("http" | "https"))
            && place.is_some()
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none()
    });
    let form = "must be a URL such as http://stripe.ci.example:12111";
    if plain { Ok(text.trim_end_matches('/').to_owned()) } else { Err(form.to_owned()) }
}

fn version(text: &str) -> Result<ApiVersion, String> {
    let exact = ApiVersion::ALL.into_iter().find(|version| version.as_str() == text);
    let names = ApiVersion::ALL.map(ApiVersion::as_str).join(", ");
    exact.ok_or_else(|| format!("must be one of {names}"))
}

fn moment(text: &str) -> Result<i64, String> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| "must be a time such as 2026-01-01T00:00:00Z".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ended_by_a_signal_gives_the_exit_code_of_a_shell() {
        // Wait statuses: exit code 7, SIGKILL, SIGTERM.
        for (raw, code) in [(7 << 8, 7), (9, 137), (15, 143)] {
            let ended =
                exit(ExitStatus::from_raw(raw)).map_err(|failure| format!("{:?}", failure.exit_code()));
            assert_eq!(ended, Err(format!("{:?}", std::process::ExitCode::from(code))));
        }
        assert!(exit(ExitStatus::from_raw(0)).is_ok());
    }

    #[test]
    fn the_address_of_others_has_a_host_and_no_path() {
        for right in ["http://stripe.ci.example:12111", "https://stripe.ci.example/", "http://emulator:80"] {
            assert_eq!(origin(right).as_deref(), Ok(right.trim_end_matches('/')));
        }
        for wrong in ["", "emulator:12111", "http://", "http://a/b", "http://a?b", "http://x@a", "ftp://a"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_go_only_where_plain_http_is_spoken() {
        assert_eq!(target("8080/hook").as_deref(), Ok("http://localhost:8080/hook"));
        assert_eq!(target("http://app:8080/hook").as_deref(), Ok("http://app:8080/hook"));
        for wrong in ["", "::", "http://", "http://x y", "ftp://x", "https://localhost/hook"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }
}
