//! The charge: one attempt to take the money, and how much of it went back.
//!
//! Deliberately not here: the list of refunds, absent since 2022-11-15, and the session's metadata.

use super::body::with_nulls;
use super::payment_method::billing_details;
use super::{PaymentMethod, Purchase};
use serde_json::{Value, json};

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
pub(crate) fn charge(purchase: &Purchase, method: PaymentMethod, state: ChargeState) -> Value {
    let amount = purchase.amount_total;
    let (captured, refunded) = match state {
        ChargeState::Succeeded | ChargeState::Settled => (amount, 0),
        ChargeState::Refunded(refunded) => (amount, refunded),
        ChargeState::Captured(captured) => (captured, amount.saturating_sub(captured)),
        ChargeState::Expired => (0, amount),
        ChargeState::Pending | ChargeState::Failed => (0, 0),
    };
    let failed = state == ChargeState::Failed;
    let paid = captured > 0 || state == ChargeState::Expired;
    let object = json!({
        "id": purchase.id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": captured,
        "amount_refunded": refunded,
        "balance_transaction": is_settled(state).then(|| purchase.id("txn")),
        "billing_details": billing_details(),
        "calculated_statement_descriptor": "SHOP.EXAMPLE.COM",
        "captured": state != ChargeState::Expired && !failed,
        "created": purchase.created,
        "currency": purchase.currency,
        "disputed": false,
        "failure_code": failed.then_some("card_declined"),
        "failure_message": failed.then_some("Your card was declined."),
        "fraud_details": {},
        "livemode": purchase.livemode,
        "metadata": {},
        "outcome": outcome(method, failed),
        "paid": paid,
        "payment_intent": purchase.id("pi"),
        "payment_method": purchase.id("pm"),
        "payment_method_details": method.details(purchase, !failed),
        "radar_options": {},
        "receipt_url": paid.then(|| receipt_url(purchase)),
        "refunded": refunded > 0 && refunded >= amount,
        "status": status(state),
    });
    let object = with_nulls(object, &NULLS);
    if purchase.api_version.has_invoice() { with_nulls(object, &["invoice"]) } else { object }
}

fn receipt_url(purchase: &Purchase) -> String {
    format!("https://pay.stripe.com/receipts/payment/{}", purchase.reference)
}

const NULLS: [&str; 17] = [
    "application",
    "application_fee",
    "application_fee_amount",
    "customer",
    "description",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_email",
    "receipt_number",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

fn status(state: ChargeState) -> &'static str {
    match state {
        ChargeState::Pending => "pending",
        ChargeState::Failed => "failed",
        ChargeState::Succeeded
        | ChargeState::Settled
        | ChargeState::Refunded(_)
        | ChargeState::Captured(_)
        | ChargeState::Expired => "succeeded",
    }
}

/// Stripe books the money after it has announced the success (`capture_method: automatic_async`).
fn is_settled(state: ChargeState) -> bool {
    match state {
        ChargeState::Settled | ChargeState::Refunded(_) | ChargeState::Captured(_) => true,
        ChargeState::Pending | ChargeState::Succeeded | ChargeState::Failed | ChargeState::Expired => false,
    }
}

fn outcome(method: PaymentMethod, failed: bool) -> Value {
    let (network_status, reason, seller_message, kind) = if failed {
        let message = "The bank did not return any further details with this decline.";
        ("declined_by_network", Some("generic_decline"), message, "issuer_declined")
    } else {
        ("approved_by_network", None, "Payment complete.", "authorized")
    };
    let risk = match method {
        PaymentMethod::Card => ("normal", Some(12)),
        PaymentMethod::SepaDebit | PaymentMethod::BankTransfer => ("not_assessed", None),
    };
    json!({
        "advice_code": failed.then_some("try_again_later"),
        "network_advice_code": null,
        "network_decline_code": failed.then_some("01"),
        "network_status": network_status,
        "reason": reason,
        "risk_level": risk.0,
        "risk_score": risk.1,
        "seller_message": seller_message,
        "type": kind,
    })
}
