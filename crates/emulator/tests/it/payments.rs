//! Payments: by card, after a decline, through 3-D Secure, by SEPA debit, or not at all.

use stripe::write::ApiVersion;

use crate::life::check;

/// At the first or the second attempt.
#[test]
fn a_card_succeeds_or_is_declined() {
    const CASES: &[(&str, &str)] = &[
        (
            "4242424242424242: buy 2500 eur; advance 7d",
            "
             0s payment_intent.created requires_payment_method
             0s charge.succeeded succeeded 0 of 2500
             0s payment_intent.succeeded succeeded 2500
             0s checkout.session.completed complete paid 2500
             90s charge.updated succeeded 0 of 2500 was balance_transaction null
            ",
        ),
        (
            "4000000000000002: buy 2500 eur; pay 4242424242424242; pay 4242424242424242; advance 2d",
            "
             0s payment_intent.created requires_payment_method
             0s charge.failed failed 0 of 2500
             0s payment_intent.payment_failed requires_payment_method card_declined generic_decline
             0s charge.succeeded succeeded 0 of 2500
             0s payment_intent.succeeded succeeded 2500
             0s checkout.session.completed complete paid 2500
             90s charge.updated succeeded 0 of 2500 was balance_transaction null
             refused pay: not open
            ",
        ),
        (
            "4000000000009995: buy 2500 eur",
            "
             0s payment_intent.created requires_payment_method
             0s charge.failed failed 0 of 2500
             0s payment_intent.payment_failed requires_payment_method card_declined
             insufficient_funds
            ",
        ),
        ("4242424242424242: buy 0 eur", "0s checkout.session.completed complete no_payment_required 0"),
    ];
    check(ApiVersion::Endive, CASES);
}

/// The customer's bank asks for 3-D Secure.
#[test]
fn three_d_secure_is_completed_or_failed() {
    const CASES: &[(&str, &str)] = &[
        (
            "4000002500003155: buy 2500 eur; confirm; advance 2d",
            "
             0s payment_intent.created requires_payment_method
             0s payment_intent.requires_action requires_action
             0s charge.succeeded succeeded 0 of 2500
             0s payment_intent.succeeded succeeded 2500
             0s checkout.session.completed complete paid 2500
             90s charge.updated succeeded 0 of 2500 was balance_transaction null
            ",
        ),
        (
            "4000002500003155: buy 2500 eur; refuse; pay 4000000000000069; advance 2d",
            "
             0s payment_intent.created requires_payment_method
             0s payment_intent.requires_action requires_action
             0s payment_intent.payment_failed requires_payment_method
             payment_intent_authentication_failure
             0s charge.failed failed 0 of 2500
             0s payment_intent.payment_failed requires_payment_method expired_card
             1d checkout.session.expired expired unpaid 2500
             1d payment_intent.canceled canceled expired_card
            ",
        ),
        (
            "4000002500003155: buy 2500 eur; pay 4242424242424242; confirm",
            "
             0s payment_intent.created requires_payment_method
             0s payment_intent.requires_action requires_action
             0s charge.succeeded succeeded 0 of 2500
             0s payment_intent.succeeded succeeded 2500
             0s checkout.session.completed complete paid 2500
             refused confirm: not open
            ",
        ),
        (
            "4000008400001629: buy 2500 eur; confirm; advance 2d",
            "
             0s payment_intent.created requires_payment_method
             0s payment_intent.requires_action requires_action
             0s charge.failed failed 0 of 2500
             0s payment_intent.payment_failed requires_payment_method card_declined generic_decline
             1d checkout.session.expired expired unpaid 2500
             1d payment_intent.canceled canceled card_declined generic_decline
            ",
        ),
    ];
    check(ApiVersion::Endive, CASES);
}

/// A later payment or expiry is refused.
#[test]
fn a_session_expires_once() {
    const CASES: &[(&str, &str)] = &[
        (
            "4000002500003155: buy 2500 eur; advance 2d; confirm",
            "
             0s payment_intent.created requires_payment_method
             0s payment_intent.requires_action requires_action
             1d checkout.session.expired expired unpaid 2500
             1d payment_intent.canceled canceled
             refused confirm: not open
            ",
        ),
        (
            "4242424242424242: session 2500 eur; advance 2d; pay 4242424242424242",
            "
             1d checkout.session.expired expired unpaid 2500
             refused pay: not open
            ",
        ),
        (
            "4242424242424242: session 2500 eur; expire; expire",
            "0s checkout.session.expired expired unpaid 2500",
        ),
    ];
    check(ApiVersion::Endive, CASES);
}

/// Complete at once; the debit succeeds later, fails, or is disputed.
#[test]
fn a_debit_succeeds_or_fails_days_later() {
    const CASES: &[(&str, &str)] = &[
        (
            "AT611904300234573201: buy 2500 eur; refund; advance 7d; refund; advance 7d",
            "
             0s payment_intent.created requires_payment_method
             0s checkout.session.completed complete unpaid 2500
             0s payment_intent.processing processing
             0s charge.pending pending 0 of 2500
             4d charge.succeeded succeeded 0 of 2500
             4d payment_intent.succeeded succeeded 2500
             4d checkout.session.async_payment_succeeded complete paid 2500
             7d refund.created succeeded 2500
             7d charge.refunded succeeded refunded 2500 of 2500 was amount_refunded 0, refunded false
             refused refund: NotPaid
            ",
        ),
        (
            "AT321904300235473204: buy 2500 eur; advance 9d",
            "
             0s payment_intent.created requires_payment_method
             0s checkout.session.completed complete unpaid 2500
             0s payment_intent.processing processing
             0s charge.pending pending 0 of 2500
             6d charge.succeeded succeeded 0 of 2500
             6d payment_intent.succeeded succeeded 2500
             6d checkout.session.async_payment_succeeded complete paid 2500
            ",
        ),
        (
            "AT861904300235473202: buy 2500 eur; advance 9d",
            "
             0s payment_intent.created requires_payment_method
             0s checkout.session.completed complete unpaid 2500
             0s payment_intent.processing processing
             0s charge.pending pending 0 of 2500
             4d charge.failed failed 0 of 2500
             4d payment_intent.payment_failed requires_payment_method
              generic_decline
             4d checkout.session.async_payment_failed complete unpaid 2500
            ",
        ),
        (
            "AT591904300235473203: buy 2500 eur; advance 30d",
            "
             0s payment_intent.created requires_payment_method
             0s checkout.session.completed complete unpaid 2500
             0s payment_intent.processing processing
             0s charge.pending pending 0 of 2500
             4d charge.succeeded succeeded 0 of 2500
             4d payment_intent.succeeded succeeded 2500
             4d checkout.session.async_payment_succeeded complete paid 2500
             6d charge.dispute.created needs_response 2500 [-2500]
             6d charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             15d charge.dispute.closed lost 2500 [-2500] was status needs_response
            ",
        ),
    ];
    check(ApiVersion::Endive, CASES);
}
