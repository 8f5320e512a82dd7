//! A refund. It may still fail weeks after it succeeded.

use crate::fault::{Faults, ReadFault};
use crate::fields::{Fields, required};
use crate::open_enum::open_enum;

/// docs.stripe.com/api/refunds/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundSnapshot {
    /// `re_…` or `pyr_…`
    pub id: String,
    /// The amount of this refund alone, in minor units.
    pub amount: i64,
    /// Its status; Stripe's type allows none.
    pub status: Option<RefundStatus>,
    /// `ch_…`; absent on refunds of a payment without a charge.
    pub charge: Option<String>,
    /// `pi_…`
    pub payment_intent: Option<String>,
    /// In lower case.
    pub currency: Option<String>,
    /// Why the refund failed.
    pub failure_reason: Option<String>,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

open_enum! {
    /// The status of a refund. `succeeded` is not final: it may still become `failed`.
    RefundStatus {
        Pending = "pending",
        RequiresAction = "requires_action",
        Succeeded = "succeeded",
        Failed = "failed",
        Canceled = "canceled",
    }
}

impl RefundSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<RefundSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let mut refund = RefundSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            amount: required("amount", fields.amount("amount")?)?,
            status: faults.or_none(fields.word("status")).map(|status| RefundStatus::from_name(&status)),
            charge: faults.or_none(fields.reference("charge")).map(Into::into),
            payment_intent: faults.or_none(fields.reference("payment_intent")).map(Into::into),
            currency: faults.or_none(fields.currency("currency")),
            failure_reason: fields.explanation("failure_reason"),
            faults: Faults::default(),
        };
        refund.faults = faults;
        Ok(refund)
    }
}
