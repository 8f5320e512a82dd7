//! The test numbers, in the order in which the payment page lists them: those with different effects, and the
//! best-known ones of each brand.
//!
//! Not here: numbers whose effect the emulator does not model (address checks, Radar, PIN, saved cards).

use super::{Card, DECLINED, Debit, DebitEffect, Effect, PaymentRefusal};

const fn visa(number: &'static str, effect: Effect, summary: &'static str) -> Card {
    Card { number, brand: "visa", country: "US", funding: "credit", effect, summary }
}

const fn paid(
    number: &'static str,
    brand: &'static str,
    country: &'static str,
    funding: &'static str,
) -> Card {
    Card { number, brand, country, funding, effect: Effect::Succeeds, summary: "Succeeds" }
}

const fn declined(number: &'static str, why: PaymentRefusal, summary: &'static str) -> Card {
    visa(number, Effect::Declined(why), summary)
}

const fn by_bank(decline_code: &'static str, message: &'static str) -> PaymentRefusal {
    PaymentRefusal { code: "card_declined", decline_code: Some(decline_code), message }
}

const fn because(code: &'static str, message: &'static str) -> PaymentRefusal {
    PaymentRefusal { code, decline_code: None, message }
}

/// The accepted card numbers.
pub static CARDS: &[Card] = &[
    visa("4242424242424242", Effect::Succeeds, "Succeeds"),
    declined("4000000000000002", DECLINED, "No reason given"),
    declined(
        "4000000000009995",
        by_bank("insufficient_funds", "Your card has insufficient funds."),
        "Insufficient funds",
    ),
    declined("4000000000009987", by_bank("lost_card", DECLINED.message), "Lost card"),
    declined("4000000000009979", by_bank("stolen_card", DECLINED.message), "Stolen card"),
    declined("4000000000000069", because("expired_card", "Your card has expired."), "Expired card"),
    declined(
        "4000000000000127",
        because("incorrect_cvc", "Your card's security code is incorrect."),
        "Incorrect CVC",
    ),
    declined(
        "4000000000000119",
        because(
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        "Processing error",
    ),
    visa("4000002500003155", Effect::ChallengeThenSucceeds, "Then succeeds"),
    visa("4000002760003184", Effect::ChallengeThenSucceeds, "Then succeeds"),
    visa("4000008400001629", Effect::ChallengeThenDeclined, "Then declined"),
    visa("4000000000007726", Effect::RefundPendingThenSucceeds, "Pending, then done"),
    visa("4000000000005126", Effect::RefundSucceedsThenFails, "Succeeds, then fails"),
    visa("4000000000000259", Effect::Disputed { reason: "fraudulent" }, "Fraudulent"),
    visa("4000000000002685", Effect::Disputed { reason: "product_not_received" }, "Product not received"),
    visa("4000000000001976", Effect::Inquiry, "Inquiry"),
    visa("4000000000005423", Effect::EarlyFraudWarning, "Early fraud warning"),
    visa("4000000404000079", Effect::SeveralDisputes, "Several disputes"),
    paid("4000056655665556", "visa", "US", "debit"),
    paid("5555555555554444", "mastercard", "US", "credit"),
    paid("2223003122003222", "mastercard", "US", "credit"),
    paid("5200828282828210", "mastercard", "US", "debit"),
    paid("5105105105105100", "mastercard", "US", "prepaid"),
    paid("378282246310005", "amex", "US", "credit"),
    paid("6011111111111117", "discover", "US", "credit"),
    paid("3056930009020004", "diners", "US", "credit"),
    paid("3566002020360505", "jcb", "JP", "credit"),
    paid("6200000000000005", "unionpay", "CN", "credit"),
    paid("4000000400000008", "visa", "AT", "credit"),
    paid("4000002760000016", "visa", "DE", "credit"),
    paid("4000002500000003", "visa", "FR", "credit"),
    paid("4000008260000000", "visa", "GB", "credit"),
];

const fn account(iban: &'static str, effect: DebitEffect, summary: &'static str) -> Debit {
    Debit { iban, effect, summary }
}

/// The accepted IBANs.
pub static DEBITS: &[Debit] = &[
    account("AT611904300234573201", DebitEffect::Succeeds, "Succeeds"),
    account("AT321904300235473204", DebitEffect::SucceedsLater, "Succeeds later"),
    account("AT861904300235473202", DebitEffect::Fails, "Fails later"),
    account("AT591904300235473203", DebitEffect::Disputed, "Then disputed"),
    account("DE89370400440532013000", DebitEffect::Succeeds, "Succeeds"),
    account("DE08370400440532013003", DebitEffect::SucceedsLater, "Succeeds later"),
    account("DE62370400440532013001", DebitEffect::Fails, "Fails later"),
    account("DE35370400440532013002", DebitEffect::Disputed, "Then disputed"),
];
