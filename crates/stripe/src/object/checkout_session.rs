//! A Checkout session: its metadata says which tenant paid for how many credits.

use super::Metadata;
use crate::fault::{Faults, ReadFault};
use crate::fields::{Fields, required};
use crate::open_enum::open_enum;

/// docs.stripe.com/api/checkout/sessions/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutSessionSnapshot {
    /// `cs_…`
    pub id: String,
    /// Whether it is paid; None if the event does not say.
    pub payment_status: Option<PaymentStatus>,
    /// `open`, `complete` or `expired`.
    pub status: Option<String>,
    /// `payment`, `subscription` or `setup`.
    pub mode: Option<String>,
    /// The amount after discounts and taxes, in minor units.
    pub amount_total: Option<i64>,
    /// The amount before discounts and taxes, in minor units.
    pub amount_subtotal: Option<i64>,
    /// `total_details.amount_tax`: the part of `amount_total` that is tax, in minor units.
    pub amount_tax: Option<i64>,
    /// In lower case.
    pub currency: Option<String>,
    /// Stripe copies it to no other object.
    pub metadata: Metadata,
    /// `pi_…`; absent until the customer has paid, and if nothing was due.
    pub payment_intent: Option<String>,
    /// The merchant's reference.
    pub client_reference_id: Option<String>,
    /// `in_…`, if the session created an invoice.
    pub invoice: Option<String>,
    /// `sub_…`, in subscription mode.
    pub subscription: Option<String>,
    /// The metadata could not be read, and counts as empty.
    pub metadata_unreadable: bool,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

open_enum! {
    /// Whether a session is paid.
    PaymentStatus {
        Paid = "paid",
        Unpaid = "unpaid",
        NoPaymentRequired = "no_payment_required",
    }
}

impl CheckoutSessionSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<CheckoutSessionSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let tax = fields.get("total_details").and_then(|details| match details {
            Some(details) => Fields::of_value("total_details", details)?.amount("amount_tax"),
            None => Ok(None),
        });
        let metadata = Metadata::read(fields);
        let mut session = CheckoutSessionSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            payment_status: faults
                .or_none(fields.word("payment_status"))
                .map(|status| PaymentStatus::from_name(&status)),
            status: faults.or_none(fields.word("status")).map(Into::into),
            mode: faults.or_none(fields.word("mode")).map(Into::into),
            amount_total: faults.or_none(fields.amount("amount_total")),
            amount_subtotal: faults.or_none(fields.amount("amount_subtotal")),
            amount_tax: faults.or_none(tax),
            currency: faults.or_none(fields.currency("currency")),
            metadata_unreadable: metadata.is_err(),
            metadata: faults.or_default(metadata),
            payment_intent: faults.or_none(fields.reference("payment_intent")).map(Into::into),
            client_reference_id: faults.or_none(fields.text("client_reference_id")).map(Into::into),
            invoice: faults.or_none(fields.reference("invoice")).map(Into::into),
            subscription: faults.or_none(fields.reference("subscription")).map(Into::into),
            faults: Faults::default(),
        };
        session.faults = faults;
        Ok(session)
    }
}
