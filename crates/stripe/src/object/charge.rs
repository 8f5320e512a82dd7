//! A charge: one attempt to take the money, and how much of it was given back so far.

use super::{Metadata, Refund};
use crate::fault::ReadFault;
use crate::fields::{Fields, required};

/// docs.stripe.com/api/charges/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// `ch_…` or `py_…`
    pub id: String,
    /// `pi_…`; absent on charges made without one.
    pub payment_intent: Option<String>,
    /// What was authorised, in minor units.
    pub amount: Option<i64>,
    /// What was taken, in minor units; may be less than `amount`.
    pub amount_captured: Option<i64>,
    /// The sum of all refunds so far, in minor units, what was authorised and never captured included. Only
    /// grows, as far as is known; never an amount to add.
    pub amount_refunded: i64,
    /// False while the charge is only authorised.
    pub captured: Option<bool>,
    /// True once all of it was refunded.
    pub refunded: bool,
    /// `succeeded`, `pending` or `failed`.
    pub status: Option<String>,
    /// In lower case.
    pub currency: Option<String>,
    /// Why the attempt failed.
    pub failure_code: Option<String>,
    /// Copied from the PaymentIntent once, at confirmation.
    pub metadata: Metadata,
    /// The latest refunds, which API versions before 2022-11-15 embed; empty since.
    pub refunds: Vec<Refund>,
}

impl Charge {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Charge, ReadFault> {
        Ok(Charge {
            id: required("id", fields.id("id")?)?.into_owned(),
            payment_intent: fields.reference("payment_intent")?.map(Into::into),
            amount: fields.amount("amount")?,
            amount_captured: fields.amount("amount_captured")?,
            amount_refunded: fields.amount("amount_refunded")?.unwrap_or(0),
            captured: fields.flag("captured")?,
            refunded: fields.flag("refunded")?.unwrap_or(false),
            status: fields.word("status")?.map(Into::into),
            currency: fields.currency("currency")?,
            failure_code: fields.explanation("failure_code")?,
            metadata: Metadata::read(fields)?,
            refunds: read_refunds(fields)?,
        })
    }
}

fn read_refunds(fields: &Fields<'_>) -> Result<Vec<Refund>, ReadFault> {
    let Some(list) = fields.get("refunds")? else { return Ok(Vec::new()) };
    let refunds = Fields::of_value("refunds", list)?.list("data")?;
    refunds.into_iter().map(|refund| Refund::read(&Fields::of_value("refunds.data", refund)?)).collect()
}
