//! Fact + what is known → what to write. Level-triggered: the entitlement of the whole payment is worked out
//! anew, and only the difference from what is already posted is posted (design section 3). So duplicates,
//! retries, replays and any order are harmless by construction.
//!
//! Recording never refuses for lack of credits: what a tenant no longer has is booked as debt. Refusing is
//! for `command`. As there, what ran out of time is settled first: credits that have ended pay for no refund,
//! however late the sweep is. Nothing here waits, looks at a clock or can fail for a reason outside its
//! arguments.

use crate::book::{Book, Changes, Payment};
use crate::draft::{Behind, Draft};
use crate::entitlement::{Entitlement, entitlement};
use crate::fact::Fact;
use crate::ids::{EventId, PaymentId, TenantId, Timestamp};
use crate::knowledge::{Knowledge, Ruling, Verdict};
use crate::money::CREDITS_PER_PAYMENT_MAX;
use crate::notice;
use crate::offer::{Policy, judge};
use crate::outcome::{Outcome, Reason};
use crate::posting::{Cause, Kind, Transaction};
use crate::settle::Settlement;
use crate::status::{is_final, question};
use crate::till::settle_due;

/// What became of an event or of a person's word, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What became of it.
    pub outcome: Outcome,
    /// Why a person must look at the payment, whatever the outcome.
    pub question: Option<Reason>,
    /// What to write.
    pub changes: Changes,
}

/// Decides what one event means. Of the tenants whose payment it is about, the book holds what is due too.
///
/// # Panics
/// When it names no object: it could be told again under no name, and would be granted again.
pub fn decide(book: &Book, fact: &Fact, policy: &Policy, at: Timestamp) -> Decision {
    assert!(fact.knowledge.key().is_some(), "a fact must name the object that it is about");
    let mut learned = fact.knowledge.clone();
    judge(&mut learned, fact, policy, |tenant| book.tenants.contains_key(&tenant));
    let cause = Cause::Event(fact.told.event.clone());
    // Told again, an event is judged again, and what was said of its claim before is not true any more.
    let judged_anew = fact.offer.as_ref().map(|_| &fact.told.event);
    revise(book, &named(book, &learned), &learned, judged_anew, cause, policy, at)
}

/// Decides what a person's word about a quarantined payment means. Nothing, where there is no such payment or
/// where the word grants fewer credits than one or more than [`CREDITS_PER_PAYMENT_MAX`].
pub fn rule(book: &Book, payment: PaymentId, ruling: Ruling, policy: &Policy) -> Option<Decision> {
    let known = book.payments.contains_key(&payment);
    let sensible = match ruling.verdict {
        Verdict::Grant { credits, .. } => (1..=CREDITS_PER_PAYMENT_MAX).contains(&credits.0),
        Verdict::Dismiss => true,
    };
    let at = ruling.at;
    let cause = Cause::Operator { by: ruling.by.clone(), reason: ruling.reason.clone() };
    let learned = Knowledge { ruling: Some(ruling), ..Knowledge::default() };
    (known && sensible).then(|| revise(book, &[payment], &learned, None, cause, policy, at))
}

/// The payments that an event names, smallest first. More than one, where it tells us that they are the same.
fn named(book: &Book, learned: &Knowledge) -> Vec<PaymentId> {
    let mut same: Vec<PaymentId> = learned.objects().filter_map(|id| book.aliases.get(id)).copied().collect();
    same.sort_unstable();
    same.dedup();
    same
}

