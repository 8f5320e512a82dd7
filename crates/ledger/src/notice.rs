//! Notices for other systems (design section 6, Notices). They are written in the commit of the change that
//! they report, so every change has its notices, and no notice reports a change that did not happen. `engine`
//! delivers them.

use serde::{Serialize, Serializer};

use crate::ids::{HoldId, ObjectId, TenantId, Timestamp};
use crate::money::{Credits, Minor};
use crate::named::named;
use crate::posting::Balance;

named! {
    /// What a notice reports.
    NoticeKind {
        /// A purchase was paid; credits were added.
        CreditsGranted = "credits.granted",
        /// Money went back, and credits with it.
        CreditsRevoked = "credits.revoked",
        /// A refund failed or a lost dispute was won after all: credits came back.
        CreditsRestored = "credits.restored",
        /// A grant was withdrawn because it was not this tenant's.
        CreditsReversed = "credits.reversed",
        /// Credits were set aside because a refund is pending or a dispute is open.
        CreditsFrozen = "credits.frozen",
        /// Frozen credits are spendable again.
        CreditsUnfrozen = "credits.unfrozen",
        /// Credits were spent.
        CreditsSpent = "credits.spent",
        /// An operator gave or took credits.
        CreditsAdjusted = "credits.adjusted",
        /// Granted credits expired.
        CreditsExpired = "credits.expired",
        /// Credits were set aside for a later spend.
        HoldCreated = "hold.created",
        /// A hold was spent, in whole or in part.
        HoldCaptured = "hold.captured",
        /// A hold was released without a spend.
        HoldReleased = "hold.released",
        /// A hold expired.
        HoldExpired = "hold.expired",
        /// More credits were revoked than the tenant had. Spending is blocked until the debt is repaid.
        DebtCreated = "debt.created",
        /// New credits repaid a debt.
        DebtRepaid = "debt.repaid",
        /// An operator forgave a debt.
        DebtWrittenOff = "debt.written_off",
        /// The charge of a paid purchase succeeded.
        PaymentFinalized = "payment.finalized",
        /// An attempt to pay failed. A later one may succeed.
        PaymentFailed = "payment.failed",
        /// Fewer credits are available than the tenant's threshold.
        BalanceLow = "balance.low",
    }
}

/// One notice. It serialises as the `data` of the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What it reports.
    #[serde(skip)]
    pub kind: NoticeKind,
    /// The tenant concerned.
    #[serde(rename = "tenant_id")]
    pub tenant: TenantId,
    /// When it happened, by our clock.
    #[serde(skip)]
    pub at: Timestamp,
    /// The transaction that it reports, by its number in the journal.
    #[serde(rename = "transaction_id", skip_serializing_if = "Option::is_none")]
    pub transaction: Option<i64>,
    /// The number of credits concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    /// The tenant's balance afterwards; serialised with its net sum, `balance`, as everywhere in the API.
    #[serde(serialize_with = "with_sum", skip_serializing_if = "Option::is_none")]
    pub balance_after: Option<Balance>,
    /// The payment concerned, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<ObjectId>,
    /// What was paid, in minor units; with `credits.granted` and `payment.finalized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
    /// The currency of `amount`: three letters, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The hold concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// The tenant's own reference for it, such as an order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

fn with_sum<S: Serializer>(balance: &Option<Balance>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct WithSum {
        #[serde(flatten)]
        parts: Balance,
        balance: i64,
    }
    balance.map(|parts| WithSum { parts, balance: parts.net() }).serialize(serializer)
}
