//! `GET /api/credits/packages`: what can be bought here. Not here: buying it (`purchase`).

use axum::response::Response;
use engine::Package;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Data;
use crate::api::Reader;

/// What can be bought
///
/// Every package of the catalogue, in its order: the same for every tenant.
#[utoipa::path(get, path = "/api/credits/packages", operation_id = "list_packages", tag = "Credits",
    params(("tenant_id" = Option<Uuid>, Query, description = "May be said, and changes nothing.")),
    responses((status = 200, body = Data<Vec<PackageView>>)))]
pub(crate) async fn list(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id"])?;
            // A tenant's key names no other tenant, and an operator's need not name any.
            if let Some(asked) = request.query.get("tenant_id") {
                caller.tenant(Some(asked))?;
            }
            let packages = request.app.shop.packages.iter().map(PackageView::of);
            Ok(request.meta.data(packages.collect::<Vec<_>>()))
        })
        .await
}

/// One package of credits.
#[derive(Serialize, ToSchema)]
#[schema(as = Package, example = json!({ "package": "10_credits", "title": "10 credits", "credits": 10,
    "price": 25000, "currency": "eur" }))]
struct PackageView {
    /// Its name in requests.
    package: String,
    /// Its name for people.
    title: String,
    credits: i64,
    /// Before tax, in minor units: 25000 is 250.00 EUR.
    price: i64,
    /// Three letters, lower case.
    currency: String,
}

impl PackageView {
    fn of(package: &Package) -> Self {
        Self {
            package: package.name.clone(),
            title: package.title.clone(),
            credits: package.credits.0,
            price: package.price.0,
            currency: package.currency.clone(),
        }
    }
}
