//! Fact + what is known → what to write. Level-triggered: the entitlement of the whole payment is worked out
//! anew, and only the difference from what is already posted is posted (design section 3). So duplicates,
//! retries, replays and any order are harmless by construction.
//!
//! Recording never refuses for lack of credits: what a tenant no longer has is booked as debt. Refusing is
//! for `command`. As there, what ran out of time is settled first: credits that have ended pay for no refund,
//! however late the sweep is. Nothing here waits, looks at a clock or can fail for a reason outside its
//! arguments.

use crate::book::{Book, Changes, Payment};
use crate::entitlement::{Entitlement, entitlement};
use crate::execute::settle_due;
use crate::fact::Fact;
use crate::ids::{ObjectId, PaymentId, TenantId, Timestamp};
use crate::judge::{is_unjudged, judge, judge_waiting};
use crate::knowledge::{Knowledge, Ruling, Verdict};
use crate::money::MAX_CREDITS_PER_PAYMENT;
use crate::notice::{self, PaymentOrigin};
use crate::now::Now;
use crate::outcome::{Outcome, Reason};
use crate::policy::Policy;
use crate::posting::{Cause, Transaction, TransactionKind};
use crate::review::{Wait, review_reason, stated, waits_for};
use crate::settle::Settlement;
use crate::status::is_final;
use crate::transaction_builder::{Origin, TransactionBuilder};

/// What became of an event or of a person's word, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What became of it.
    pub outcome: Outcome,
    /// Why a person must look at the payment, whatever the outcome.
    pub review_reason: Option<Reason>,
    /// What the payment waits for from now on.
    pub waits_for: Option<Wait>,
    /// With this, the payment turned out to be ours: what was ignored before is about it.
    pub became_ours: bool,
    /// What to write.
    pub changes: Changes,
}

/// Decides what one event means. Of the tenants whose payment it is about, the book holds what is due too.
///
/// # Panics
/// When it names no object: it could be told again under no name, and would be granted again.
pub fn decide(book: &Book, fact: &Fact, policy: &Policy, now: Now) -> Decision {
    assert!(fact.knowledge.key().is_some(), "a fact must name the object that it is about");
    let is_known = |tenant| book.tenants.contains_key(&tenant);
    let same = named(book, fact.knowledge.objects());
    let mut known = joined(book, &same);
    known.join(fact.knowledge.clone());
    judge(&mut known, fact, policy, is_known);
    revise(book, &same, known, &fact.knowledge, Cause::Event(fact.event.id.clone()), policy, now)
}

/// Why a person's word about a payment was not taken. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulingRefused {
    /// There is no such payment.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// It grants fewer credits than one or more than [`MAX_CREDITS_PER_PAYMENT`].
    #[error("a payment is worth 1 to {MAX_CREDITS_PER_PAYMENT} credits")]
    CreditsOutOfRange,
    /// The payment intent that it names belongs to a payment that has credits or a claim of its own.
    #[error("that payment intent belongs to another purchase")]
    PaymentIntentTaken,
    /// The payment cannot be matched with refunds, and the word names neither its payment intent nor says
    /// that refunds are handled by hand.
    #[error(
        "no event names the payment intent of this purchase, so its refunds would not be matched: name the \
         payment intent (pi_…), or say that refunds are handled by hand"
    )]
    PaymentIntentMissing,
}

/// Decides what a person's word about a payment means.
///
/// # Errors
/// [`RulingRefused`]: the word cannot be taken.
pub fn rule(
    book: &Book,
    payment: PaymentId,
    mut ruling: Ruling,
    policy: &Policy,
    now: Now,
) -> Result<Decision, RulingRefused> {
    let known = &book.payments.get(&payment).ok_or(RulingRefused::NoSuchPayment)?.knowledge;
    let mut learned = Knowledge::default();
    let mut same = vec![payment];
    if let Verdict::Grant(grant) = &mut ruling.verdict {
        if !(1..=MAX_CREDITS_PER_PAYMENT).contains(&grant.credits.0) {
            return Err(RulingRefused::CreditsOutOfRange);
        }
        grant.rounding = policy.refund_rounding;
        if let Some(intent) = &grant.payment_intent {
            learned.payment_intents.insert(intent.clone());
            same.extend(book.aliases.get(intent).filter(|other| **other != payment));
        } else if stated(known).reason == Some(Reason::Unlinked)
            && !known.is_linked()
            && !grant.refunds_by_hand
        {
            return Err(RulingRefused::PaymentIntentMissing);
        }
    }
    if same.iter().skip(1).any(|other| book.payments[other].knowledge.is_ours()) {
        return Err(RulingRefused::PaymentIntentTaken);
    }
    let cause = Cause::Operator { by: ruling.by.clone(), reason: ruling.reason.clone() };
    same.sort_unstable();
    let mut known = joined(book, &same);
    known.join(learned.clone());
    judge_waiting(&mut known, None, policy, |tenant| book.tenants.contains_key(&tenant));
    ruling.answered = stated(&known);
    if let (Verdict::Grant(grant), true) = (&mut ruling.verdict, known.is_linked()) {
        grant.refunds_by_hand = false;
    }
    // The latest word counts, also where the clock was ahead when an earlier one was given.
    if let Some(earlier) = &known.ruling {
        ruling.at = ruling.at.max(Timestamp(earlier.at.0 + 1));
    }
    learned.ruling = Some(ruling);
    known.join(learned.clone());
    Ok(revise(book, &same, known, &learned, cause, policy, now))
}

