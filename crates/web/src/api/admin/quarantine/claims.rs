//! The claims of Stripe objects about a purchase, accepted or not, for the person who decides about the
//! payment.

use ledger::TenantId;
use ledger::claim::{Claim, ClaimSource, Judgement};
use ledger::knowledge::Knowledge;
use serde::Serialize;
use utoipa::ToSchema;

use crate::schema::ReasonName;

/// The claim of one object, from the earliest event about it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "event": "evt_1234567890", "source": "session", "accepted": false,
    "reason": "tenant_missing", "tenant": null, "tenant_id": null, "credits": 10, "package": "10_credits",
    "currency": "eur", "amount": 9900 }))]
pub(super) struct ClaimView {
    event: String,
    /// The kind of object that carries the metadata: `session`, `payment_intent`, `charge` or `invoice`.
    #[schema(value_type = String)]
    source: ClaimSource,
    /// Whether it was accepted. Only the first claim of the list counts.
    accepted: bool,
    /// Why it was rejected; null if accepted, or while it waits for a session.
    #[schema(value_type = Option<ReasonName>)]
    reason: Option<&'static str>,
    /// The tenant as it is written in the metadata.
    tenant: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    credits: Option<i64>,
    package: Option<String>,
    currency: Option<String>,
    /// The amount due including tax, in minor units.
    amount: Option<i64>,
}

/// The claims about a payment. Only the first counts.
pub(super) fn of(known: &Knowledge) -> Vec<ClaimView> {
    known.claims.iter().map(view).collect()
}

fn view(claim: &Claim) -> ClaimView {
    ClaimView {
        event: claim.first.id.to_string(),
        source: claim.terms.source,
        accepted: claim.is_accepted(),
        reason: match claim.judgement {
            Judgement::Rejected(reason) => Some(reason.as_str()),
            Judgement::Accepted { .. } | Judgement::Waiting => None,
        },
        tenant: claim.terms.tenant.clone(),
        tenant_id: claim.tenant(),
        credits: claim.credits().map(|credits| credits.0),
        package: claim.terms.package.clone(),
        currency: claim.terms.currency.clone(),
        amount: claim.terms.amount.map(|amount| amount.0),
    }
}
