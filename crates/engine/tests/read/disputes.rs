//! Disputes: the outcome, whether the money was withdrawn, and how much of it was reinstated.

use serde_json::{Value, json};

use crate::check_all;

const CREATED: &str = "charge.dispute.created";
const UPDATED: &str = "charge.dispute.updated";
const CLOSED: &str = "charge.dispute.closed";
const WITHDRAWN: &str = "charge.dispute.funds_withdrawn";
const REINSTATED: &str = "charge.dispute.funds_reinstated";

fn dispute() -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "amount": 2_500, "currency": "eur", "charge": "ch_1",
        "payment_intent": "pi_1", "status": "needs_response",
    })
}

/// A dispute with this status, and with balance transactions of these amounts in this currency.
fn moved(status: &str, currency: &str, amounts: &[i64]) -> Value {
    let moves: Vec<_> =
        amounts.iter().map(|amount| json!({ "amount": amount, "currency": currency })).collect();
    json!({ "status": status, "balance_transactions": moves })
}

#[test]
fn every_status() {
    let status = |status: &str| json!({ "status": status });
    let open = "pi_1; ch_1; dp_1 2500 open withdrawn";
    let (inquiry, won) = ("pi_1; ch_1; dp_1 2500 open", "pi_1; ch_1; dp_1 2500 won");
    check_all(
        &dispute(),
        &[
            ("opened", CREATED, status("needs_response"), open),
            ("answered", UPDATED, status("under_review"), open),
            ("lost", CLOSED, status("lost"), "pi_1; ch_1; dp_1 2500 lost withdrawn"),
            ("won", CLOSED, status("won"), won),
            ("an inquiry", CREATED, status("warning_needs_response"), inquiry),
            ("an inquiry answered", UPDATED, status("warning_under_review"), inquiry),
            ("an inquiry closed", CLOSED, status("warning_closed"), won),
            ("prevented", CLOSED, status("prevented"), won),
            ("refunded instead", CLOSED, status("charge_refunded"), won),
            ("a status of the future", UPDATED, status("escalated"), inquiry),
            ("a status of the future, money withdrawn", WITHDRAWN, status("escalated"), open),
            (
                "no links",
                CREATED,
                json!({ "charge": null, "payment_intent": null }),
                "dp_1 2500 open withdrawn",
            ),
            ("no status", CREATED, json!({ "status": null }), "quarantined unreadable"),
            ("no amount", CREATED, json!({ "amount": null }), "quarantined unreadable"),
        ],
    );
}

#[test]
fn withdrawn_and_reinstated_amounts() {
    let reading_of = |text: &str| format!("pi_1; ch_1; dp_1 2500 {text}");
    let rows = [
        ("withdrawn", CREATED, moved("needs_response", "eur", &[-2_500]), reading_of("open withdrawn")),
        (
            "an inquiry that withdrew money",
            UPDATED,
            moved("warning_under_review", "eur", &[-2_500]),
            reading_of("open withdrawn"),
        ),
        (
            "all reinstated",
            CLOSED,
            moved("won", "eur", &[-2_500, 2_500]),
            reading_of("won withdrawn reinstated 2500"),
        ),
        (
            "lost, and a part reinstated",
            CLOSED,
            moved("lost", "eur", &[-2_500, 1_000]),
            reading_of("lost withdrawn reinstated 1000"),
        ),
        (
            "in another currency, all",
            CLOSED,
            moved("won", "usd", &[-2_800, 2_800]),
            reading_of("won withdrawn reinstated 2500"),
        ),
        (
            "in another currency, a half",
            CLOSED,
            moved("lost", "usd", &[-2_800, 1_400]),
            reading_of("lost withdrawn reinstated 1250"),
        ),
        (
            "in another currency, a third",
            CLOSED,
            moved("lost", "jpy", &[-3, 1]),
            reading_of("lost withdrawn reinstated 833"),
        ),
        (
            "the rate moved in our favour",
            CLOSED,
            moved("won", "usd", &[-2_800, 2_900]),
            reading_of("won withdrawn reinstated 2500"),
        ),
        (
            "only the reinstatement is listed",
            REINSTATED,
            moved("won", "eur", &[900]),
            reading_of("won reinstated 900"),
        ),
        (
            "more is reinstated than disputed",
            REINSTATED,
            moved("won", "eur", &[9_000]),
            reading_of("won reinstated 2500"),
        ),
        (
            "older versions list nothing",
            REINSTATED,
            moved("won", "eur", &[]),
            reading_of("won reinstated 2500"),
        ),
        (
            "older versions, lost and reinstated",
            REINSTATED,
            json!({ "status": "lost" }),
            reading_of("lost withdrawn reinstated 2500"),
        ),
        (
            "the list lags",
            REINSTATED,
            moved("won", "eur", &[-2_500]),
            reading_of("won withdrawn reinstated 2500"),
        ),
        (
            "the largest amounts",
            CLOSED,
            moved("lost", "eur", &[-1_000_000_000_000, 999_999_999_999]),
            reading_of("lost withdrawn reinstated 2499"),
        ),
    ];
    let rows =
        rows.each_ref().map(|(name, kind, patch, reading)| (*name, *kind, patch.clone(), reading.as_str()));
    check_all(&dispute(), &rows);
}
