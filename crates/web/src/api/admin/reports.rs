//! `GET /api/admin/reports/liability`: what unspent credits are worth at a moment, to close the books.
//! Worked out from the journal up to that moment, so that a month can be closed in the next one.
//! Not here: what a lot is worth (`ledger::liability`); adding up and writing down (`totals`, `written`).

pub(crate) mod actions;
mod lot;
mod totals;
pub(crate) mod unrelated;
mod written;

use axum::response::Response;
use jiff::Timestamp as Moment;
use ledger::liability::{TenantValue, apportion, value};
use ledger::{Credits, TenantId, Timestamp};
use store::{Store, TenantPosition};

use crate::answer::{Data, Problem, rfc3339, stream};
use crate::api::credits::statement::Format;
use crate::api::{Operator, Query};
use lot::LotLine;
use totals::Totals;
use written::{LiabilityReport, Written};

/// Tenants that are read at once.
const TENANTS: u32 = 50;

/// The liability: money taken for services still owed, by currency and age
///
/// Prices are without tax, as they are known now; credits are those of the moment. Recognised figures are
/// cumulative: a month's revenue is the report of its end less the report of its beginning. Credits that
/// operators granted have no price and stand apart.
#[utoipa::path(get, path = "/api/admin/reports/liability", operation_id = "report_liability", tag = "Reports",
    params(
        ("as_of" = Option<String>, Query,
            description = "A moment, or a day (2026-10-31) for its end in UTC; now, where nothing is said."),
        ("format" = Option<Format>, Query, description = "json, unless it says csv."),
        ("lots" = Option<bool>, Query, description = "Also every lot, one by one.")),
    responses((status = 200, content(
        (Data<LiabilityReport> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn liability(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            let query = &request.query;
            query.only(&["as_of", "format", "lots"])?;
            let (format, lots) = (Format::of(query)?, query.flag("lots")?);
            let as_of = as_of(query, request.meta.at)?;
            let store = request.store().clone();
            let through = store.journal_end(as_of).await?;
            let mut survey = Survey { store, through, as_of, after: None, totals: Totals::default() };
            let day = rfc3339(as_of);
            let name = format!("liability-{}.csv", day.get(..10).unwrap_or("now"));
            if lots {
                let meta = request.meta.own_text();
                return Ok(match format {
                    Format::Csv => stream("text/csv; charset=utf-8", Some(&name), |pieces| async move {
                        Written::in_csv().send(survey, pieces).await
                    }),
                    Format::Json => stream("application/json", None, |pieces| async move {
                        Written::in_json(meta).send(survey, pieces).await
                    }),
                });
            }
            while survey.next().await?.is_some() {}
            Ok(match format {
                Format::Json => request.meta.data(LiabilityReport::of(survey)),
                Format::Csv => stream("text/csv; charset=utf-8", Some(&name), |pieces| async move {
                    pieces.send(Written::of_totals(&survey)).await
                }),
            })
        })
        .await
}

/// The moment that is asked for: a day means its end.
fn as_of(query: &Query, now: Timestamp) -> Result<Timestamp, Problem> {
    let Some(text) = query.get("as_of") else { return Ok(now) };
    // Moments are kept to the microsecond.
    let moment = if text.len() == 10 { format!("{text}T23:59:59.999999Z") } else { text.to_owned() };
    let moment = moment.parse::<Moment>().ok().map(|moment| Timestamp(moment.as_microsecond()));
    moment.ok_or_else(|| {
        Problem::value("as_of", "a day such as 2026-10-31, or a moment such as 2026-10-31T12:00:00Z")
    })
}

/// All tenants, some at a time, as they stood after one transaction.
struct Survey {
    store: Store,
    through: i64,
    as_of: Timestamp,
    after: Option<TenantId>,
    totals: Totals,
}

impl Survey {
    /// The lots of the next tenants, which are added to the totals; none at the end.
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
            // A tenant with very many lots takes milliseconds: others get their turn in between.
            tokio::task::yield_now().await;
        }
        Ok(Some(lines))
    }
}

/// What the lots of one tenant are worth.
fn valued(position: &TenantPosition, as_of: Timestamp) -> (Vec<LotLine>, Credits) {
    let lots = &position.lots;
    let sums = apportion(&lots.iter().map(|lot| (lot.payment, lot.sums)).collect::<Vec<_>>());
    let TenantValue { lots: values, unpriced } = value(&sums);
    let lines = lots.iter().zip(sums).zip(values);
    let lines = lines.map(|((lot, sums), value)| LotLine::of(position.tenant, lot, &sums, &value, as_of));
    (lines.collect(), unpriced)
}
