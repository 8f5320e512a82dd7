//! Which payments need a person, and which wait for an event that may never arrive (design section 3: Nothing
//! about our money is silent).

use crate::claim::Judgement;
use crate::entitlement::granted_by_facts;
use crate::judge::waits_for_session;
use crate::knowledge::{Knowledge, ReviewedFacts};
use crate::money::Minor;
use crate::named::named;
use crate::outcome::Reason;
use crate::policy::Policy;

/// Why this payment needs a person, if it does. A person's decision settles it until facts arrive that raise
/// another reason or would grant something else.
pub fn review_reason(known: &Knowledge) -> Option<Reason> {
    let Some(ruling) = &known.ruling else { return reason_by_facts(known) };
    let (facts, answered) = (reviewed_facts(known), &ruling.answered);
    let by_hand = known.granted_by_hand().map(|grant| (grant.tenant, grant.credits));
    let grants = facts.grants.is_some() && ![answered.grants, by_hand].contains(&facts.grants);
    let new_reason = facts.reason.is_some() && facts.reason != answered.reason;
    // A person took credits back by hand. If refunds can be matched now, they would be taken a second time.
    let linked = known.is_linked() && known.granted_by_hand().is_some_and(|grant| grant.refunds_by_hand);
    (grants || new_reason || linked).then_some(Reason::DecisionOutdated)
}

/// What the facts say by themselves, regardless of a person's decision.
pub(crate) fn reviewed_facts(known: &Knowledge) -> ReviewedFacts {
    ReviewedFacts {
        reason: reason_by_facts(known),
        grants: granted_by_facts(known).map(|(tenant, credits, _)| (tenant, credits)),
    }
}

/// Why the facts need a person. Purchases for which no money was taken never do.
fn reason_by_facts(known: &Knowledge) -> Option<Reason> {
    let (paid, collected) = (known.is_paid(), known.collected());
    let overdue = known.reversal_overdue && known.has_reversal();
    match known.claim()?.judgement {
        Judgement::Rejected(Reason::Unlinked) => {
            let paid = paid && known.amount_due() != Some(Minor::ZERO);
            let money = known.invoice_paid || paid || collected > Minor::ZERO;
            let unknown = known.status_unknown.then_some(Reason::PaymentStatusUnknown);
            let overdue = overdue.then_some(Reason::ReversalUnmatched);
            money.then_some(Reason::Unlinked).or(unknown).or(overdue)
        }
        Judgement::Rejected(reason) if paid || collected > Minor::ZERO => Some(reason),
        Judgement::Rejected(_) | Judgement::Accepted { .. } if !paid => match () {
            () if known.status_unknown => Some(Reason::PaymentStatusUnknown),
            () if collected > Minor::ZERO => Some(Reason::Underpaid),
            () if known.invoice_paid => Some(Reason::Unlinked),
            () => overdue.then_some(Reason::ReversalUnmatched),
        },
        Judgement::Waiting => overdue.then_some(Reason::ReversalUnmatched),
        Judgement::Rejected(_) | Judgement::Accepted { .. } => match () {
            () if conflicting(known) => Some(Reason::ClaimsConflict),
            // A reversal cannot be prorated against zero.
            () => (overdue && known.amount_paid().is_zero()).then_some(Reason::ReversalUnmatched),
        },
    }
}

/// Whether the claims name different tenants, credits or currencies.
fn conflicting(known: &Knowledge) -> bool {
    let Some((first, others)) = known.claims.split_first() else { return false };
    others.iter().any(|other| first.contradicts(other))
}

named! {
    /// What a payment waits for.
    Wait {
        /// Its checkout session, because another object carries our metadata.
        Session = "session",
        /// The purchase that a refund or a dispute belongs to.
        Purchase = "purchase",
    }
}

impl Wait {
    /// How long the wait lasts, in seconds.
    pub const fn seconds(self, policy: &Policy) -> i64 {
        match self {
            Self::Session => policy.session_wait,
            Self::Purchase => policy.reversal_wait,
        }
    }
}

/// What this payment waits for, if anything.
pub fn waits_for(known: &Knowledge, policy: &Policy) -> Option<Wait> {
    if waits_for_session(known, policy) {
        return Some(Wait::Session);
    }
    let settled = known.ruling.is_some() || review_reason(known).is_some() || known.reversal_overdue;
    let unmatched = || {
        let granted = known.ruling.is_some() || granted_by_facts(known).is_some();
        !granted || known.amount_paid().is_zero()
    };
    (known.is_ours() && known.has_reversal() && !settled && unmatched()).then_some(Wait::Purchase)
}
