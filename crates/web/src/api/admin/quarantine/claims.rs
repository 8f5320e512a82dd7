//! What events said was bought, believed or not: what a person must know to decide about a payment.

use ledger::knowledge::{Knowledge, Terms};
use ledger::{TenantId, Told};
use serde::Serialize;
use utoipa::ToSchema;

use crate::schema::ReasonName;

/// The claim of one event.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "event": "evt_1234567890", "believed": false, "reason": "tenant_missing",
    "tenant_id": null, "credits": null, "package": "10_credits", "currency": "eur", "amount": 9900 }))]
pub(super) struct ClaimView {
    event: String,
    /// Whether it was believed; where several were, the first counts.
    believed: bool,
    /// Why it was not.
    #[schema(value_type = Option<ReasonName>)]
    reason: Option<&'static str>,
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    credits: Option<i64>,
    package: Option<String>,
    currency: Option<String>,
    /// `amount_total`: what was to be paid, tax included, in minor units.
    amount: Option<i64>,
}

/// The claims about a payment: the believed first, each kind in the order of Stripe's clock.
pub(super) fn of(known: &Knowledge) -> Vec<ClaimView> {
    let believed = known.claims.iter().map(|claim| view(&claim.told, Some(&claim.terms)));
    let refused = known.refused.iter().map(|claim| ClaimView {
        believed: false,
        reason: Some(claim.reason.as_str()),
        tenant_id: claim.tenant,
        amount: claim.amount.map(|amount| amount.0),
        ..view(&claim.told, claim.terms.as_ref())
    });
    believed.chain(refused).collect()
}

fn view(told: &Told, terms: Option<&Terms>) -> ClaimView {
    ClaimView {
        event: told.event.to_string(),
        believed: true,
        reason: None,
        tenant_id: terms.map(|terms| terms.tenant),
        credits: terms.map(|terms| terms.credits.0),
        package: terms.and_then(|terms| terms.package.clone()),
        currency: terms.and_then(|terms| terms.currency.clone()),
        amount: terms.and_then(|terms| terms.amount).map(|amount| amount.0),
    }
}
