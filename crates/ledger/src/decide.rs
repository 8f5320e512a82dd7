//! Decides what an event, a person's decision or a missed deadline changes. Level-triggered: the entitlement
//! of the whole payment is computed again, and only the difference from the existing postings is posted
//! (design section 3). So duplicates, retries, replays and any order are harmless by construction.
//!
//! Unlike commands, events are never refused for lack of credits: credits that a tenant no longer has become
//! debt. As for commands, overdue holds and credits expire first, so that a late sweep changes no result.
//! Nothing here waits, reads a clock or can fail for a reason outside its arguments.

use crate::book::{Book, Changes, Payment};
use crate::entitlement::{Entitlement, entitlement};
use crate::execute::expire_overdue;
use crate::fact::Fact;
use crate::ids::{ObjectId, PaymentId, TenantId, Timestamp};
use crate::judge::{is_unjudged, judge, judge_waiting};
use crate::knowledge::{Knowledge, Ruling, Verdict};
use crate::money::MAX_CREDITS_PER_PAYMENT;
use crate::notify::{self, PaymentInfo};
use crate::now::Now;
use crate::outcome::{Outcome, Reason};
use crate::policy::Policy;
use crate::posting::{Cause, Transaction, TransactionKind};
use crate::review::{Wait, review_reason, reviewed_facts, waits_for};
use crate::settle::Settlement;
use crate::status::is_finalized;
use crate::transaction_builder::{Origin, TransactionBuilder};

/// The outcome of an event or of a person's decision, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// Why a person must look at the payment, independently of the outcome.
    pub review_reason: Option<Reason>,
    /// What the payment waits for after this decision.
    pub waits_for: Option<Wait>,
    /// The payment was not known to be ours before. Earlier events about it were ignored, and no longer are.
    pub became_ours: bool,
    /// What to write.
    pub changes: Changes,
}

/// Decides what one event changes. The book must also hold the overdue holds and lots of the payment's
/// tenants.
///
/// # Panics
/// If the fact names no object. Without one a repetition could not be recognised, and would grant again.
pub fn decide(book: &Book, fact: &Fact, policy: &Policy, now: Now) -> Decision {
    assert!(fact.knowledge.key().is_some(), "a fact must name the object that it is about");
    let payments = payments_of(book, fact.knowledge.objects());
    let mut known = joined_knowledge(book, &payments);
    known.join(fact.knowledge.clone());
    judge(&mut known, fact, policy, |tenant| book.knows_tenant(tenant));
    let cause = Cause::Event(fact.event.id.clone());
    apply_knowledge(book, &payments, known, &fact.knowledge, cause, policy, now)
}

/// Why a person's decision about a payment was refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulingRefused {
    /// The payment does not exist.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// It grants less than one credit or more than [`MAX_CREDITS_PER_PAYMENT`].
    #[error("a payment can grant 1 to {MAX_CREDITS_PER_PAYMENT} credits")]
    CreditsOutOfRange,
    /// The payment intent that it names belongs to a payment with a claim or a decision of its own.
    #[error("that payment intent belongs to another purchase")]
    PaymentIntentTaken,
    /// Refunds cannot be matched with the payment, and the decision neither names the payment intent nor says
    /// that refunds are handled by hand.
    #[error(
        "no event names the payment intent of this purchase, so its refunds would not be matched: name the \
         payment intent (pi_…), or say that refunds are handled by hand"
    )]
    PaymentIntentMissing,
}

