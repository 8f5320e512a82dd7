//! The tables compared with Stripe's page of test numbers, and the errors for every other number.

use super::*;

#[test]
fn each_number_does_what_stripe_documents() {
    let documented: &[(&str, Effect)] = &[
        ("4242 4242 4242 4242", Effect::Succeeds),
        ("5555-5555-5555-4444", Effect::Succeeds),
        ("\u{a0}3782 822463 10005 ", Effect::Succeeds),
        ("4000000000000002", Effect::Declined(DECLINED)),
        ("4000002500003155", Effect::ChallengeThenSucceeds),
        ("4000002760003184", Effect::ChallengeThenSucceeds),
        ("4000008400001629", Effect::ChallengeThenDeclined),
        ("4000000000007726", Effect::RefundPendingThenSucceeds),
        ("4000000000005126", Effect::RefundSucceedsThenFails),
        ("4000000000000259", Effect::Disputed { reason: "fraudulent" }),
        ("4000000000002685", Effect::Disputed { reason: "product_not_received" }),
        ("4000000000001976", Effect::Inquiry),
        ("4000000000005423", Effect::EarlyFraudWarning),
        ("4000000404000079", Effect::SeveralDisputes),
    ];
    for (number, effect) in documented {
        assert_eq!(accept_card(number).map(|card| card.effect), Ok(*effect), "{number}");
    }
}

#[test]
fn a_decline_has_stripes_codes() {
    let documented = [
        ("4000000000000002", "card_declined", Some("generic_decline")),
        ("4000000000009995", "card_declined", Some("insufficient_funds")),
        ("4000000000009987", "card_declined", Some("lost_card")),
        ("4000000000009979", "card_declined", Some("stolen_card")),
        ("4000000000000069", "expired_card", None),
        ("4000000000000127", "incorrect_cvc", None),
        ("4000000000000119", "processing_error", None),
    ];
    for (number, code, decline_code) in documented {
        match card(number).map(|card| card.effect) {
            Some(Effect::Declined(why)) => assert_eq!((why.code, why.decline_code), (code, decline_code)),
            other => panic!("{number}: {other:?}"),
        }
    }
}

#[test]
fn each_iban_does_what_stripe_documents() {
    let documented = [
        ("AT61 1904 3002 3457 3201", DebitEffect::Succeeds),
        ("at321904300235473204", DebitEffect::SucceedsLater),
        ("AT861904300235473202", DebitEffect::Fails),
        ("AT591904300235473203", DebitEffect::Disputed),
    ];
    for (iban, effect) in documented {
        assert_eq!(accept_debit(iban).map(|debit| debit.effect), Ok(effect), "{iban}");
    }
}

#[test]
fn other_numbers_are_refused_in_stripes_words() {
    let cards = [
        ("4111111111111111", NOT_A_TEST_CARD),
        ("4242424242424241", INCORRECT_NUMBER),
        ("4000004040000079", INCORRECT_NUMBER),
        ("", INCORRECT_NUMBER),
        ("0", INCORRECT_NUMBER),
        ("4242 4242 4242 424x", INCORRECT_NUMBER),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", INCORRECT_NUMBER),
        ("42424242424242424242424242424242", INCORRECT_NUMBER),
    ];
    for (number, refusal) in cards {
        assert_eq!(accept_card(number), Err(refusal), "{number}");
    }
    let ibans = [
        ("GB29NWBK60161331926819", NOT_A_TEST_IBAN),
        ("AT611904300234573202", INVALID_IBAN),
        ("", INVALID_IBAN),
        ("AT61", INVALID_IBAN),
        ("Žž611904300234573201", INVALID_IBAN),
    ];
    for (iban, refusal) in ibans {
        assert_eq!(accept_debit(iban), Err(refusal), "{iban}");
    }
}

#[test]
fn the_tables_are_consistent() {
    for card in CARDS {
        assert!(is_card_number(card.number), "{}", card.number);
        assert_eq!(CARDS.iter().filter(|other| other.number == card.number).count(), 1, "{}", card.number);
        assert!(card.number.ends_with(card.last4()) && card.last4().len() == 4);
    }
    for debit in DEBITS {
        assert!(is_iban(debit.iban), "{}", debit.iban);
        assert_eq!(DEBITS.iter().filter(|other| other.iban == debit.iban).count(), 1, "{}", debit.iban);
        assert!(debit.last4().len() == 4 && debit.country().len() == 2 && debit.bank_code().len() == 5);
    }
}
