//! Disputes with evidence, closed and expired; inquiries; early fraud warnings. Disputes of SEPA debits
//! are tested in `payments`.

use stripe::write::ApiVersion;

use crate::life::check_after_purchase;

#[test]
fn a_dispute_is_won_lost_closed_or_expires() {
    const CASES: &[(&str, &str)] = &[
        (
            "4000000000000259: buy 2500 eur; advance 1h; refund; submit winning_evidence; refund 500; advance 30d",
            "
             2s charge.dispute.created needs_response 2500 [-2500]
             2s charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             1h charge.dispute.updated under_review 2500 [-2500]
               was uncategorized_text null, has_evidence false, submission_count 0, status
               needs_response
             1h charge.dispute.closed won 2500 [-2500] was status under_review
             1h charge.dispute.funds_reinstated won 2500 [-2500 +2500]
             1h refund.created succeeded 500
             1h charge.refunded succeeded 500 of 2500 was amount_refunded 0
             4h refund.updated succeeded 500 was reference null, reference_status pending
             refused refund: Disputed
            ",
        ),
        (
            "4000000000002685: buy 2500 eur; advance 1h; draft hello; submit losing_evidence; close; advance 30d",
            "
             2s charge.dispute.created needs_response 2500 [-2500]
             2s charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             1h charge.dispute.updated needs_response 2500 [-2500]
               was uncategorized_text null, has_evidence false
             1h charge.dispute.updated under_review 2500 [-2500]
               was uncategorized_text hello, submission_count 0, status needs_response
             1h charge.dispute.closed lost 2500 [-2500] was status under_review
             refused close: closed
            ",
        ),
        (
            "4000000000002685: buy 2500 eur; advance 1h; close; refund; advance 30d",
            "
             2s charge.dispute.created needs_response 2500 [-2500]
             2s charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             1h charge.dispute.closed lost 2500 [-2500] was status needs_response
             refused refund: Disputed
            ",
        ),
        (
            "4000000000000259: buy 2500 eur; advance 30d",
            "
             2s charge.dispute.created needs_response 2500 [-2500]
             2s charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             9d+2s charge.dispute.closed lost 2500 [-2500] was status needs_response
            ",
        ),
        (
            "4000000000000259: buy 2500 eur; advance 1h; submit whatever; advance 70d",
            "
             60d+1h charge.dispute.closed lost 2500 [-2500] was status under_review
            ",
        ),
    ];
    check_after_purchase(ApiVersion::Endive, CASES);
}

#[test]
fn an_inquiry_moves_money_only_after_escalation() {
    const CASES: &[(&str, &str)] = &[
        (
            "4000000000001976: buy 2500 eur; advance 1h; refund 500; submit winning_evidence; advance 30d",
            "
             2s charge.dispute.created warning_needs_response 2500 []
             1h refund.created succeeded 500
             1h charge.refunded succeeded 500 of 2500 was amount_refunded 0
             1h charge.dispute.updated warning_under_review 2500 []
               was uncategorized_text null, has_evidence false, submission_count 0, status
               warning_needs_response
             1h charge.dispute.closed warning_closed 2500 [] was status warning_under_review
             4h refund.updated succeeded 500 was reference null, reference_status pending
            ",
        ),
        (
            "4000000000001976: buy 2500 eur; advance 30d",
            "
             2s charge.dispute.created warning_needs_response 2500 []
             9d+2s charge.dispute.closed warning_closed 2500 [] was status warning_needs_response
            ",
        ),
        (
            "4000000000001976: buy 2500 eur; advance 1h; submit escalate_inquiry_evidence; refund; submit winning_evidence; advance 30d",
            "
             2s charge.dispute.created warning_needs_response 2500 []
             1h charge.dispute.updated warning_under_review 2500 []
               was uncategorized_text null, has_evidence false, submission_count 0, status
               warning_needs_response
             1h charge.dispute.updated needs_response 2500 [-2500]
               was balance_transactions [], due_by 9d+2s, is_charge_refundable true, case_type
               inquiry, status warning_under_review
             1h charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             1h charge.dispute.updated under_review 2500 [-2500]
               was uncategorized_text escalate_inquiry_evidence, submission_count 1, status
               needs_response
             1h charge.dispute.closed won 2500 [-2500] was status under_review
             1h charge.dispute.funds_reinstated won 2500 [-2500 +2500]
             refused refund: Disputed
            ",
        ),
    ];
    check_after_purchase(ApiVersion::Endive, CASES);
}

#[test]
fn disputes_combine_with_refunds_and_each_other() {
    const CASES: &[(&str, &str)] = &[
        (
            "4000000000007726: buy 2500 eur; advance 1h; refund 1000; dispute; refund 1; advance 70d",
            "
             1h refund.created pending 1000
             1h charge.dispute.created needs_response 2500 [-2500]
             1h charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             1h refund.failed failed 1000
               was failure_balance_transaction null, failure_reason null, pending_reason
               processing, status pending
             9d+1h charge.dispute.closed lost 2500 [-2500] was status needs_response
             refused refund: Disputed
            ",
        ),
        (
            "4242424242424242: buy 2500 eur; advance 1h; refund 1000; dispute; submit winning_evidence",
            "
             1h refund.created succeeded 1000
             1h charge.refunded succeeded 1000 of 2500 was amount_refunded 0
             1h charge.dispute.created needs_response 1500 [-1500]
             1h charge.dispute.funds_withdrawn needs_response 1500 [-1500]
             1h charge.dispute.updated under_review 1500 [-1500]
               was uncategorized_text null, has_evidence false, submission_count 0, status
               needs_response
             1h charge.dispute.closed won 1500 [-1500] was status under_review
             1h charge.dispute.funds_reinstated won 1500 [-1500 +1500]
            ",
        ),
        (
            "4000000404000079: buy 2500 eur; advance 30d",
            "
             2s charge.dispute.created needs_response 2500 [-2500]
             2s charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             4s charge.dispute.created needs_response 2500 [-2500]
             4s charge.dispute.funds_withdrawn needs_response 2500 [-2500]
             9d+2s charge.dispute.closed lost 2500 [-2500] was status needs_response
             9d+4s charge.dispute.closed lost 2500 [-2500] was status needs_response
            ",
        ),
        (
            "4000000000005423: buy 2500 eur; advance 30d",
            "2s radar.early_fraud_warning.created actionable true",
        ),
    ];
    check_after_purchase(ApiVersion::Endive, CASES);
}