/// Decides what a person's decision about a payment changes.
///
/// # Errors
/// [`RulingRefused`]: the decision is not possible.
pub fn rule(
    book: &Book,
    payment: PaymentId,
    mut ruling: Ruling,
    policy: &Policy,
    now: Now,
) -> Result<Decision, RulingRefused> {
    let known = &book.payments.get(&payment).ok_or(RulingRefused::NoSuchPayment)?.knowledge;
    let mut learned = Knowledge::default();
    let mut payments = vec![payment];
    if let Verdict::Grant(grant) = &mut ruling.verdict {
        if !grant.credits.is_valid_purchase() {
            return Err(RulingRefused::CreditsOutOfRange);
        }
        grant.rounding = policy.refund_rounding;
        if let Some(intent) = &grant.payment_intent {
            learned.payment_intents.insert(intent.clone());
            payments.extend(book.aliases.get(intent).filter(|other| **other != payment));
        } else if reviewed_facts(known).reason == Some(Reason::Unlinked)
            && !known.is_linked()
            && !grant.refunds_by_hand
        {
            return Err(RulingRefused::PaymentIntentMissing);
        }
    }
    if payments.iter().skip(1).any(|other| book.payments[other].knowledge.is_ours()) {
        return Err(RulingRefused::PaymentIntentTaken);
    }
    let cause = Cause::Operator { by: ruling.by.clone(), reason: ruling.reason.clone() };
    payments.sort_unstable();
    let mut known = joined_knowledge(book, &payments);
    known.join(learned.clone());
    judge_waiting(&mut known, None, policy, |tenant| book.knows_tenant(tenant));
    ruling.answered = reviewed_facts(&known);
    if let (Verdict::Grant(grant), true) = (&mut ruling.verdict, known.is_linked()) {
        grant.refunds_by_hand = false;
    }
    // The latest decision counts, even if the clock was ahead when an earlier one was made.
    if let Some(earlier) = &known.ruling {
        ruling.at = ruling.at.max(Timestamp(earlier.at.0 + 1));
    }
    learned.ruling = Some(ruling);
    known.join(learned.clone());
    Ok(apply_knowledge(book, &payments, known, &learned, cause, policy, now))
}

/// Decides what changes when a payment has waited in vain. None if the payment no longer waits.
pub fn overdue(book: &Book, payment: PaymentId, wait: Wait, policy: &Policy, now: Now) -> Option<Decision> {
    let mut known = book.payments.get(&payment)?.knowledge.clone();
    let waits = match wait {
        // Not `waits_for`: a claim that waited for a session is judged now even if the setting was changed
        // and no session is expected any more.
        Wait::Session => is_unjudged(&known),
        Wait::Purchase => waits_for(&known, policy) == Some(wait),
    };
    if !waits {
        return None;
    }
    let mut learned = Knowledge::default();
    match wait {
        Wait::Session => learned.session_overdue = true,
        Wait::Purchase => learned.reversal_overdue = true,
    }
    known.join(learned.clone());
    judge_waiting(&mut known, None, policy, |tenant| book.knows_tenant(tenant));
    // If this grants credits, their cause is the event that claimed them.
    let cause = match known.claim() {
        Some(claim) => Cause::Event(claim.first.id.clone()),
        None => Cause::Clock(format!("{} of {}", wait.as_str(), known.key()?)),
    };
    Some(apply_knowledge(book, &[payment], known, &learned, cause, policy, now))
}

/// The payments that these objects belong to, lowest id first. Several if an event reveals that they are the
/// same payment.
fn payments_of<'o>(book: &Book, objects: impl Iterator<Item = &'o ObjectId>) -> Vec<PaymentId> {
    let mut payments: Vec<PaymentId> = objects.filter_map(|id| book.aliases.get(id)).copied().collect();
    payments.sort_unstable();
    payments.dedup();
    payments
}

/// Everything known about these payments, joined.
fn joined_knowledge(book: &Book, payments: &[PaymentId]) -> Knowledge {
    let mut known = Knowledge::default();
    payments.iter().for_each(|id| known.join(book.payments[id].knowledge.clone()));
    known
}

