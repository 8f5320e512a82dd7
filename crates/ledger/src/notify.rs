//! Which notices a decision sends: one for each transaction, and one when a debt arises, when a balance falls
//! below its threshold, and when a payment becomes final or an attempt fails (design section 6, Notices).

use crate::book::Tenant;
use crate::entitlement::entitlement;
use crate::ids::{ObjectId, PaymentId, TenantId, Timestamp};
use crate::knowledge::Knowledge;
use crate::money::{Credits, Minor};
use crate::notice::{Notice, NoticeKind};
use crate::posting::{Account, Balance, Transaction, TransactionKind};
use crate::status::is_finalized;

/// A payment as notices show it.
#[derive(Clone)]
pub(crate) struct PaymentInfo {
    pub(crate) id: PaymentId,
    /// Its payment intent, else its session, else its charge.
    key: Option<ObjectId>,
    /// What was paid, in minor units.
    amount: Minor,
    currency: Option<String>,
}

impl PaymentInfo {
    pub(crate) fn new(id: PaymentId, known: &Knowledge) -> Self {
        Self {
            id,
            key: known.key().cloned(),
            amount: known.amount_paid(),
            currency: known.currency().map(str::to_owned),
        }
    }
}

/// The notice of a transaction, and a second one if it created debt. `debt_before` is the tenant's debt
/// before the transaction.
pub(crate) fn for_transaction(
    entry: &Transaction,
    payment: Option<&PaymentInfo>,
    debt_before: Credits,
) -> impl Iterator<Item = Notice> + use<> {
    let price =
        payment.filter(|payment| entry.kind == TransactionKind::Granted && payment.amount > Minor::ZERO);
    let kind = match entry.kind {
        TransactionKind::Granted => NoticeKind::CreditsGranted,
        TransactionKind::Revoked => NoticeKind::CreditsRevoked,
        TransactionKind::Restored => NoticeKind::CreditsRestored,
        TransactionKind::Reversed => NoticeKind::CreditsReversed,
        TransactionKind::Frozen => NoticeKind::CreditsFrozen,
        TransactionKind::Unfrozen => NoticeKind::CreditsUnfrozen,
        TransactionKind::Spent => NoticeKind::CreditsSpent,
        TransactionKind::Adjusted => NoticeKind::CreditsAdjusted,
        TransactionKind::Expired => NoticeKind::CreditsExpired,
        TransactionKind::Held => NoticeKind::HoldCreated,
        TransactionKind::Captured => NoticeKind::HoldCaptured,
        TransactionKind::Released => NoticeKind::HoldReleased,
        TransactionKind::HoldExpired => NoticeKind::HoldExpired,
        TransactionKind::DebtRepaid => NoticeKind::DebtRepaid,
        TransactionKind::WrittenOff => NoticeKind::DebtWrittenOff,
    };
    let credits = match entry.kind {
        // Only the spent part of a capture; the rest of the hold became available again.
        TransactionKind::Captured => entry.into_account(Account::Consumed),
        TransactionKind::Adjusted => Credits(entry.amount()),
        _ => entry.credits(),
    };
    let notice = Notice {
        kind,
        tenant: entry.tenant,
        at: entry.at,
        transaction: Some(entry.seq),
        credits: Some(credits),
        balance_after: Some(entry.balance_after),
        payment: payment.and_then(|payment| payment.key.clone()),
        amount: price.map(|payment| payment.amount),
        currency: price.and_then(|payment| payment.currency.clone()),
        hold: entry.hold,
        reference: entry.reference.clone(),
    };
    let new_debt = entry.balance_after.debt.less(debt_before);
    let debt = (new_debt > Credits::ZERO).then(|| Notice {
        kind: NoticeKind::DebtCreated,
        credits: Some(new_debt),
        ..notice.clone()
    });
    [Some(notice), debt].into_iter().flatten()
}

/// The notice of a balance that fell below the tenant's threshold. It is sent when the balance falls, and not
/// again while it stays low.
pub(crate) fn for_low_balance(after: &Tenant, before: Balance, at: Timestamp) -> Option<Notice> {
    let threshold = after.low_balance?;
    (before.available >= threshold && after.balance.available < threshold).then_some(Notice {
        kind: NoticeKind::BalanceLow,
        tenant: after.id,
        at,
        transaction: None,
        credits: Some(after.balance.available),
        balance_after: Some(after.balance),
        payment: None,
        amount: None,
        currency: None,
        hold: None,
        reference: None,
    })
}

/// The notices of a payment about which something new is known. `before` holds several entries where several
/// payments were merged. While the owner is unknown nothing is sent; the notices follow when it is known. A
/// failed attempt is not reported once the payment is paid.
pub(crate) fn for_payment(before: &[&Knowledge], after: &Knowledge, at: Timestamp) -> Vec<Notice> {
    let Some(tenant) = owner(after) else {
        return Vec::new();
    };
    let reported = || before.iter().filter(|known| owner(known).is_some());
    let failures = |known: &Knowledge| {
        known.charges.values().filter(|charge| charge.failed).count() + usize::from(known.async_failed)
    };
    let mut kinds = Vec::new();
    if !after.is_paid() && failures(after) > reported().map(|known| failures(known)).sum() {
        kinds.push(NoticeKind::PaymentFailed);
    }
    if is_finalized(after) && !reported().any(|known| is_finalized(known)) {
        kinds.push(NoticeKind::PaymentFinalized);
    }
    let price = |kind| {
        let paid = Some(after.amount_paid()).filter(|paid| *paid > Minor::ZERO);
        let finalized = paid.filter(|_| kind == NoticeKind::PaymentFinalized);
        (finalized, finalized.and(after.currency().map(str::to_owned)))
    };
    let notice = |kind| {
        let (amount, currency) = price(kind);
        Notice {
            kind,
            tenant,
            at,
            transaction: None,
            credits: None,
            balance_after: None,
            payment: after.key().cloned(),
            amount,
            currency,
            hold: None,
            reference: None,
        }
    };
    kinds.into_iter().map(notice).collect()
}

/// The tenant that has the payment's credits, else the tenant of its accepted claim.
fn owner(known: &Knowledge) -> Option<TenantId> {
    let claimed = || known.claim().filter(|claim| claim.is_accepted())?.tenant();
    entitlement(known).tenant.or_else(claimed)
}
