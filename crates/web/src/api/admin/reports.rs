//! `GET /api/admin/reports/liability`: the value of unspent credits at a point in time, to close the books.
//! Computed from the journal up to that time, so a month can be closed in the next one. The value of a lot is
//! computed in `ledger::liability`.

pub(crate) mod actions;
mod lot;
mod render;
mod totals;
pub(crate) mod unrelated;

use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp as Moment;
use ledger::liability::{TenantValue, apportion, value};
use ledger::{Credits, TenantId, Timestamp};
use store::{Store, TenantPosition};

use crate::answer::{Data, Problem, chunked_csv, chunked_data, rfc3339};
use crate::api::{Operator, Query, ReportFormat};
use lot::LotLine;
use render::{LiabilityReport, ReportWriter};
use totals::Totals;

/// Tenants per read.
const TENANTS: u32 = 50;

/// Report the liability
///
/// Money received for credits that are not used yet, by currency and age. Prices exclude tax and are those
/// known now; credits are those at the given time. Recognised figures are cumulative: for the revenue of a
/// month, subtract the report at its beginning from the report at its end. Credits granted by operators have
/// no price and are reported separately.
#[utoipa::path(get, path = "/api/admin/reports/liability", operation_id = "report_liability", tag = "Reports",
    params(
        ("as_of" = Option<String>, Query,
            description = "A time, or a day (2026-10-31) for its end in UTC; now by default."),
        ("format" = Option<ReportFormat>, Query, description = "`json` by default."),
        ("lots" = Option<bool>, Query, description = "Include every lot.")),
    responses((status = 200, content(
        (Data<LiabilityReport> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn liability(Operator { request, .. }: Operator) -> Result<Response, Problem> {
    let query = &request.query;
    query.only(&["as_of", "format", "lots"])?;
    let (format, lots) = (ReportFormat::of(query)?, query.flag("lots")?);
    let as_of = as_of(query, request.now)?;
    let store = request.store().clone();
    let through = store.journal_end(as_of).await?;
    let mut survey = Survey { store, through, as_of, after: None, totals: Totals::default() };
    let day = rfc3339(as_of);
    let name = format!("liability-{}.csv", day.get(..10).unwrap_or("now"));
    if lots {
        return Ok(match format {
            ReportFormat::Csv => chunked_csv(&name, |chunks| ReportWriter::csv().write(survey, chunks)),
            ReportFormat::Json => chunked_data(|chunks| ReportWriter::json().write(survey, chunks)),
        });
    }
    while survey.next().await?.is_some() {}
    Ok(match format {
        ReportFormat::Json => Data::of(LiabilityReport::of(survey)).into_response(),
        ReportFormat::Csv => {
            chunked_csv(&name, async move |chunks| chunks.send(render::totals_as_csv(&survey)).await)
        }
    })
}

/// The requested time. A day means its end.
fn as_of(query: &Query, now: Timestamp) -> Result<Timestamp, Problem> {
    let Some(text) = query.get("as_of") else { return Ok(now) };
    // Times are stored to the microsecond.
    let moment = if text.len() == 10 { format!("{text}T23:59:59.999999Z") } else { text.to_owned() };
    let moment = moment.parse::<Moment>().ok().map(|moment| Timestamp(moment.as_microsecond()));
    moment.ok_or_else(|| {
        Problem::value(
            "as_of",
            "a day such as 2026-10-31, or an RFC 3339 timestamp such as 2026-10-31T12:00:00Z",
        )
    })
}

/// Reads all tenants in batches, as they were after one transaction.
struct Survey {
    store: Store,
    through: i64,
    as_of: Timestamp,
    after: Option<TenantId>,
    totals: Totals,
}

impl Survey {
    /// The lots of the next tenants, added to the totals; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<LotLine>>, store::StoreError> {
        let tenants = self.store.positions(self.through, self.after, TENANTS).await?;
        let Some(last) = tenants.last() else { return Ok(None) };
        self.after = Some(last.tenant);
        let mut lines = Vec::new();
        for tenant in &tenants {
            let (lots, unpriced) = valued(tenant, self.as_of);
            lots.iter().for_each(|line| self.totals.add(line));
            self.totals.unpriced += i128::from(unpriced.0);
            if tenant.debt > Credits::ZERO {
                self.totals.debts.push((tenant.tenant, tenant.debt));
            }
            lines.extend(lots);
            // A tenant with very many lots takes milliseconds: let other tasks run in between.
            tokio::task::yield_now().await;
        }
        Ok(Some(lines))
    }
}

/// The value of the lots of one tenant.
fn valued(position: &TenantPosition, as_of: Timestamp) -> (Vec<LotLine>, Credits) {
    let lots = &position.lots;
    let sums = apportion(&lots.iter().map(|lot| (lot.payment, lot.sums)).collect::<Vec<_>>());
    let TenantValue { lots: values, unpriced } = value(&sums);
    let lines = lots.iter().zip(sums).zip(values);
    let lines = lines.map(|((lot, sums), value)| LotLine::of(position.tenant, lot, &sums, &value, as_of));
    (lines.collect(), unpriced)
}
