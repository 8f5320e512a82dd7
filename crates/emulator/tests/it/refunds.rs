//! Refunds: full, partial, pending, failing, canceled, too large.

use stripe::write::ApiVersion;

use crate::life::check_after_purchase;

/// Pending refunds reduce the amount that can be refunded.
#[test]
fn a_refund_succeeds_or_is_refused() {
    const CASES: &[(&str, &str)] = &[
        (
            "4242424242424242: buy 2500 eur; advance 1h; refund 1000; refund 1000; refund 501; refund; refund; advance 7d",
            "
             1h refund.created succeeded 1000
             1h charge.refunded succeeded 1000 of 2500 was amount_refunded 0
             1h refund.created succeeded 1000
             1h charge.refunded succeeded 2000 of 2500 was amount_refunded 1000
             1h refund.created succeeded 500
             1h charge.refunded succeeded refunded 2500 of 2500
               was amount_refunded 2000, refunded false
             4h refund.updated succeeded 1000 was reference null, reference_status pending
             4h refund.updated succeeded 1000 was reference null, reference_status pending
             4h refund.updated succeeded 500 was reference null, reference_status pending
             refused refund: TooMuch { left: 500 }
             refused refund: AlreadyRefunded
            ",
        ),
        (
            "4000000000007726: buy 2500 eur; advance 1h; refund 1000; refund 1501; advance 7d",
            "
             1h refund.created pending 1000
             1h+60s refund.updated succeeded 1000 was pending_reason processing, status pending
             1h+60s charge.refunded succeeded 1000 of 2500 was amount_refunded 0
             4h+60s refund.updated succeeded 1000 was reference null, reference_status pending
             refused refund: TooMuch { left: 1500 }
            ",
        ),
        (
            "4000000000007726: buy 2500 eur; advance 1h; refund; cancel; cancel; advance 7d; refund",
            "
             1h refund.created pending 2500
             1h refund.updated canceled 2500 was pending_reason processing, status pending
             7d+1h refund.created pending 2500
             refused cancel: not pending
            ",
        ),
        (
            "4000000000005126: buy 2500 eur; refund 1000; advance 30d",
            "
             0s refund.created succeeded 1000
             0s charge.refunded succeeded 1000 of 2500 was amount_refunded 0
             7d refund.failed failed 1000
               was failure_balance_transaction null, failure_reason null, status succeeded
            ",
        ),
    ];
    check_after_purchase(ApiVersion::Endive, CASES);
}

/// `charge.refunded` reports the refund, and `charge.refund.updated` its progress.
#[test]
fn before_acacia_a_refund_has_no_events_of_its_own() {
    const CASES: &[(&str, &str)] = &[
        (
            "4000000000007726: buy 2500 eur; advance 1h; refund; advance 7d",
            "
             1h+60s charge.refund.updated succeeded 2500
               was pending_reason processing, status pending
             1h+60s charge.refunded succeeded refunded 2500 of 2500
               was amount_refunded 0, refunded false
             4h+60s charge.refund.updated succeeded 2500 was reference null, reference_status pending
            ",
        ),
        (
            "4000000000005126: buy 2500 eur; advance 1h; refund; advance 8d",
            "
             1h charge.refunded succeeded refunded 2500 of 2500 was amount_refunded 0, refunded false
             7d+1h charge.refund.updated failed 2500
               was failure_balance_transaction null, failure_reason null, status succeeded
            ",
        ),
    ];
    check_after_purchase(ApiVersion::V2022_11_15, CASES);
}

/// These events replace `charge.refund.updated`.
#[test]
fn since_acacia_a_refund_has_events() {
    const CASES: &[(&str, &str)] = &[
        (
            "4242424242424242: buy 2500 eur; advance 1h; refund 1000; refund 1000; refund 501; refund; refund; advance 7d",
            "
             1h refund.created succeeded 1000
             1h charge.refunded succeeded 1000 of 2500 was amount_refunded 0
             1h refund.created succeeded 1000
             1h charge.refunded succeeded 2000 of 2500 was amount_refunded 1000
             1h refund.created succeeded 500
             1h charge.refunded succeeded refunded 2500 of 2500
               was amount_refunded 2000, refunded false
             4h refund.updated succeeded 1000 was reference null, reference_status pending
             4h refund.updated succeeded 1000 was reference null, reference_status pending
             4h refund.updated succeeded 500 was reference null, reference_status pending
             refused refund: TooMuch { left: 500 }
             refused refund: AlreadyRefunded
            ",
        ),
        (
            "4000000000005126: buy 2500 eur; refund 1000; advance 30d",
            "
             0s refund.created succeeded 1000
             0s charge.refunded succeeded 1000 of 2500 was amount_refunded 0
             7d refund.failed failed 1000
               was failure_balance_transaction null, failure_reason null, status succeeded
            ",
        ),
    ];
    check_after_purchase(ApiVersion::Basil, CASES);
}
