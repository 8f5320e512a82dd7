//! Prints an action: the request, its result, its effect on credits, and what a second person has to do.

use serde_json::Value;

use crate::commands::listing::{counted, json as print_json, moment, text};
use crate::failure::Failure;
use crate::terminal::{bold, faint, say, shown, yellow};

/// Prints the result of an action.
pub(in crate::commands) fn report(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print_json(answer);
    }
    let action = &answer["data"];
    let what = what(action);
    match action["state"].as_str() {
        Some("waiting") => waits(action),
        Some("rejected") => say!("rejected: {what}. Nothing was changed."),
        _ => match action["transaction_id"].as_i64() {
            Some(transaction) => say!("done{}: {what}, transaction {transaction}", alone(action)),
            None => say!("done{}: {what}", alone(action)),
        },
    }
    Ok(())
}

/// Prints the result of a dry run.
pub(in crate::commands) fn forecast(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print_json(answer);
    }
    let preview = &answer["data"];
    say!("{}", bold("Dry run, nothing was changed. The effect would be:"));
    let items = preview["consequences"]["items"].as_u64().unwrap_or_default();
    if items > 0 {
        say!("decides {}", counted(items, "item"));
    }
    let lines = lines(&preview["consequences"], false);
    lines.iter().for_each(|line| say!("{line}"));
    if lines.is_empty() {
        say!("no change to credits");
    }
    if preview["second_person"] == true {
        say!("It needs a second person.");
    }
    Ok(())
}

/// Prints that an action is waiting, and how a second person approves it.
pub(in crate::commands) fn waits(action: &Value) {
    say!("{}", yellow(&format!("waiting: {}. Nothing has changed yet.", what(action))));
    say!("A second person must approve this: somebody registered before it was requested,");
    say!("with their own operator key in FAIREPLACE_OPERATOR_KEY:");
    say!("  faireplace actions approve {}", text(&action["id"]));
}

/// Prints everything about one action.
pub(super) fn show(action: &Value) {
    let state = format!("{}{}", text(&action["state"]), alone(action));
    say!("{} {}", bold(&state), what(action));
    let actor = |actor: &Value| match actor["key"].as_str() {
        Some(key) => format!("{} (key {})", text(&actor["name"]), shown(key)),
        None => text(&actor["name"]),
    };
    let reason = shown(&text(&action["reason"]));
    say!("requested {} UTC by {}: {reason}", moment(&action["asked_at"]), actor(&action["asked_by"]));
    if action["decided_by"].is_object() {
        say!("decided {} UTC by {}", moment(&action["decided_at"]), actor(&action["decided_by"]));
    }
    if let Some(note) = action["note"].as_str() {
        say!("{}", shown(note));
    }
    consequences(&action["consequences"], action["state"] == "done");
    if action["state"] == "waiting" {
        let id = text(&action["id"]);
        say!("\nTo approve: faireplace actions approve {id}");
        say!("To reject:  faireplace actions reject {id} --reason WHY");
    }
}

/// Prints the effect on credits, if there is one.
pub(in crate::commands) fn consequences(of: &Value, done: bool) {
    lines(of, done).iter().for_each(|line| say!("{line}"));
}

/// The effect on credits, one line each.
pub(in crate::commands) fn lines(of: &Value, done: bool) -> Vec<String> {
    let number = |field: &str| of[field].as_u64().unwrap_or_default();
    let (granted, taken) = (number("granted"), number("taken_back"));
    let (gives, takes, creates) =
        if done { ("gave", "took back", "created") } else { ("gives", "takes back", "creates") };
    let mut parts = Vec::new();
    if granted > 0 {
        let refunded = match number("refunded") {
            0 => String::new(),
            refunded => format!(", {refunded} of them revoked at once because the money was refunded"),
        };
        parts.push(format!("{gives} {}{refunded}", counted(granted, "credit")));
    }
    if taken > 0 {
        let used = match number("already_used") {
            0 => String::new(),
            used => format!(", {used} of them already used"),
        };
        parts.push(format!("{takes} {}{used}", counted(taken, "credit")));
    }
    if number("debt_created") > 0 {
        parts.push(format!("{creates} a debt of {}", counted(number("debt_created"), "credit")));
    }
    let changes = of["balances"].as_array().into_iter().flatten().map(|change| {
        let (before, after) = (balance(&change["before"]), balance(&change["after"]));
        faint(&format!("tenant {}: {before} → {after}", text(&change["tenant_id"])))
    });
    let sums = (!parts.is_empty()).then(|| parts.join(", "));
    sums.into_iter().chain(changes).collect()
}

fn balance(of: &Value) -> String {
    let number = |field: &str| of[field].as_u64().unwrap_or_default();
    let mut words = format!("{} available", number("available"));
    for (field, word) in [("held", "held"), ("frozen", "frozen"), ("debt", "owed")] {
        if number(field) > 0 {
            words.push_str(&format!(", {} {word}", number(field)));
        }
    }
    words
}

fn alone(action: &Value) -> &'static str {
    if action["alone"] == true { " alone" } else { "" }
}

/// The request in words: `5 credits given to …`.
fn what(action: &Value) -> String {
    let (request, tenant) = (&action["request"], text(&action["tenant_id"]));
    let credits = request["credits"].as_i64().unwrap_or_default();
    let number = counted(credits.unsigned_abs(), "credit");
    let name = || shown(&text(&request["name"]));
    match action["kind"].as_str().unwrap_or_default() {
        "adjustment" if credits < 0 => format!("{number} taken from {tenant}"),
        "adjustment" => format!("{number} given to {tenant}"),
        "write_off" => format!("a debt of {number} of {tenant} forgiven"),
        "quarantine_resolve" if request["credits"].is_i64() => {
            format!("{} resolved, {number} for {}", items(request), text(&request["tenant_id"]))
        }
        "quarantine_resolve" => format!("{} resolved", items(request)),
        "quarantine_dismiss" => format!("{} dismissed", items(request)),
        "key_create" => format!("{} key {} created", text(&request["key_kind"]), name()),
        "key_rotate" => format!("key {} rotated", text(&request["key_id"])),
        "key_revoke" => format!("key {} revoked", text(&request["key_id"])),
        "person_add" => format!("{} registered", name()),
        "person_remove" => format!("{} removed", text(&request["person_id"])),
        "recovery" => format!("{} registered by recovery", name()),
        "restore_confirm" => format!("the restore of {} confirmed", shown(&text(&request["source"]))),
        other => other.to_owned(),
    }
}

/// The quarantine items of a decision: one item's number, or a count.
fn items(request: &Value) -> String {
    match request["items"].as_array().map(Vec::as_slice) {
        Some([one]) => format!("item {one}"),
        items => counted(items.map_or(0, <[_]>::len) as u64, "item"),
    }
}
