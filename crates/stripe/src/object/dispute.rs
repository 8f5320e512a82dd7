//! A dispute, or an inquiry that may become one, and the money that it has moved so far.

use crate::fault::{Faults, ReadFault};
use crate::fields::{Fields, required};
use crate::open_enum::open_enum;
use serde_json::value::RawValue;

/// docs.stripe.com/api/disputes/object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeSnapshot {
    /// `du_…` or `dp_…`
    pub id: String,
    /// The disputed amount, in minor units; may differ from the charge's.
    pub amount: i64,
    /// In lower case.
    pub currency: Option<String>,
    /// Its status.
    pub status: DisputeStatus,
    /// `ch_…`
    pub charge: Option<String>,
    /// `pi_…`
    pub payment_intent: Option<String>,
    /// Its movements: at most a withdrawal and a reinstatement, which may be partial.
    pub balance_transactions: Vec<BalanceTransaction>,
    /// The cardholder's reason, such as `fraudulent`.
    pub reason: Option<String>,
    /// Optional fields that were malformed.
    pub faults: Faults,
}

/// One movement of the merchant's balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// In minor units, without fees: negative when withdrawn, positive when reinstated.
    pub amount: i64,
    /// The currency of the merchant's balance, in lower case; may differ from the dispute's.
    pub currency: String,
}

open_enum! {
    /// The status of a dispute. The `warning_` ones are inquiries, which move no money.
    DisputeStatus {
        WarningNeedsResponse = "warning_needs_response",
        WarningUnderReview = "warning_under_review",
        WarningClosed = "warning_closed",
        NeedsResponse = "needs_response",
        UnderReview = "under_review",
        Won = "won",
        Lost = "lost",
        Prevented = "prevented",
        ChargeRefunded = "charge_refunded",
    }
}

impl DisputeSnapshot {
    pub(super) fn read(fields: &Fields<'_>) -> Result<DisputeSnapshot, ReadFault> {
        let mut faults = Faults::default();
        let movements = faults.or_default(fields.list("balance_transactions"));
        let mut dispute = DisputeSnapshot {
            id: required("id", fields.id("id")?)?.into_owned(),
            amount: required("amount", fields.amount("amount")?)?,
            currency: faults.or_none(fields.currency("currency")),
            status: DisputeStatus::from_name(&required("status", fields.word("status")?)?),
            charge: faults.or_none(fields.reference("charge")).map(Into::into),
            payment_intent: faults.or_none(fields.reference("payment_intent")).map(Into::into),
            balance_transactions: movements
                .into_iter()
                .filter_map(|movement| faults.or_none(read_movement(movement).map(Some)))
                .collect(),
            reason: fields.explanation("reason"),
            faults: Faults::default(),
        };
        dispute.faults = faults;
        Ok(dispute)
    }
}

fn read_movement(movement: &RawValue) -> Result<BalanceTransaction, ReadFault> {
    let fields = Fields::of_value("balance_transactions", movement)?;
    Ok(BalanceTransaction {
        amount: required("amount", fields.signed_amount("amount")?)?,
        currency: required("currency", fields.currency("currency")?)?,
    })
}
