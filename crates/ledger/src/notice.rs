//! What other systems are told: one notice for each transaction, and one where a debt arose, a balance fell
//! low, or a payment became final or failed (design section 6, Notices). Written in the commit of what they
//! tell, so that nothing is told that did not happen, and nothing happens untold.
//! Not here: who wants to know, and how it is sent (`engine`).

use serde::{Serialize, Serializer};

use crate::book::Tenant;
use crate::entitlement::entitlement;
use crate::ids::{HoldId, ObjectId, PaymentId, TenantId, Timestamp};
use crate::knowledge::Knowledge;
use crate::money::{Credits, Minor};
use crate::named::named;
use crate::posting::{Account, Balance, Transaction, TransactionKind};
use crate::status::is_final;

named! {
    /// What a notice tells.
    NoticeKind {
        /// A purchase was paid; credits were added.
        CreditsGranted = "credits.granted",
        /// Money went back, and credits with it.
        CreditsRevoked = "credits.revoked",
        /// A refund failed or a lost dispute was won after all: credits came back.
        CreditsRestored = "credits.restored",
        /// A grant was withdrawn because it was not this tenant's.
        CreditsReversed = "credits.reversed",
        /// Credits were set aside while a refund is pending or a dispute is open.
        CreditsFrozen = "credits.frozen",
        /// They are spendable again.
        CreditsUnfrozen = "credits.unfrozen",
        /// Credits were spent.
        CreditsSpent = "credits.spent",
        /// An operator gave or took credits.
        CreditsAdjusted = "credits.adjusted",
        /// Granted credits ran out of time.
        CreditsExpired = "credits.expired",
        /// Credits were set aside for a spend that may yet happen.
        HoldCreated = "hold.created",
        /// A hold was spent, in whole or in part.
        HoldCaptured = "hold.captured",
        /// A hold was given up.
        HoldReleased = "hold.released",
        /// A hold's time was up.
        HoldExpired = "hold.expired",
        /// More was taken back than there was: spending is blocked until it is repaid.
        DebtCreated = "debt.created",
        /// New credits paid what was owed.
        DebtRepaid = "debt.repaid",
        /// An operator forgave what was owed.
        DebtWrittenOff = "debt.written_off",
        /// The charge of a paid purchase succeeded.
        PaymentFinalized = "payment.finalized",
        /// An attempt to pay failed. A later one may succeed.
        PaymentFailed = "payment.failed",
        /// Fewer credits are available than the tenant wants to have.
        BalanceLow = "balance.low",
    }
}

/// One thing to tell. What is serialised is the notice's `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What it tells.
    #[serde(skip)]
    pub kind: NoticeKind,
    /// Whom it is about.
    #[serde(rename = "tenant_id")]
    pub tenant: TenantId,
    /// When it happened, by our clock.
    #[serde(skip)]
    pub at: Timestamp,
    /// The transaction behind it, by its place in the journal.
    #[serde(rename = "transaction_id", skip_serializing_if = "Option::is_none")]
    pub transaction: Option<i64>,
    /// How many credits it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    /// What the tenant has and owes after it; told with their sum, `balance`, as everywhere in the API.
    #[serde(serialize_with = "with_sum", skip_serializing_if = "Option::is_none")]
    pub balance_after: Option<Balance>,
    /// The payment behind it, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<ObjectId>,
    /// What was paid, in minor units; with `credits.granted` and `payment.finalized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
    /// The currency of it: three letters, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The hold behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// What the tenant's own system calls the occasion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// The payment behind a transaction, as others are told of it.
#[derive(Clone)]
pub(crate) struct PaymentOrigin {
    pub(crate) id: PaymentId,
    /// Its payment intent, else its session, else its charge.
    pub(crate) key: Option<ObjectId>,
    /// What was paid, in minor units.
    pub(crate) amount: Minor,
    pub(crate) currency: Option<String>,
}

impl PaymentOrigin {
    pub(crate) fn new(id: PaymentId, known: &Knowledge) -> Self {
        Self {
            id,
            key: known.key().cloned(),
            amount: known.amount_paid(),
            currency: known.currency().map(str::to_owned),
        }
    }
}

fn with_sum<S: Serializer>(of: &Option<Balance>, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct WithSum {
        #[serde(flatten)]
        parts: Balance,
        balance: i64,
    }
    of.map(|parts| WithSum { parts, balance: parts.net() }).serialize(to)
}

/// What to tell of a transaction, before which the tenant owed `debt_before`.
pub(crate) fn of_transaction(
    entry: &Transaction,
    payment: Option<&PaymentOrigin>,
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
    // Of a capture, what was spent; what returned with it is no news of its own.
    let credits = match entry.kind {
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

/// What to tell of a balance that fell below what the tenant wants to have. EventRef when it falls, not again
/// while it stays low.
pub(crate) fn of_balance(after: &Tenant, before: Balance, at: Timestamp) -> Option<Notice> {
    let wanted = after.low_balance?;
    (before.available >= wanted && after.balance.available < wanted).then_some(Notice {
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

/// What to tell of a payment of which more is known than `before`, when it may have been several. Nothing,
/// while nobody knows whose it is: then it is told when somebody does. A failed attempt is no news once
/// another has paid.
pub(crate) fn of_payment(before: &[&Knowledge], after: &Knowledge, at: Timestamp) -> Vec<Notice> {
    let Some(tenant) = owner(after) else {
        return Vec::new();
    };
    let told = || before.iter().filter(|known| owner(known).is_some());
    let done = |known: &Knowledge| known.is_paid() && is_final(known);
    let failures = |known: &Knowledge| {
        known.charges.values().filter(|c| c.failed).count() + usize::from(known.async_failed)
    };
    let mut kinds = Vec::new();
    if !after.is_paid() && failures(after) > told().map(|known| failures(known)).sum() {
        kinds.push(NoticeKind::PaymentFailed);
    }
    if done(after) && !told().any(|known| done(known)) {
        kinds.push(NoticeKind::PaymentFinalized);
    }
    let price = |kind| {
        let paid = Some(after.amount_paid()).filter(|paid| *paid > Minor::ZERO);
        let finalized = paid.filter(|_| kind == NoticeKind::PaymentFinalized);
        (finalized, finalized.and(after.currency().map(str::to_owned)))
    };
    let notice = |kind| Notice {
        amount: price(kind).0,
        currency: price(kind).1,
        kind,
        tenant,
        at,
        transaction: None,
        credits: None,
        balance_after: None,
        payment: after.key().cloned(),
        hold: None,
        reference: None,
    };
    kinds.into_iter().map(notice).collect()
}

/// Whose payment it is, as far as that is known: of whoever has its credits, else of whoever claims them.
fn owner(known: &Knowledge) -> Option<TenantId> {
    let claim = || known.claim().filter(|claim| claim.is_accepted())?.tenant();
    entitlement(known).tenant.or_else(claim)
}
