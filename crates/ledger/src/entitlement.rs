//! What a payment is worth in credits, given all that is known about it (design section 3).
//!
//! ```text
//! A   = what was paid                     C = credits granted
//! E_r = clamp(max(Σ refunds not pending, W) − Σ refunds failed or canceled, 0, A)
//! E   = min(A, E_r + Σ cost of lost disputes)
//! F   = Σ pending refunds + Σ open disputes whose funds are withdrawn
//! revoked = round(C·E / A)                frozen = round(C·min(A, E+F) / A) − revoked
//! ```
//!
//! The results are absolute targets, computed from the original grant and rounded once. They never build on
//! an earlier result.

use crate::claim::Judgement;
use crate::ids::TenantId;
use crate::knowledge::{DisputeFacts, DisputeOutcome, Knowledge, RefundRank, Verdict};
use crate::money::{Credits, Minor, Rounding, prorate};

/// What one tenant should have received from one payment, as absolute figures. Every other tenant should have
/// received nothing from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entitlement {
    /// The tenant; none while nothing is granted.
    pub tenant: Option<TenantId>,
    /// Credits granted.
    pub granted: Credits,
    /// How many of these are revoked for good.
    pub revoked: Credits,
    /// How many of these are frozen for now.
    pub frozen: Credits,
    /// E: money that went back for good, in minor units.
    pub lost: Minor,
    /// F: money that may still go back, in minor units.
    pub pending: Minor,
}

/// Computes the entitlement from everything known about a payment.
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

/// Which tenant gets how many credits, and how fractions are rounded: as a person decided, else by the facts.
fn grant(known: &Knowledge) -> Option<(TenantId, Credits, Rounding)> {
    match known.ruling.as_ref().map(|ruling| &ruling.verdict) {
        Some(Verdict::Grant(grant)) => Some((grant.tenant, grant.credits, grant.rounding)),
        Some(Verdict::Dismiss) => None,
        None => granted_by_facts(known),
    }
}

/// What the facts grant, regardless of a person's decision: the claim that counts, if it is accepted and
/// paid.
pub(crate) fn granted_by_facts(known: &Knowledge) -> Option<(TenantId, Credits, Rounding)> {
    match known.claim()?.judgement {
        Judgement::Accepted { tenant, credits, rounding, .. } if known.is_paid() => {
            Some((tenant, credits, rounding))
        }
        Judgement::Accepted { .. } | Judgement::Rejected(_) | Judgement::Waiting => None,
    }
}

/// E_r. A refund that failed after the charge had counted it is subtracted from the larger of the two sums,
/// so it does not matter whether Stripe lowers `amount_refunded` again (its documentation does not say).
fn refunded(known: &Knowledge, paid: Minor) -> Minor {
    let sum = |wanted: fn(RefundRank) -> bool| -> Minor {
        known.refunds.values().filter(|refund| wanted(refund.rank)).map(|refund| refund.amount).sum()
    };
    let decided = sum(|rank| rank != RefundRank::Pending);
    let came_back = sum(|rank| matches!(rank, RefundRank::Failed | RefundRank::Canceled));
    let watermark: Minor = known.charges.values().map(|charge| charge.refunded).sum();
    decided.max(watermark).less(came_back).min(paid)
}

/// The cost of lost disputes, in minor units: their amounts less what was reinstated.
pub(crate) fn cost_of_lost_disputes(known: &Knowledge) -> Minor {
    let lost = |dispute: &&DisputeFacts| dispute.outcome == DisputeOutcome::Lost;
    known.disputes.values().filter(lost).map(|dispute| dispute.amount.less(dispute.reinstated)).sum()
}

/// The open disputes whose funds are withdrawn. An inquiry (`warning_*`) withdraws nothing.
pub(crate) fn open_disputes(known: &Knowledge) -> impl Iterator<Item = &DisputeFacts> {
    known.disputes.values().filter(|dispute| dispute.outcome == DisputeOutcome::Open && dispute.withdrawn)
}

/// F.
fn pending(known: &Knowledge) -> Minor {
    let refunds = known.refunds.values().filter(|refund| refund.rank == RefundRank::Pending);
    let refunds: Minor = refunds.map(|refund| refund.amount).sum();
    let disputes: Minor = open_disputes(known).map(|dispute| dispute.amount.less(dispute.reinstated)).sum();
    refunds + disputes
}
