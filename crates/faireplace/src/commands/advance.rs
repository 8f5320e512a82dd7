//! `faireplace advance`: advances the emulator's clock.

use clap::Args;
use serde_json::json;

use crate::account::{Account, nearest};
use crate::config::{Config, Environment, Raw};
use crate::failure::Failure;
use crate::terminal::{bold, say};

/// Advance the emulator's clock
///
/// Everything that becomes due in the meantime happens in order: retries, refunds, debits, disputes and
/// expiry.
#[derive(Args)]
#[command(after_help = "Examples:
  faireplace advance 3d
  faireplace advance 90m --api-base http://127.0.0.1:12111")]
pub(crate) struct AdvanceArgs {
    /// Time to advance: 30s, 90m, 12h, 3d or 2w
    #[arg(value_parser = seconds)]
    by: u32,
    /// Base URL of the emulator [default: STRIPE_API_BASE, else that of `dev` in this folder, else
    /// `http://127.0.0.1:12111`]
    #[arg(long, value_name = "URL")]
    api_base: Option<String>,
}

impl AdvanceArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let raw = Raw::gather(environment)?;
        let said = self.api_base.as_deref().or(raw.get("STRIPE_API_BASE"));
        let config = Config::load(environment).ok();
        let url = nearest(said, config.as_ref().map(|config| &config.database));
        let account = Account::at(&url, emulator::API_KEY)?;
        let state = account.control("advance", &json!({ "seconds": self.by })).await?;
        let now = state["now"].as_i64().and_then(|now| jiff::Timestamp::from_second(now).ok());
        let ran = state["ran"].as_u64().unwrap_or_default();
        let now = now.unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S").to_string();
        say!("The emulator's clock is now {} (UTC); {ran} scheduled changes ran.", bold(&now));
        Ok(())
    }
}

fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || "a number and s, m, h, d or w, such as 3d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = count.checked_mul(each).filter(|seconds| *seconds <= 366 * 86_400);
    seconds.ok_or_else(|| "a year at most".to_owned())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations() {
        for (text, expected) in
            [("30s", 30), ("90m", 5_400), ("12h", 43_200), ("3d", 259_200), ("2w", 1_209_600)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for wrong in ["", "d", "3", "3 d", "-1d", "1.5h", "3é", "4000000000d", "99w"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
