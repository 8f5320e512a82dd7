//! The liability report written down, as JSON and as one table of CSV.
//! Not here: the figures.

use ledger::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

use super::Survey;
use super::lot::LotLine;
use super::totals::{AGES, CreditSums, MoneySums, Sums, Totals};
use crate::answer::{Pieces, Stopped, rfc3339};
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

/// What unspent credits are worth.
#[derive(Serialize, ToSchema)]
pub(super) struct LiabilityReport {
    #[schema(format = DateTime)]
    as_of: String,
    /// The last transaction that counts.
    transaction: i64,
    /// Every lot, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    lots: Option<Vec<LotLine>>,
    /// What was sold.
    currencies: Vec<CurrencyTotals>,
    /// What operators gave. No money stands behind it.
    grants: GrantTotals,
    /// Outstanding credits of purchases that no money stands behind: a debt was written off, and repaid after
    /// all; or credits are frozen while as many are owed.
    #[schema(value_type = i64)]
    unpriced_credits: i128,
    /// What tenants owe, in credits: taken back after it was spent.
    debts: Vec<DebtLine>,
    /// The sum of it.
    #[schema(value_type = i64)]
    owed_credits: i128,
}

/// What was sold in one currency. Money is in minor units.
#[derive(Serialize, ToSchema)]
struct CurrencyTotals {
    /// Three letters; none where the payment names none.
    currency: Option<String>,
    #[schema(value_type = i64)]
    lots: i128,
    credits: CreditSums,
    money: MoneySums,
    /// By how long ago it was bought.
    ageing: Vec<AgeTotals>,
}

/// What operators gave.
#[derive(Serialize, ToSchema)]
struct GrantTotals {
    #[schema(value_type = i64)]
    lots: i128,
    credits: CreditSums,
}

/// What is owed of purchases of one age.
#[derive(Serialize, ToSchema)]
struct AgeTotals {
    /// Since the purchase.
    #[schema(example = "0-30")]
    days: &'static str,
    #[schema(value_type = i64)]
    outstanding: i128,
    #[schema(value_type = i64)]
    deferred: i128,
}

/// What one tenant owes.
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

/// A report with every lot, while it is written.
pub(super) enum Written {
    Csv(Csv),
    /// Behind the report stands the answer's own `meta`, as text.
    Json {
        meta: String,
        first: bool,
    },
}

impl Written {
    pub(super) fn in_csv() -> Self {
        Self::Csv(heading())
    }

    pub(super) fn in_json(meta: String) -> Self {
        Self::Json { meta, first: true }
    }

    /// Only the totals, as CSV.
    pub(super) fn of_totals(survey: &Survey) -> String {
        let mut csv = heading();
        totals(&mut csv, &survey.totals);
        csv.take()
    }

    pub(super) async fn send(mut self, mut survey: Survey, pieces: Pieces) -> Result<(), Stopped> {
        if let Self::Json { .. } = self {
            pieces.send("{\"data\":{\"lots\":[".to_owned()).await?;
        }
        while let Some(lots) = survey.next().await? {
            pieces.send(self.lots(&lots)).await?;
        }
        let end = match self {
            Self::Csv(mut csv) => {
                totals(&mut csv, &survey.totals);
                csv.take()
            }
            Self::Json { meta, .. } => {
                // Numbers and text can always be written. Without its brace it goes on behind the lots.
                let report = serde_json::to_string(&LiabilityReport::of(survey)).unwrap_or_default();
                format!("],{},\"meta\":{meta}}}", report.get(1..).unwrap_or_default())
            }
        };
        pieces.send(end).await
    }

    fn lots(&mut self, lots: &[LotLine]) -> String {
        match self {
            Self::Csv(csv) => {
                lots.iter().for_each(|lot| Row::of_lot(lot).write(csv));
                csv.take()
            }
            Self::Json { first, .. } => {
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
            Row { line: "age", currency, age, outstanding, deferred, ..Row::default() }.write(csv);
        }
        Row { currency, ..Row::of_sums("total", sums) }.write(csv);
    }
    Row::of_sums("grants", &totals.grants).write(csv);
    Row { line: "unpriced", outstanding: Some(totals.unpriced), ..Row::default() }.write(csv);
    for (tenant, credits) in &totals.debts {
        let owed = Some(credits.0.into());
        Row { line: "debt", tenant: Some(*tenant), owed, ..Row::default() }.write(csv);
    }
}

/// One line of the table; what it does not speak of stays empty.
#[derive(Default)]
struct Row<'a> {
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

impl<'a> Row<'a> {
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
