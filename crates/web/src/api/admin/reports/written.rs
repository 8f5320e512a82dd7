//! The liability report written down, as JSON and as one table of CSV.
//! Not here: the figures.

use ledger::liability::{LotSums, LotValue};
use ledger::{TenantId, Timestamp};
use serde::Serialize;
use store::LotPosition;
use utoipa::ToSchema;

use super::Survey;
use super::totals::{AGES, CreditSums, MoneySums, Sums, Totals};
use crate::answer::{Pieces, Stopped, rfc3339};
use crate::csv::Csv;

/// Seconds in a day.
const DAY: i64 = 86_400;

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

/// One lot. Money is in minor units.
#[derive(Serialize, ToSchema)]
#[schema(as = LiabilityLot)]
pub(super) struct LotLine {
    lot: i64,
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    /// None for an operator's grant.
    pub(super) payment: Option<String>,
    pub(super) currency: Option<String>,
    #[schema(format = DateTime)]
    purchased_at: String,
    pub(super) age_days: i64,
    pub(super) granted: i64,
    pub(super) used: i64,
    /// Credits taken back before they were used.
    #[serde(rename = "refunded_unspent_credits")]
    pub(super) unspent_back: i64,
    /// Credits taken back after they had been used.
    #[serde(rename = "refunded_spent_credits")]
    pub(super) spent_back: i64,
    pub(super) outstanding: i64,
    pub(super) net_price: i64,
    pub(super) recognised: i64,
    pub(super) refunded_unspent: i64,
    pub(super) refunded_spent: i64,
    pub(super) deferred: i64,
}

impl LotLine {
    pub(super) fn of(
        tenant: TenantId,
        lot: &LotPosition,
        sums: &LotSums,
        value: &LotValue,
        as_of: Timestamp,
    ) -> Self {
        Self {
            lot: lot.lot.0,
            tenant_id: tenant,
            payment: lot.payment_key.clone(),
            currency: lot.currency.clone(),
            purchased_at: rfc3339(Timestamp::from_seconds(lot.purchased_at)),
            // Stripe's clock may be ahead of ours.
            age_days: (as_of.seconds() - lot.purchased_at).max(0) / DAY,
            granted: sums.granted.0,
            used: value.used.0,
            unspent_back: value.unspent_back.0,
            spent_back: value.spent_back.0,
            outstanding: value.outstanding.0,
            net_price: (value.recognised + value.refunded_unspent + value.deferred).0,
            recognised: value.recognised.0,
            refunded_unspent: value.refunded_unspent.0,
            refunded_spent: value.refunded_spent.0,
            deferred: value.deferred.0,
        }
    }

    fn write(&self, csv: &mut Csv) {
        csv.text("lot").maybe(self.currency.as_deref()).text(&self.tenant_id.to_string()).number(self.lot);
        csv.maybe(self.payment.as_deref()).text(&self.purchased_at).number(self.age_days).number(1);
        for number in [
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
        ] {
            csv.number(number);
        }
        csv.skip(1).end();
    }
}

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
                lots.iter().for_each(|lot| lot.write(csv));
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
    let mut csv = Csv::new();
    csv.heading(&COLUMNS);
    csv
}

fn totals(csv: &mut Csv, totals: &Totals) {
    for (currency, sums) in &totals.currencies {
        let currency = currency.as_deref();
        for ((days, _), (outstanding, deferred)) in AGES.iter().zip(sums.ages) {
            csv.text("age").maybe(currency).skip(4).text(days).skip(5);
            csv.number(outstanding).skip(4).number(deferred).skip(1).end();
        }
        sum(csv, "total", currency, sums);
    }
    sum(csv, "grants", None, &totals.grants);
    csv.text("unpriced").skip(11).number(totals.unpriced).skip(6).end();
    for (tenant, credits) in &totals.debts {
        csv.text("debt").skip(1).text(&tenant.to_string()).skip(15).number(credits.0).end();
    }
}

fn sum(csv: &mut Csv, line: &str, currency: Option<&str>, sums: &Sums) {
    let Sums { lots, credits, money, .. } = sums;
    csv.text(line).maybe(currency).skip(5).number(*lots);
    for number in [
        credits.granted,
        credits.used,
        credits.refunded_unspent,
        credits.refunded_spent,
        credits.outstanding,
        money.net_price,
        money.recognised,
        money.refunded_unspent,
        money.refunded_spent,
        money.deferred,
    ] {
        csv.number(number);
    }
    csv.skip(1).end();
}
