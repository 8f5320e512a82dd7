//! One lot as the liability report tells it, and adds it up.
//! Not here: what it is worth (`ledger::liability`).

use ledger::liability::{LotSums, LotValue};
use ledger::{TenantId, Timestamp};
use serde::Serialize;
use store::LotPosition;
use utoipa::ToSchema;

use crate::answer::rfc3339;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// One lot. Money is in minor units.
#[derive(Serialize, ToSchema)]
#[schema(as = LiabilityLot)]
pub(super) struct LotLine {
    pub(super) lot: i64,
    #[schema(value_type = Uuid)]
    pub(super) tenant_id: TenantId,
    /// None for an operator's grant.
    pub(super) payment: Option<String>,
    pub(super) currency: Option<String>,
    /// No event links its payment with refunds: a person takes credits back when money goes back.
    pub(super) refunds_by_hand: bool,
    #[schema(format = DateTime)]
    pub(super) purchased_at: String,
    pub(super) age_days: i64,
    pub(super) granted: i64,
    pub(super) used: i64,
    /// Credits taken back before they were used.
    #[serde(rename = "refunded_unspent_credits")]
    pub(super) unspent_back: i64,
    /// Credits taken back after they had been used.
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
