//! Which payments need a person, and which wait for something that may never come (design section 3:
//! Nothing about our money is silent). Pure readings of what is known.

use crate::claim::Judgement;
use crate::entitlement::granted_by_facts;
use crate::judge::waits_for_session;
use crate::knowledge::{Knowledge, ReviewedFacts};
use crate::money::Minor;
use crate::named::named;
use crate::outcome::Reason;
use crate::policy::Policy;

/// Why this payment needs a person, if it does. A person's word answers it, until facts arrive that ask, or
/// would grant, something else.
pub fn review_reason(known: &Knowledge) -> Option<Reason> {
    let Some(ruling) = &known.ruling else { return open_question(known) };
    let (facts, answered) = (stated(known), &ruling.answered);
    let by_hand = known.granted_by_hand().map(|grant| (grant.tenant, grant.credits));
    let grants = facts.grants.is_some() && ![answered.grants, by_hand].contains(&facts.grants);
    let asks = facts.reason.is_some() && facts.reason != answered.reason;
    // What a person took back by hand must not be taken again.
    let linked = known.is_linked() && known.granted_by_hand().is_some_and(|grant| grant.refunds_by_hand);
    (grants || asks || linked).then_some(Reason::DecisionOutdated)
}

/// What the facts say by themselves, whatever a person said.
pub(crate) fn stated(known: &Knowledge) -> ReviewedFacts {
    ReviewedFacts {
        reason: open_question(known),
        grants: granted_by_facts(known).map(|(tenant, credits, _)| (tenant, credits)),
    }
}

/// Nobody is asked about a purchase of which no money was taken.
fn open_question(known: &Knowledge) -> Option<Reason> {
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
            // A reversal cannot be prorated against nothing.
            () => (overdue && known.amount_paid().is_zero()).then_some(Reason::ReversalUnmatched),
        },
    }
}

/// Whether claims name different tenants, credits or currencies for one payment.
fn conflicting(known: &Knowledge) -> bool {
    let Some((counts, others)) = known.claims.split_first() else { return false };
    others.iter().any(|other| counts.contradicts(other))
}

named! {
    /// What a payment waits for.
    Wait {
        /// The checkout session, because another object carries our metadata.
        Session = "session",
        /// The purchase behind a refund or a dispute.
        Purchase = "purchase",
    }
}

impl Wait {
    /// For how long it is waited, in seconds.
    pub const fn seconds(self, policy: &Policy) -> i64 {
        match self {
            Self::Session => policy.session_wait,
            Self::Purchase => policy.reversal_wait,
        }
    }
}

/// What this payment waits for, if it waits for anything.
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