/// Decides what it means that what a payment waited for did not come in time. Nothing, where it no longer
/// waits for it.
pub fn overdue(book: &Book, payment: PaymentId, wait: Wait, policy: &Policy, now: Now) -> Option<Decision> {
    let mut known = book.payments.get(&payment)?.knowledge.clone();
    let waits = match wait {
        // Also where a changed setting expects no session any more: what waited for one is judged now.
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
    judge_waiting(&mut known, None, policy, |tenant| book.tenants.contains_key(&tenant));
    // What is granted now, is granted because of the event that claimed it.
    let cause = match known.claim() {
        Some(claim) => Cause::Event(claim.first.id.clone()),
        None => Cause::Clock(format!("{} of {}", wait.as_str(), known.key()?)),
    };
    Some(revise(book, &[payment], known, &learned, cause, policy, now))
}

/// The payments that these objects belong to, smallest first. More than one, where an event tells us that
/// they are the same.
fn named<'o>(book: &Book, objects: impl Iterator<Item = &'o ObjectId>) -> Vec<PaymentId> {
    let mut same: Vec<PaymentId> = objects.filter_map(|id| book.aliases.get(id)).copied().collect();
    same.sort_unstable();
    same.dedup();
    same
}

/// Everything known about payments that are the same.
fn joined(book: &Book, same: &[PaymentId]) -> Knowledge {
    let mut known = Knowledge::default();
    same.iter().for_each(|id| known.join(book.payments[id].knowledge.clone()));
    known
}

/// Posts the difference between what is posted for the `same` payment and what it is worth `after` an event,
/// a person's word or a wait, which `learned` something.
fn revise(
    book: &Book,
    same: &[PaymentId],
    after: Knowledge,
    learned: &Knowledge,
    cause: Cause,
    policy: &Policy,
    now: Now,
) -> Decision {
    let id = same.first().copied().unwrap_or(book.next_payment);
    let before = same.first().map(|id| book.payments[id].knowledge.clone()).unwrap_or_default();

    let origin = Origin { payment: Some(PaymentOrigin::new(id, &after)), ..Origin::of(cause) };
    let mut builder = TransactionBuilder::new(book, origin, now);
    let here = (Some(id), after.purchased_at());
    let one_of = |payment: Option<PaymentId>| payment.is_some_and(|payment| same.contains(&payment));
    let own = builder.lots_where(|lot| one_of(lot.payment) && (lot.payment, lot.purchased_at) != here);
    for lot in own {
        let lot = builder.lot_mut(lot);
        (lot.payment, lot.purchased_at) = here;
    }
    settle(&mut builder, id, &after);
    let heard: Vec<_> = same.iter().map(|id| &book.payments[id].knowledge).collect();
    let told = notice::of_payment(&heard, &after, builder.at);
    builder.notices.extend(told);

    Decision {
        outcome: outcome(&before, &after, learned, &builder.transactions),
        review_reason: review_reason(&after),
        waits_for: waits_for(&after, policy),
        became_ours: after.is_ours() && heard.iter().any(|known| !known.is_ours()),
        changes: builder
            .finish(Some(Payment { id, knowledge: after }), same.iter().skip(1).copied().collect()),
    }
}

/// Brings what is posted for a payment to what it is worth, tenant by tenant. Whoever holds credits of it
/// without being entitled (another tenant's claim came to count) is entitled to nothing.
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
        settle_due(builder, tenant);
        let due = if due.tenant == Some(tenant) { due } else { Entitlement::default() };
        let mut own = builder.lots_where(|lot| lot.payment == Some(payment) && lot.tenant == tenant);
        if own.is_empty() {
            own.push(builder.open_lot(tenant, Some(payment), known.purchased_at()));
        }
        Settlement { builder, tenant, own: &own }.run(&due);
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
        TransactionKind::Granted => Some(Outcome::Granted),
        TransactionKind::Revoked | TransactionKind::Reversed => Some(Outcome::Revoked),
        TransactionKind::Restored | TransactionKind::DebtRepaid => Some(Outcome::Restored),
        TransactionKind::Frozen => Some(Outcome::Frozen),
        TransactionKind::Unfrozen => Some(Outcome::Unfrozen),
        // What only commands and the clock do.
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
        () if after.is_paid() && is_final(after) && !(before.is_paid() && is_final(before)) => {
            Outcome::Finalized
        }
        () if !after.is_paid() && (learned.expired || learned.async_failed) => Outcome::Closed,
        () if !after.is_paid() && learned.completed => Outcome::AwaitingPayment,
        () => Outcome::Recorded,
    }
}
