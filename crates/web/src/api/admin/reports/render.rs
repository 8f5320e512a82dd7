//! The liability report as JSON, and as one table of CSV.

use ledger::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

use super::Survey;
use super::lot::LotLine;
use super::totals::{AGES, CreditSums, MoneySums, Sums, Totals};
use crate::answer::{ChunkSender, Stopped, rfc3339};
use crate::csv::Csv;

const COLUMNS: [&str; 19] = [
    "line",
    "currency",
    "tenant",
    "lot",
    "payment",
    "purchased_at",
    "age_days",
    "lots",
    "granted",
    "used",
    "refunded_unspent_credits",
    "refunded_spent_credits",
    "outstanding",
    "net_price",
    "recognised",
    "refunded_unspent",
    "refunded_spent",
    "deferred",
    "owed_credits",
];

/// The liability report.
#[derive(Serialize, ToSchema)]
pub(super) struct LiabilityReport {
    #[schema(format = DateTime)]
    as_of: String,
    /// The last transaction included.
    transaction: i64,
    /// Every lot, if `lots` was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    lots: Option<Vec<LotLine>>,
    /// Purchased credits, by currency.
    currencies: Vec<CurrencyTotals>,
    /// Credits granted by operators. Nobody paid for them.
    grants: GrantTotals,
    /// Outstanding purchased credits that no money covers, because a debt was written off and later repaid,
    /// or because credits are frozen while as many are owed.
    #[schema(value_type = i64)]
    unpriced_credits: i128,
    /// The debts of tenants, in credits.
    debts: Vec<DebtLine>,
    /// The sum of the debts.
    #[schema(value_type = i64)]
    owed_credits: i128,
}

/// Purchased credits in one currency. Money is in minor units.
#[derive(Serialize, ToSchema)]
struct CurrencyTotals {
    /// Three letters; null if the payment names none.
    currency: Option<String>,
    #[schema(value_type = i64)]
    lots: i128,
    credits: CreditSums,
    money: MoneySums,
    /// By age of the purchase.
    ageing: Vec<AgeTotals>,
}

/// Credits granted by operators.
#[derive(Serialize, ToSchema)]
struct GrantTotals {
    #[schema(value_type = i64)]
    lots: i128,
    credits: CreditSums,
}

/// Purchases of one age.
#[derive(Serialize, ToSchema)]
struct AgeTotals {
    /// Days since the purchase.
    #[schema(example = "0-30")]
    days: &'static str,
    #[schema(value_type = i64)]
    outstanding: i128,
    #[schema(value_type = i64)]
    deferred: i128,
}

/// The debt of one tenant.
#[derive(Serialize, ToSchema)]
struct DebtLine {
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    credits: i64,
}

impl LiabilityReport {
    pub(super) fn of(survey: Survey) -> Self {
        let Totals { currencies, grants, unpriced, debts } = survey.totals;
        let ages = |sums: &Sums| {
            let ages = AGES.iter().zip(sums.ages);
            ages.map(|((days, _), (outstanding, deferred))| AgeTotals { days, outstanding, deferred })
                .collect()
        };
        let currency = |(currency, sums): (Option<String>, Sums)| CurrencyTotals {
            currency,
            lots: sums.lots,
            ageing: ages(&sums),
            credits: sums.credits,
            money: sums.money,
        };
        Self {
            as_of: rfc3339(survey.as_of),
            transaction: survey.through,
            lots: None,
            currencies: currencies.into_iter().map(currency).collect(),
            grants: GrantTotals { lots: grants.lots, credits: grants.credits },
            unpriced_credits: unpriced,
            owed_credits: debts.iter().map(|(_, credits)| i128::from(credits.0)).sum(),
            debts: debts
                .into_iter()
                .map(|(tenant_id, credits)| DebtLine { tenant_id, credits: credits.0 })
                .collect(),
        }
    }
}

/// The report without lots, as CSV.
pub(super) fn totals_as_csv(survey: &Survey) -> String {
    let mut csv = heading();
    totals(&mut csv, &survey.totals);
    csv.take()
}

/// Writes a report with every lot, chunk by chunk.
pub(super) enum ReportWriter {
    Csv(Csv),
    Json {
        /// No lot is written yet.
        first: bool,
    },
}

impl ReportWriter {
    pub(super) fn csv() -> Self {
        Self::Csv(heading())
    }

    pub(super) fn json() -> Self {
        Self::Json { first: true }
    }

    pub(super) async fn write(mut self, mut survey: Survey, chunks: ChunkSender) -> Result<(), Stopped> {
        if let Self::Json { .. } = self {
            chunks.send("{\"lots\":[".to_owned()).await?;
        }
        while let Some(lots) = survey.next().await? {
            chunks.send(self.lots(&lots)).await?;
        }
        let end = match self {
            Self::Csv(mut csv) => {
                totals(&mut csv, &survey.totals);
                csv.take()
            }
            Self::Json { .. } => {
                // Numbers and text can always be serialised. The totals follow the lots in the same object.
                let report = serde_json::to_string(&LiabilityReport::of(survey)).unwrap_or_default();
                format!("],{}", report.get(1..).unwrap_or_default())
            }
        };
        chunks.send(end).await
    }

