//! `GET /api/admin/reports/unrelated`: payments without our metadata. They are ignored, but counted (design
//! section 3: Nothing about our money is silent).

use serde::Serialize;
use store::UnrelatedMoney;
use utoipa::ToSchema;

use crate::answer::{Data, Problem};
use crate::api::Operator;

/// Report unrelated payments
///
/// Payments whose objects do not have our metadata, by currency. They are ignored until an event links them
/// to a purchase. If these amounts grow when customers buy credits, the metadata is missing.
#[utoipa::path(get, path = "/api/admin/reports/unrelated", operation_id = "report_unrelated", tag = "Reports",
    responses((status = 200, body = Data<Vec<UnrelatedView>>)))]
pub(crate) async fn unrelated(
    Operator { request, .. }: Operator,
) -> Result<Data<Vec<UnrelatedView>>, Problem> {
    request.query.only(&[])?;
    let money = request.store().unrelated_money().await?;
    Ok(Data::of(money.iter().map(UnrelatedView::of).collect::<Vec<_>>()))
}

/// The total of unrelated payments in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = UnrelatedMoney, example = json!({ "currency": "eur", "payments": 3, "amount": 74700 }))]
pub(crate) struct UnrelatedView {
    /// Three lower-case letters; null if no event names the currency.
    currency: Option<String>,
    payments: i64,
    /// In minor units, before refunds.
    amount: i64,
}

impl UnrelatedView {
    fn of(money: &UnrelatedMoney) -> Self {
        Self { currency: money.currency.clone(), payments: money.payments, amount: money.amount.0 }
    }
}
