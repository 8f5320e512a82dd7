//! `GET /api/admin/reports/actions`: what each person did by hand between two times, how many credits that
//! moved, and how much was done alone.

use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp as Moment;
use ledger::Timestamp;
use serde::Serialize;
use store::ActionTotals;
use utoipa::ToSchema;

use crate::answer::{Data, Problem, chunked_csv, rfc3339};
use crate::api::{Operator, Query, ReportFormat};
use crate::csv::Csv;
use crate::schema::ActionKindName;

const COLUMNS: [&str; 9] = [
    "person_id",
    "person",
    "kind",
    "actions",
    "credits",
    "alone",
    "alone_credits",
    "approved",
    "approved_credits",
];

/// Report the actions of operators
///
/// One line for each person and kind of action. Credits are absolute amounts. `alone` counts actions that
/// needed a second person when nobody else was registered. A `recovery` replaces people who lost their keys,
/// without approval.
#[utoipa::path(get, path = "/api/admin/reports/actions", operation_id = "report_actions", tag = "Reports",
    params(
        ("from" = Option<String>, Query,
            description = "A time, or a day (2026-10-01) for its beginning in UTC; by default the first \
                action."),
        ("to" = Option<String>, Query,
            description = "A time, or a day (2026-10-31) for its end in UTC; now by default."),
        ("format" = Option<ReportFormat>, Query, description = "`json` by default.")),
    responses((status = 200, content(
        (Data<ActionReport> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn actions(Operator { request, .. }: Operator) -> Result<Response, Problem> {
    let query = &request.query;
    query.only(&["from", "to", "format"])?;
    let format = ReportFormat::of(query)?;
    let from = moment(query, "from", "T00:00:00Z")?;
    // Times are stored to the microsecond.
    let to = moment(query, "to", "T23:59:59.999999Z")?.unwrap_or(request.now);
    let totals = request.store().action_totals(from.unwrap_or(Timestamp(0)), to).await?;
    let lines: Vec<_> = totals.iter().map(ActionLine::of).collect();
    Ok(match format {
        ReportFormat::Json => {
            let (from, to) = (from.map(rfc3339), rfc3339(to));
            Data::of(ActionReport { from, to, lines }).into_response()
        }
        ReportFormat::Csv => {
            let day = rfc3339(to);
            let name = format!("actions-{}.csv", day.get(..10).unwrap_or("now"));
            let text = render(&lines);
            chunked_csv(&name, async move |chunks| chunks.send(text).await)
        }
    })
}

fn moment(query: &Query, key: &str, time: &str) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| {
        let moment = if text.len() == 10 { format!("{text}{time}") } else { text.to_owned() };
        let moment = moment.parse::<Moment>().map(|moment| Timestamp(moment.as_microsecond()));
        moment.map_err(|_| {
            Problem::value(
                key,
                "a day such as 2026-10-31, or an RFC 3339 timestamp such as 2026-10-31T12:00:00Z",
            )
        })
    };
    query.get(key).map(read).transpose()
}

fn render(lines: &[ActionLine]) -> String {
    let mut csv = Csv::default();
    csv.heading(&COLUMNS);
    for line in lines {
        csv.text(&line.person_id).text(&line.person).text(line.kind);
        csv.number(line.actions).number(line.credits).number(line.alone).number(line.alone_credits);
        csv.number(line.approved).number(line.approved_credits).end();
    }
    csv.take()
}

/// The actions of operators between two times.
#[derive(Serialize, ToSchema)]
struct ActionReport {
    /// The beginning of the report; null for the first action.
    #[schema(format = DateTime)]
    from: Option<String>,
    #[schema(format = DateTime)]
    to: String,
    /// By person and kind.
    lines: Vec<ActionLine>,
}

/// The actions of one person and kind.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "person_id": "person_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "person": "Grace",
    "kind": "adjustment", "actions": 12, "credits": 640, "alone": 0, "alone_credits": 0, "approved": 1,
    "approved_credits": 500 }))]
struct ActionLine {
    person_id: String,
    person: String,
    #[schema(value_type = ActionKindName)]
    kind: &'static str,
    actions: i64,
    /// Credits moved, as absolute amounts.
    credits: i64,
    /// The number of actions that needed a second person when nobody else was registered.
    alone: i64,
    alone_credits: i64,
    /// The number of actions that a second person approved.
    approved: i64,
    approved_credits: i64,
}

impl ActionLine {
    fn of(totals: &ActionTotals) -> Self {
        Self {
            person_id: totals.person.clone(),
            person: totals.name.clone(),
            kind: totals.kind.as_str(),
            actions: totals.actions,
            credits: totals.credits.0,
            alone: totals.alone,
            alone_credits: totals.alone_credits.0,
            approved: totals.approved,
            approved_credits: totals.approved_credits.0,
        }
    }
}
