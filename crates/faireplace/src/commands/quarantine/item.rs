//! Prints one quarantine item: what happened, what was claimed, and what the operator can do.

use serde_json::Value;

use super::about;
use crate::commands::listing::{Column, counted, moment, print_rows, text};
use crate::terminal::Side::{Left, Right};
use crate::terminal::{bold, faint, say, shown};

/// Prints the item.
pub(super) fn print(item: &Value) {
    let id = text(&item["id"]);
    say!("{} {}", bold(&text(&item["reason"])), shown(&about(item)));
    say!("{}", shown(&text(&item["detail"])));
    say!("{}", faint(&format!("since {} UTC", moment(&item["opened_at"]))));
    let claims = item["claims"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !claims.is_empty() {
        say!("");
        print_claims(claims);
    }
    match item["resolution"].as_str() {
        Some(resolution) => {
            let (by, note) = (shown(&text(&item["closed_by"])), shown(&text(&item["note"])));
            say!("{resolution} {} UTC, by {by}: {note}", moment(&item["closed_at"]));
        }
        None if item["event"].is_string() => {
            say!(
                "\nWhen the cause is fixed, read it again:  faireplace quarantine resolve {id} --reason WHY"
            );
            say!("To leave it at that:                     faireplace quarantine dismiss {id} --reason WHY");
        }
        None => {
            say!("");
            let unlinked = item["reason"] == "unlinked";
            ways_out(&id, claims, unlinked).iter().for_each(|line| say!("{line}"));
        }
    }
}

/// What Stripe said that the payment is for, once for every event that said it.
fn print_claims(claims: &[Value]) {
    let columns = [
        Column("claimed by", Left, |row| text(&row["event"])),
        Column("in the", Left, |row| text(&row["source"]).replace('_', " ")),
        Column("tenant", Left, |row| text(&row["tenant"])),
        Column("credits", Right, |row| text(&row["credits"])),
        Column("package", Left, |row| text(&row["package"])),
        Column("amount", Right, |row| text(&row["amount"])),
        Column("currency", Left, |row| text(&row["currency"])),
        Column("accepted", Left, |row| match (row["accepted"].as_bool(), row["reason"].as_str()) {
            (Some(true), _) => "yes".to_owned(),
            (_, Some(reason)) => format!("no: {reason}"),
            (_, None) => "not judged".to_owned(),
        }),
    ];
    print_rows(claims, &columns);
}

/// What a person can do about a payment, a line each. Without options, resolving takes the claim that counts,
/// which is the first, if it names both a tenant and credits.
fn ways_out(id: &str, claims: &[Value], unlinked: bool) -> Vec<String> {
    let complete = |claim: &&Value| claim["tenant_id"].is_string() && claim["credits"].is_u64();
    let chosen = claims.first().filter(complete);
    let mut lines = vec![format!(
        "To grant:  faireplace quarantine resolve {id} --reason WHY [--tenant UUID] [--credits N]"
    )];
    if unlinked {
        lines.push("           and one of  --payment-intent pi_…  --refunds-by-hand".to_owned());
    }
    if let Some(claim) = chosen {
        let credits = counted(claim["credits"].as_u64().unwrap_or_default(), "credit");
        let tenant = shown(&text(&claim["tenant_id"]));
        lines.push(format!("           Without options that is {credits} for tenant {tenant}."));
    } else if !claims.is_empty() {
        lines.push("           The claim names no valid tenant or credits, so the options must.".to_owned());
    }
    if let Some(event) = chosen.or(claims.first()).and_then(|claim| claim["event"].as_str()) {
        let event = shown(event);
        lines.push(format!("When the settings were corrected:  faireplace events replay {event}"));
    }
    lines.push(format!("To grant nothing:  faireplace quarantine dismiss {id} --reason WHY"));
    lines
}

#[cfg(test)]
mod tests;
