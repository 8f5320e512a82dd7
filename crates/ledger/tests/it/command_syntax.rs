//! Parses the lines of a statement that are commands, sweeps, thresholds or clock settings. `step` lists
//! their syntax.

use ledger::{Cause, Command, CommandAction, Credits, HoldId, Now, Timestamp};
use uuid::Uuid;

use crate::step::{Step, Words};

/// Parses the rest of a line that begins with `verb`, if that is one of these verbs.
pub(crate) fn parse_command(verb: &str, words: &mut Words<'_>, number: i64) -> Option<Step> {
    if verb == "clock" {
        let at = time(words);
        let trusted = words.optional("in") != Some("doubt");
        return Some(Step::Clock(Now { at, trusted }));
    }
    if !["spend", "hold", "capture", "release", "adjust", "forgive", "sweep", "low"].contains(&verb) {
        return None;
    }
    let tenant = words.tenant();
    let by_key = Cause::Command(format!("key_{number}"));
    let by_hand = Cause::Operator { by: "ann".into(), reason: format!("line {number}") };
    let mut reference = None;
    let (cause, action) = match verb {
        "sweep" => return Some(Step::Sweep(tenant)),
        "low" => return Some(Step::Low(tenant, (!words.left.is_empty()).then(|| Credits(words.number())))),
        "spend" => (by_key, CommandAction::Spend { credits: Credits(words.number()) }),
        "hold" => {
            let (id, credits) = (hold(words), Credits(words.number()));
            let lasts_seconds = words.optional("lasts").map_or(1_000, |text| text.parse().unwrap());
            (by_key, CommandAction::Hold { id, credits, lasts_seconds })
        }
        "capture" => (by_key, CommandAction::Capture { hold: hold(words), credits: credits(words) }),
        "release" => (by_key, CommandAction::Release { hold: hold(words) }),
        "adjust" => (by_hand, adjust(words)),
        _ => (by_hand, CommandAction::WriteOff { credits: credits(words) }),
    };
    if let Some(text) = words.optional("for") {
        reference = Some(text.to_owned());
    }
    Some(Step::Command(Box::new(Command { tenant, cause, reference, action })))
}

/// The id of the hold that a statement calls `h1`, and so on.
pub(crate) fn hold_id(name: &str) -> HoldId {
    let number = name.strip_prefix('h').and_then(|digits| digits.parse().ok());
    HoldId(Uuid::from_u128(number.unwrap_or_else(|| panic!("{name}: holds are h1, h2, …"))))
}

/// The name of this hold in statements.
pub(crate) fn hold_name(id: HoldId) -> String {
    format!("h{}", id.0.as_u128())
}

fn hold(words: &mut Words<'_>) -> HoldId {
    hold_id(words.next())
}

fn credits(words: &mut Words<'_>) -> Option<Credits> {
    let is_given = words.left.front().is_some_and(|word| *word != "for");
    is_given.then(|| Credits(words.number()))
}

fn adjust(words: &mut Words<'_>) -> CommandAction {
    let credits = words.number();
    let priority = words.optional("priority").map_or(10, |text| text.parse().unwrap());
    let expires_at = words.optional("until").map(|text| at(text, words.text));
    CommandAction::Adjust { credits, priority, expires_at }
}

fn time(words: &mut Words<'_>) -> Timestamp {
    at(words.next(), words.text)
}

/// Seconds, with up to six decimals.
fn at(text: &str, line: &str) -> Timestamp {
    let (seconds, micros) = text.split_once('.').unwrap_or((text, ""));
    let number = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("{line}: {text} is not a time"));
    Timestamp(number(seconds) * 1_000_000 + number(&format!("{micros:0<6}")))
}

/// The time as a statement writes it.
pub(crate) fn seconds(at: Timestamp) -> String {
    let (whole, micros) = (at.seconds(), at.0.rem_euclid(1_000_000));
    if micros == 0 { whole.to_string() } else { format!("{whole}.{micros:06}") }
}
