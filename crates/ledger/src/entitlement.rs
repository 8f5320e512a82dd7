//! The heart: what a payment is worth, given all that is known (design section 3).
//!
//! ```text
//! A   = what was paid                     C = credits granted
//! E_r = clamp(max(Σ refunds not pending, W) − Σ refunds failed or canceled, 0, A)
//! E   = min(A, E_r + Σ cost of lost disputes)
//! F   = Σ pending refunds + Σ open disputes whose funds are withdrawn
//! revoked = round(C·E / A)                frozen = round(C·min(A, E+F) / A) − revoked
//! ```
//!
//! Absolute targets, computed from the original grant and rounded once; never a change to an earlier result.

use crate::claim::Judgement;
use crate::ids::TenantId;
use crate::knowledge::{DisputeFacts, DisputeOutcome, Knowledge, RefundRank, Verdict};
use crate::money::{Credits, Minor, Rounding, prorate};

/// What one tenant should have had from one payment, as absolute figures. A tenant who is not named here
/// should have nothing from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entitlement {
    /// Whose it is; nobody's while nothing is granted.
    pub tenant: Option<TenantId>,
    /// Credits granted in all.
    pub granted: Credits,
    /// Of these, credits revoked for good.
    pub revoked: Credits,
    /// Of these, credits that should be set aside for now.
    pub frozen: Credits,
    /// E: money that went back for good, in minor units.
    pub lost: Minor,
    /// F: money that may yet go back, in minor units.
    pub pending: Minor,
}

/// Works out what is due from everything known. Pure and total: the same knowledge, the same answer.
pub fn entitlement(known: &Knowledge) -> Entitlement {
    let Some((tenant, granted, rounding)) = grant(known) else {
        return Entitlement::default();
    };
    let paid = known.amount_paid();
    let lost = paid.min(refunded(known, paid) + cost_of_lost_disputes(known));
    let pending = pending(known);
    let revoked = prorate(granted, lost, paid, rounding);
    let frozen = prorate(granted, paid.min(lost + pending), paid, rounding).less(revoked);
    Entitlement { tenant: Some(tenant), granted, revoked, frozen, lost, pending }
}

/// Who gets how many credits, and how parts of one are rounded: a person's word, else what the facts say.
fn grant(known: &Knowledge) -> Option<(TenantId, Credits, Rounding)> {
    match known.ruling.as_ref().map(|ruling| &ruling.verdict) {
        Some(Verdict::Grant(grant)) => Some((grant.tenant, grant.credits, grant.rounding)),
        Some(Verdict::Dismiss) => None,
        None => granted_by_facts(known),
    }
}

/// What the facts grant, whatever a person said: the claim that counts, if it was accepted and is paid.
pub(crate) fn granted_by_facts(known: &Knowledge) -> Option<(TenantId, Credits, Rounding)> {
    match known.claim()?.judgement {
        Judgement::Accepted { tenant, credits, rounding, .. } if known.is_paid() => {
            Some((tenant, credits, rounding))
        }
        Judgement::Accepted { .. } | Judgement::Rejected(_) | Judgement::Waiting => None,
    }
}

/// E_r. A refund that failed after the charge had counted it is subtracted from whichever view is larger,
/// so it does not matter whether Stripe lowers `amount_refunded` again (it does not say).
fn refunded(known: &Knowledge, paid: Minor) -> Minor {
    let sum = |wanted: fn(RefundRank) -> bool| -> Minor {
        known.refunds.values().filter(|refund| wanted(refund.rank)).map(|refund| refund.amount).sum()
    };
    let decided = sum(|rank| rank != RefundRank::Pending);
    let came_back = sum(|rank| matches!(rank, RefundRank::Failed | RefundRank::Canceled));
    let watermark: Minor = known.charges.values().map(|charge| charge.refunded).sum();
    decided.max(watermark).less(came_back).min(paid)
}

/// What lost disputes cost, in minor units: their amounts less what was reinstated.
pub(crate) fn cost_of_lost_disputes(known: &Knowledge) -> Minor {
    let lost = |dispute: &&DisputeFacts| dispute.outcome == DisputeOutcome::Lost;
    known.disputes.values().filter(lost).map(|dispute| dispute.amount.less(dispute.reinstated)).sum()
}

/// F. An inquiry (`warning_*`) withdraws nothing and so freezes nothing.
fn pending(known: &Knowledge) -> Minor {
    let refunds = known.refunds.values().filter(|refund| refund.rank == RefundRank::Pending);
    let disputes = known.disputes.values().filter(|d| d.outcome == DisputeOutcome::Open && d.withdrawn);
    let refunds: Minor = refunds.map(|refund| refund.amount).sum();
    let disputes: Minor = disputes.map(|dispute| dispute.amount.less(dispute.reinstated)).sum();
    refunds + disputes
}
