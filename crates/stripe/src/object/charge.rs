//! A charge: one attempt to collect the money, and how much of it was refunded so far.

use super::{Metadata, RefundSnapshot};
use crate::fault::{Faults, ReadFault};
use crate::fields::{Fields, required};

/// docs.stripe.com/api/charges/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeSnapshot {
    /// `ch_…` or `py_…`
    pub id: String,
    /// `pi_…`; absent on charges made without one.
    pub payment_intent: Option<String>,
    /// The authorized amount, in minor units.
    pub amount: Option<i64>,
    /// The captured amount, in minor units; may be less than `amount`.
    pub amount_captured: Option<i64>,
    /// All refunds so far, in minor units, including what was authorized and not captured. A total, not an
    /// amount to add. As far as is known, it never decreases.
    pub amount_refunded: i64,
    /// False while the charge is only authorized.
    pub captured: Option<bool>,
    /// True once it was refunded in full.
    pub refunded: bool,
    /// `succeeded`, `pending` or `failed`.
    pub status: Option<String>,
    /// In lower case.
    pub currency: Option<String>,
    /// Why the attempt failed.
    pub failure_code: Option<String>,
    /// Copied from the PaymentIntent once, at confirmation.
    pub metadata: Metadata,
    /// The latest refunds, in API versions before 2022-11-15; empty in later versions.
    pub refunds: Vec<RefundSnapshot>,
    /// `in_…`, in API versions before 2025-03-31.
    pub invoice: Option<String>,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

impl ChargeSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<ChargeSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let mut charge = ChargeSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            payment_intent: faults.or_none(fields.reference("payment_intent")).map(Into::into),
            amount: faults.or_none(fields.amount("amount")),
            amount_captured: faults.or_none(fields.amount("amount_captured")),
            amount_refunded: faults.or_none(fields.amount("amount_refunded")).unwrap_or(0),
            captured: faults.or_none(fields.flag("captured")),
            refunded: faults.or_none(fields.flag("refunded")).unwrap_or(false),
            status: faults.or_none(fields.word("status")).map(Into::into),
            currency: faults.or_none(fields.currency("currency")),
            failure_code: fields.explanation("failure_code"),
            metadata: faults.or_default(Metadata::read(fields)),
            refunds: Vec::new(),
            invoice: faults.or_none(fields.reference("invoice")).map(Into::into),
            faults: Faults::default(),
        };
        charge.refunds = read_refunds(fields, &mut faults);
        charge.faults = faults;
        Ok(charge)
    }
}

fn read_refunds(fields: &Fields<'_>, faults: &mut Faults) -> Vec<RefundSnapshot> {
    let list = fields.get("refunds").and_then(|list| match list {
        Some(list) => Fields::of_value("refunds", list)?.list("data"),
        None => Ok(Vec::new()),
    });
    let mut refunds = Vec::new();
    for refund in faults.or_default(list) {
        let read = Fields::of_value("refunds.data", refund).and_then(|refund| RefundSnapshot::read(&refund));
        if let Some(refund) = faults.or_none(read.map(Some)) {
            faults.extend(&refund.faults);
            refunds.push(refund);
        }
    }
    refunds
}
