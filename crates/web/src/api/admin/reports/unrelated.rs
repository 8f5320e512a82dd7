//! `GET /api/admin/reports/unrelated`: money that was taken for something else than credits, as far as is
//! known, so that what is ignored is at least counted (design section 3: Nothing about our money is silent).

use axum::response::Response;
use serde::Serialize;
use store::UnrelatedMoney;
use utoipa::ToSchema;

use crate::answer::Data;
use crate::api::Operator;

/// Money that is not ours, by currency
///
/// Payments of which no object carries our metadata. They are ignored, and count as soon as an event links
/// them to a purchase. If this grows by what your customers pay for credits, the metadata is missing.
#[utoipa::path(get, path = "/api/admin/reports/unrelated", operation_id = "report_unrelated", tag = "Reports",
    responses((status = 200, body = Data<Vec<UnrelatedView>>)))]
pub(crate) async fn unrelated(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let money = request.store().unrelated_money().await?;
            Ok(request.meta.data(money.iter().map(UnrelatedView::of).collect::<Vec<_>>()))
        })
        .await
}

/// What was taken in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = UnrelatedMoney, example = json!({ "currency": "eur", "payments": 3, "amount": 74700 }))]
struct UnrelatedView {
    /// Three letters, in lower case; none where no event has said.
    currency: Option<String>,
    payments: i64,
    /// In minor units. What went back of it is not subtracted.
    amount: i64,
}

impl UnrelatedView {
    fn of(money: &UnrelatedMoney) -> Self {
        Self { currency: money.currency.clone(), payments: money.payments, amount: money.amount.0 }
    }
}
