//! The purchase's charge, `ch_REFERENCE`, as its events find it.

use super::{buyer, generic_decline};
use crate::write::{Charge, ChargeStatus, Metadata, Method, MethodType, Purchase};
use serde_json::Value;

/// How far the charge has come; amounts are minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChargeState {
    /// A delayed method is under way.
    Pending,
    /// The money was taken.
    Succeeded,
    /// Taken, and booked to the balance: what `charge.updated` tells a minute or two later.
    Settled,
    /// So much of it was refunded, in one refund or several.
    Refunded(i64),
    /// The bank refused.
    Failed,
    /// Reserved first, and so much of it taken later: the rest counts as refunded.
    Captured(i64),
    /// Reserved and never taken.
    Expired,
}

/// `data.object` of `charge.*`, except `charge.refund.*` and `charge.dispute.*`.
pub(crate) fn charge(purchase: &Purchase, method: MethodType, state: ChargeState) -> Value {
    let amount = purchase.amount_total;
    let (amount_captured, amount_refunded) = match state {
        ChargeState::Succeeded | ChargeState::Settled => (amount, 0),
        ChargeState::Refunded(refunded) => (amount, refunded),
        ChargeState::Captured(captured) => (captured, amount.saturating_sub(captured)),
        ChargeState::Expired => (0, amount),
        ChargeState::Pending | ChargeState::Failed => (0, 0),
    };
    let failed = state == ChargeState::Failed;
    let paid = amount_captured > 0 || state == ChargeState::Expired;
    let charge = Charge {
        id: purchase.id("ch"),
        created: purchase.created,
        livemode: purchase.livemode,
        currency: purchase.currency.clone(),
        amount,
        amount_captured,
        amount_refunded,
        status: status(state),
        captured: state != ChargeState::Expired && !failed,
        paid,
        disputed: false,
        refunded: amount_refunded > 0 && amount_refunded >= amount,
        balance_transaction: is_settled(state).then(|| purchase.id("txn")),
        payment_intent: Some(purchase.id("pi")),
        payment_method: Some(purchase.id("pm")),
        method: method_of(purchase, method, failed),
        billing_details: buyer(),
        failure: failed.then(generic_decline),
        customer: None,
        description: None,
        metadata: Metadata::new(),
        receipt_url: paid.then(|| format!("https://pay.stripe.com/receipts/payment/{}", purchase.reference)),
    };
    charge.render(purchase.api_version)
}

/// Stripe's own test numbers (docs.stripe.com/testing).
pub(super) fn method_of(purchase: &Purchase, method: MethodType, declined: bool) -> Method {
    match method {
        MethodType::Card => Method::Card {
            brand: "visa".to_owned(),
            last4: if declined { "0002" } else { "4242" }.to_owned(),
            country: "US".to_owned(),
            funding: "credit".to_owned(),
            three_d_secure: false,
        },
        MethodType::SepaDebit => Method::SepaDebit {
            last4: "3201".to_owned(),
            country: "AT".to_owned(),
            mandate: purchase.id("mandate"),
        },
        MethodType::BankTransfer => Method::BankTransfer,
    }
}

fn status(state: ChargeState) -> ChargeStatus {
    match state {
        ChargeState::Pending => ChargeStatus::Pending,
        ChargeState::Failed => ChargeStatus::Failed,
        ChargeState::Succeeded
        | ChargeState::Settled
        | ChargeState::Refunded(_)
        | ChargeState::Captured(_)
        | ChargeState::Expired => ChargeStatus::Succeeded,
    }
}

/// Stripe books the money after it has announced the success (`capture_method: automatic_async`).
fn is_settled(state: ChargeState) -> bool {
    match state {
        ChargeState::Settled | ChargeState::Refunded(_) | ChargeState::Captured(_) => true,
        ChargeState::Pending | ChargeState::Succeeded | ChargeState::Failed | ChargeState::Expired => false,
    }
}