/// Merges `payments` into the first of them, or creates a payment if there is none, and posts the difference
/// between its postings so far and its entitlement. `after` is all that is known now; `learned` is what the
/// event, decision or deadline added.
fn apply_knowledge(
    book: &Book,
    payments: &[PaymentId],
    after: Knowledge,
    learned: &Knowledge,
    cause: Cause,
    policy: &Policy,
    now: Now,
) -> Decision {
    let id = payments.first().copied().unwrap_or(book.next_payment);
    let before = payments.first().map(|id| book.payments[id].knowledge.clone()).unwrap_or_default();

    let origin = Origin { payment: Some(PaymentInfo::new(id, &after)), ..Origin::new(cause) };
    let mut builder = TransactionBuilder::new(book, origin, now);
    let purchase = (Some(id), after.purchased_at());
    let is_own = |payment: Option<PaymentId>| payment.is_some_and(|payment| payments.contains(&payment));
    let moved = builder.lots_where(|lot| is_own(lot.payment) && (lot.payment, lot.purchased_at) != purchase);
    for lot in moved {
        let lot = builder.lot_mut(lot);
        (lot.payment, lot.purchased_at) = purchase;
    }
    settle(&mut builder, id, &after);
    let known_before: Vec<_> = payments.iter().map(|id| &book.payments[id].knowledge).collect();
    let notices = notify::for_payment(&known_before, &after, builder.at);
    builder.notices.extend(notices);

    Decision {
        outcome: outcome(&before, &after, learned, &builder.transactions),
        review_reason: review_reason(&after),
        waits_for: waits_for(&after, policy),
        became_ours: after.is_ours() && known_before.iter().any(|known| !known.is_ours()),
        changes: builder
            .finish(Some(Payment { id, knowledge: after }), payments.iter().skip(1).copied().collect()),
    }
}

/// Brings the postings of a payment to its entitlement, tenant by tenant. A tenant that has credits of the
/// payment but is not entitled, because another tenant's claim now counts, loses them.
fn settle(builder: &mut TransactionBuilder<'_>, payment: PaymentId, known: &Knowledge) {
    let due = entitlement(known);
    let mut tenants: Vec<TenantId> = builder
        .lots_where(|lot| lot.payment == Some(payment))
        .into_iter()
        .map(|id| builder.lot(id).tenant)
        .chain(due.tenant)
        .collect();
    tenants.sort_unstable();
    tenants.dedup();
    for tenant in tenants {
        expire_overdue(builder, tenant);
        let due = if due.tenant == Some(tenant) { due } else { Entitlement::default() };
        let mut own = builder.lots_where(|lot| lot.payment == Some(payment) && lot.tenant == tenant);
        if own.is_empty() {
            own.push(builder.open_lot(tenant, Some(payment), known.purchased_at()));
        }
        Settlement { builder, tenant, own: &own }.run(&due);
    }
}

/// The outcome of an event: how credits moved, else what was learned.
fn outcome(
    before: &Knowledge,
    after: &Knowledge,
    learned: &Knowledge,
    transactions: &[Transaction],
) -> Outcome {
    // What expired on the way is not an outcome of the event.
    let own = transactions.iter().filter(|transaction| !matches!(transaction.cause, Cause::Clock(_)));
    let moved = own.filter_map(|transaction| match transaction.kind {
        TransactionKind::Granted => Some(Outcome::Granted),
        TransactionKind::Revoked | TransactionKind::Reversed => Some(Outcome::Revoked),
        TransactionKind::Restored | TransactionKind::DebtRepaid => Some(Outcome::Restored),
        TransactionKind::Frozen => Some(Outcome::Frozen),
        TransactionKind::Unfrozen => Some(Outcome::Unfrozen),
        // Only commands and expiry do these.
        TransactionKind::Spent
        | TransactionKind::Held
        | TransactionKind::Captured
        | TransactionKind::Released
        | TransactionKind::HoldExpired
        | TransactionKind::Adjusted
        | TransactionKind::Expired
        | TransactionKind::WrittenOff => None,
    });
    if let Some(moved) = moved.min() {
        return moved;
    }
    match () {
        () if before.says_the_same(after) => Outcome::AlreadyKnown,
        () if review_reason(after).is_some() && review_reason(after) != review_reason(before) => {
            Outcome::Quarantined
        }
        () if learned.charges.values().any(|charge| charge.failed) => Outcome::Declined,
        () if !after.is_ours() => Outcome::Ignored,
        () if !after.purchase_known() => Outcome::AwaitingPurchase,
        () if is_finalized(after) && !is_finalized(before) => Outcome::Finalized,
        () if !after.is_paid() && (learned.expired || learned.async_failed) => Outcome::Closed,
        () if !after.is_paid() && learned.completed => Outcome::AwaitingPayment,
        () => Outcome::Recorded,
    }
}