/// Joins what was learned with everything known of the `same` payment, and posts the difference.
fn revise(
    book: &Book,
    same: &[PaymentId],
    learned: &Knowledge,
    judged_anew: Option<&EventId>,
    cause: Cause,
    policy: &Policy,
    at: Timestamp,
) -> Decision {
    let id = same.first().copied().unwrap_or(book.next_payment);

    let before = same.first().map(|id| book.payments[id].knowledge.clone()).unwrap_or_default();
    let mut after = before.clone();
    for other in same.iter().skip(1) {
        after.join(book.payments[other].knowledge.clone());
    }
    after.refused.retain(|refused| Some(&refused.told.event) != judged_anew);
    after.join(learned.clone());

    let behind = Behind { payment: Some((id, after.key().cloned())), ..Behind::only(cause) };
    let mut draft = Draft::new(book, behind, at);
    let here = (Some(id), after.purchased_at());
    let one_of = |payment: Option<PaymentId>| payment.is_some_and(|payment| same.contains(&payment));
    let own = draft.lots_where(|lot| one_of(lot.payment) && (lot.payment, lot.purchased_at) != here);
    for lot in own {
        let lot = draft.lot_mut(lot);
        (lot.payment, lot.purchased_at) = here;
    }
    settle(&mut draft, id, &after, policy);
    let heard: Vec<_> = same.iter().map(|id| &book.payments[id].knowledge).collect();
    let told = notice::of_payment(&heard, &after, draft.at);
    draft.notices.extend(told);

    let question = question(&after);
    Decision {
        outcome: outcome(&before, &after, learned, &draft.transactions),
        question,
        changes: draft.finish(Some(Payment { id, knowledge: after }), same.iter().skip(1).copied().collect()),
    }
}

/// Brings what is posted for a payment to what it is worth, tenant by tenant. Whoever holds credits of it
/// without being entitled (another tenant's claim came to count) is entitled to nothing.
fn settle(draft: &mut Draft<'_>, payment: PaymentId, known: &Knowledge, policy: &Policy) {
    let due = entitlement(known, policy.refund_rounding);
    let mut tenants: Vec<TenantId> = draft
        .lots_where(|lot| lot.payment == Some(payment))
        .into_iter()
        .map(|id| draft.lot(id).tenant)
        .chain(due.tenant)
        .collect();
    tenants.sort_unstable();
    tenants.dedup();
    for tenant in tenants {
        settle_due(draft, tenant);
        let due = if due.tenant == Some(tenant) { due } else { Entitlement::default() };
        let mut own = draft.lots_where(|lot| lot.payment == Some(payment) && lot.tenant == tenant);
        if own.is_empty() {
            own.push(draft.open_lot(tenant, Some(payment), known.purchased_at()));
        }
        Settlement { draft, tenant, own: &own }.run(&due);
    }
}

/// Names what became of an event: what moved credits first, then what was learned.
fn outcome(
    before: &Knowledge,
    after: &Knowledge,
    learned: &Knowledge,
    transactions: &[Transaction],
) -> Outcome {
    // What the clock did on the way is not what became of the event.
    let own = transactions.iter().filter(|transaction| !matches!(transaction.cause, Cause::Clock(_)));
    let moved = own.filter_map(|transaction| match transaction.kind {
        Kind::Granted => Some(Outcome::Granted),
        Kind::Revoked | Kind::Reversed => Some(Outcome::Revoked),
        Kind::Restored | Kind::DebtRepaid => Some(Outcome::Restored),
        Kind::Frozen => Some(Outcome::Frozen),
        Kind::Unfrozen => Some(Outcome::Unfrozen),
        // What only commands and the clock do.
        Kind::Spent
        | Kind::Held
        | Kind::Captured
        | Kind::Released
        | Kind::HoldExpired
        | Kind::Adjusted
        | Kind::Expired
        | Kind::WrittenOff => None,
    });
    if let Some(moved) = moved.min() {
        return moved;
    }
    match () {
        () if before == after => Outcome::AlreadyKnown,
        () if question(after).is_some() && question(after) != question(before) => Outcome::Quarantined,
        () if !after.purchase_known() && after.unrelated => Outcome::Ignored,
        () if learned.charges.values().any(|charge| charge.failed) => Outcome::Declined,
        () if !after.purchase_known() => Outcome::AwaitingPurchase,
        () if after.paid && is_final(after) && !(before.paid && is_final(before)) => Outcome::Finalized,
        () if !after.paid && (learned.expired || learned.async_failed) => Outcome::Closed,
        () if !after.paid && learned.completed => Outcome::AwaitingPayment,
        () => Outcome::Recorded,
    }
}
