//! `GET /api/credits/packages`: the packages on sale.

use engine::Package;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Data, Problem};
use crate::api::CreditsReader;

/// List packages
///
/// The packages of the catalogue, in its order; the same for every tenant.
#[utoipa::path(get, path = "/api/credits/packages", operation_id = "list_packages", tag = "Credits",
    params(("tenant_id" = Option<Uuid>, Query,
        description = "Optional; the packages are the same for every tenant.")),
    responses((status = 200, body = Data<Vec<PackageView>>)))]
pub(crate) async fn list(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<Data<Vec<PackageView>>, Problem> {
    request.query.only(&["tenant_id"])?;
    // A tenant key may name only its own tenant. The other kinds of keys need not name one.
    if let Some(asked) = request.query.get("tenant_id") {
        caller.tenant(Some(asked))?;
    }
    let packages = request.app.shop.packages.iter().map(PackageView::of);
    Ok(Data::of(packages.collect::<Vec<_>>()))
}

/// One package of credits.
#[derive(Serialize, ToSchema)]
#[schema(as = Package, example = json!({ "package": "10_credits", "title": "10 credits", "credits": 10,
    "price": 25000, "currency": "eur" }))]
pub(crate) struct PackageView {
    /// The name of the package in requests.
    package: String,
    /// The title that customers see.
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