    fn lots(&mut self, lots: &[LotLine]) -> String {
        match self {
            Self::Csv(csv) => {
                lots.iter().for_each(|lot| CsvRow::of_lot(lot).write(csv));
                csv.take()
            }
            Self::Json { first } => {
                let mut text = String::new();
                for lot in lots {
                    if !std::mem::replace(first, false) {
                        text.push(',');
                    }
                    text.push_str(&serde_json::to_string(lot).unwrap_or_default());
                }
                text
            }
        }
    }
}

fn heading() -> Csv {
    let mut csv = Csv::default();
    csv.heading(&COLUMNS);
    csv
}

fn totals(csv: &mut Csv, totals: &Totals) {
    for (currency, sums) in &totals.currencies {
        let currency = currency.as_deref();
        for ((days, _), (outstanding, deferred)) in AGES.iter().zip(sums.ages) {
            let (age, outstanding, deferred) = (Some((*days).to_owned()), Some(outstanding), Some(deferred));
            CsvRow { line: "age", currency, age, outstanding, deferred, ..CsvRow::default() }.write(csv);
        }
        CsvRow { currency, ..CsvRow::of_sums("total", sums) }.write(csv);
    }
    CsvRow::of_sums("grants", &totals.grants).write(csv);
    CsvRow { line: "unpriced", outstanding: Some(totals.unpriced), ..CsvRow::default() }.write(csv);
    for (tenant, credits) in &totals.debts {
        let owed = Some(credits.0.into());
        CsvRow { line: "debt", tenant: Some(*tenant), owed, ..CsvRow::default() }.write(csv);
    }
}

/// A line of the table. Fields that do not apply stay empty.
#[derive(Default)]
struct CsvRow<'a> {
    line: &'a str,
    currency: Option<&'a str>,
    tenant: Option<TenantId>,
    lot: Option<i128>,
    payment: Option<&'a str>,
    purchased_at: Option<&'a str>,
    age: Option<String>,
    lots: Option<i128>,
    granted: Option<i128>,
    used: Option<i128>,
    unspent_back: Option<i128>,
    spent_back: Option<i128>,
    outstanding: Option<i128>,
    net_price: Option<i128>,
    recognised: Option<i128>,
    refunded_unspent: Option<i128>,
    refunded_spent: Option<i128>,
    deferred: Option<i128>,
    owed: Option<i128>,
}

impl<'a> CsvRow<'a> {
    fn of_lot(lot: &'a LotLine) -> Self {
        let number = |number: i64| Some(i128::from(number));
        Self {
            line: "lot",
            currency: lot.currency.as_deref(),
            tenant: Some(lot.tenant_id),
            lot: number(lot.lot),
            payment: lot.payment.as_deref(),
            purchased_at: Some(&lot.purchased_at),
            age: Some(lot.age_days.to_string()),
            lots: Some(1),
            granted: number(lot.granted),
            used: number(lot.used),
            unspent_back: number(lot.unspent_back),
            spent_back: number(lot.spent_back),
            outstanding: number(lot.outstanding),
            net_price: number(lot.net_price),
            recognised: number(lot.recognised),
            refunded_unspent: number(lot.refunded_unspent),
            refunded_spent: number(lot.refunded_spent),
            deferred: number(lot.deferred),
            owed: None,
        }
    }

    fn of_sums(line: &'a str, Sums { lots, credits, money, .. }: &Sums) -> Self {
        Self {
            line,
            lots: Some(*lots),
            granted: Some(credits.granted),
            used: Some(credits.used),
            unspent_back: Some(credits.refunded_unspent),
            spent_back: Some(credits.refunded_spent),
            outstanding: Some(credits.outstanding),
            net_price: Some(money.net_price),
            recognised: Some(money.recognised),
            refunded_unspent: Some(money.refunded_unspent),
            refunded_spent: Some(money.refunded_spent),
            deferred: Some(money.deferred),
            ..Self::default()
        }
    }

    /// In the order of [`COLUMNS`].
    fn write(&self, csv: &mut Csv) {
        let tenant = self.tenant.map(|tenant| tenant.to_string());
        csv.text(self.line).maybe(self.currency).maybe(tenant.as_deref()).maybe_number(self.lot);
        csv.maybe(self.payment).maybe(self.purchased_at).maybe(self.age.as_deref());
        for number in [
            self.lots,
            self.granted,
            self.used,
            self.unspent_back,
            self.spent_back,
            self.outstanding,
            self.net_price,
            self.recognised,
            self.refunded_unspent,
            self.refunded_spent,
            self.deferred,
            self.owed,
        ] {
            csv.maybe_number(number);
        }
        csv.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_the_cells_of_the_heading() {
        let mut sums = Totals::default();
        sums.currencies.insert(Some("eur".to_owned()), Sums::default());
        sums.debts.push((TenantId(uuid::Uuid::nil()), ledger::Credits(7)));
        let mut csv = heading();
        totals(&mut csv, &sums);
        let text = csv.take();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert!(lines.iter().all(|line| line.len() == COLUMNS.len()), "{text}");
        assert_eq!(lines.last().and_then(|debt| debt.last()), Some(&"7"), "{text}");
    }
}
