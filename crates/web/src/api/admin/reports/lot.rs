//! A lot in the liability report. Its value is computed in `ledger::liability`.

use crate::answer::rfc3339;
use ledger::liability::{LotSums, LotValue};
use ledger::{TenantId, Timestamp};
use serde::Serialize;
use store::LotPosition;
use utoipa::ToSchema;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// A lot. Money is in minor units.
#[derive(Serialize, ToSchema)]
#[schema(as = LiabilityLot)]
pub(super) struct LotLine {
    pub(super) lot: i64,
    #[schema(value_type = Uuid)]
    pub(super) tenant_id: TenantId,
    /// Null for a grant by an operator.
    pub(super) payment: Option<String>,
    pub(super) currency: Option<String>,
    /// Whether a person must revoke credits after a refund, because no event links the payment to its
    /// refunds.
    pub(super) refunds_by_hand: bool,
    #[schema(format = DateTime)]
    pub(super) purchased_at: String,
    pub(super) age_days: i64,
    pub(super) granted: i64,
    pub(super) used: i64,
    /// Credits revoked before they were used.
    #[serde(rename = "refunded_unspent_credits")]
    pub(super) unspent_back: i64,
    /// Credits revoked after they were used.
    #[serde(rename = "refunded_spent_credits")]
    pub(super) spent_back: i64,
    pub(super) outstanding: i64,
    pub(super) net_price: i64,
    pub(super) recognised: i64,
    pub(super) refunded_unspent: i64,
    pub(super) refunded_spent: i64,
    pub(super) deferred: i64,
}

impl LotLine {
    pub(super) fn of(
        tenant: TenantId,
        lot: &LotPosition,
        sums: &LotSums,
        value: &LotValue,
        as_of: Timestamp,
    ) -> Self {
        Self {
            lot: lot.lot.0,
            tenant_id: tenant,
            payment: lot.payment_key.clone(),
            currency: lot.currency.clone(),
            refunds_by_hand: lot.refunds_by_hand,
            purchased_at: rfc3339(Timestamp::from_seconds(lot.purchased_at)),
            // Stripe's clock may be ahead of ours.
            age_days: (as_of.seconds() - lot.purchased_at).max(0) / DAY,
            granted: sums.granted.0,
            used: value.used.0,
            unspent_back: value.unspent_back.0,
            spent_back: value.spent_back.0,
            outstanding: value.outstanding.0,
            net_price: (value.recognised + value.refunded_unspent + value.deferred).0,
            recognised: value.recognised.0,
            refunded_unspent: value.refunded_unspent.0,
            refunded_spent: value.refunded_spent.0,
            deferred: value.deferred.0,
        }
    }
}
