//! The part of a purchase that is stored before the request to Stripe: the package as it is now, and the
//! form.

use store::NewPurchase;
use stripe::checkout::{Item, NewSession};

use super::{PurchaseError, PurchaseRequest};
use crate::shop::Shop;

/// The purchase with this id, if `shop` sells the package.
pub(super) fn new(request: &PurchaseRequest, shop: &Shop, id: String) -> Result<NewPurchase, PurchaseError> {
    if shop.packages.is_empty() {
        return Err(PurchaseError::NoCatalogue);
    }
    if shop.gateway.is_none() {
        return Err(PurchaseError::NoGateway);
    }
    let package = shop.packages.iter().find(|package| package.name == request.package);
    let package = package.ok_or(PurchaseError::UnknownPackage)?;
    let (tenant, credits) = (request.tenant.to_string(), package.credits.0.to_string());
    let form = NewSession {
        reference: &id,
        item: match &package.stripe_price {
            Some(price) => Item::Price(price),
            None => Item::Described {
                name: &package.title,
                unit_amount: package.price.0,
                currency: &package.currency,
            },
        },
        metadata: &[
            (&shop.metadata.tenant, &tenant),
            (&shop.metadata.package, &package.name),
            (&shop.metadata.credits, &credits),
        ],
        success_url: &request.success_url,
        cancel_url: request.cancel_url.as_deref(),
        customer_email: request.customer_email.as_deref(),
        automatic_tax: shop.automatic_tax,
    }
    .form();
    Ok(NewPurchase {
        id,
        package: package.name.clone(),
        credits: package.credits,
        price: package.price,
        currency: package.currency.clone(),
        form,
    })
}
