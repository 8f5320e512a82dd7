//! Stripe's published test cards and test IBANs, and what each of them does (docs.stripe.com/testing,
//! docs.stripe.com/payments/sepa-debit/accept-a-payment). Every other number is refused in Stripe's words.
//!
//! Not here: the effects themselves (`act`).

mod table;

pub use table::{CARDS, DEBITS};

/// One of Stripe's test cards.
#[derive(Debug, PartialEq, Eq)]
pub struct Card {
    /// Digits only.
    pub number: &'static str,
    /// As in `payment_method_details.card.brand`: `visa`, `mastercard`, `amex` …
    pub brand: &'static str,
    /// Two letters, ISO 3166: the country of the bank that issued the card.
    pub country: &'static str,
    /// `credit`, `debit` or `prepaid`.
    pub funding: &'static str,
    /// What paying with it does.
    pub effect: Effect,
    /// The effect in two or three words, for the payment page.
    pub summary: &'static str,
}

/// The effect of a payment with a test card, at once or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Paid.
    Succeeds,
    /// The attempt fails, and the session stays open for another.
    Declined(PaymentRefusal),
    /// The customer must pass 3-D Secure; then paid.
    ChallengeThenSucceeds,
    /// The customer must pass 3-D Secure; then declined with [`DECLINED`].
    ChallengeThenDeclined,
    /// Paid; a refund is `pending` first and succeeds later.
    RefundPendingThenSucceeds,
    /// Paid; a refund succeeds first and fails later (`expired_or_canceled_card`).
    RefundSucceedsThenFails,
    /// Paid, then disputed.
    Disputed {
        /// The dispute's `reason`.
        reason: &'static str,
    },
    /// Paid, then disputed as an inquiry, which moves no money.
    Inquiry,
    /// Paid, then the card network warns of fraud.
    EarlyFraudWarning,
    /// Paid, then disputed more than once.
    SeveralDisputes,
}

/// Why a payment was refused, with Stripe's codes and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentRefusal {
    /// The error's `code`.
    pub code: &'static str,
    /// The error's `decline_code`; only declines by a bank have one.
    pub decline_code: Option<&'static str>,
    /// For the customer.
    pub message: &'static str,
}

/// The bank declined without a reason.
pub const DECLINED: PaymentRefusal = PaymentRefusal {
    code: "card_declined",
    decline_code: Some("generic_decline"),
    message: "Your card was declined.",
};

/// The customer did not pass 3-D Secure.
pub const AUTHENTICATION_FAILED: PaymentRefusal = PaymentRefusal {
    code: "payment_intent_authentication_failure",
    decline_code: None,
    message: "We are unable to authenticate your payment method. Please choose a different payment method \
              and try again.",
};

/// The number has a wrong check digit, or is not a card number.
const INCORRECT_NUMBER: PaymentRefusal = PaymentRefusal {
    code: "incorrect_number",
    decline_code: None,
    message: "Your card number is incorrect.",
};

/// The number may belong to a real card.
const NOT_A_TEST_CARD: PaymentRefusal = PaymentRefusal {
    code: "card_declined",
    decline_code: Some("test_mode_live_card"),
    message: "Your card was declined. Your request was in test mode, but used a non test card. For a list of \
              valid test cards, visit: https://stripe.com/docs/testing.",
};

/// The IBAN has wrong check digits, or is not an IBAN.
const INVALID_IBAN: PaymentRefusal =
    PaymentRefusal { code: "invalid_iban", decline_code: None, message: "Your IBAN is invalid." };

/// The IBAN may belong to a real account.
const NOT_A_TEST_IBAN: PaymentRefusal = PaymentRefusal {
    code: "account_number_invalid",
    decline_code: None,
    message: "You must use a test bank account number in test mode. Try AT611904300234573201 or see more \
              options at https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration.",
};

impl Card {
    /// The last four digits.
    pub fn last4(&self) -> &'static str {
        last_four(self.number)
    }
}

/// One of Stripe's test accounts for SEPA direct debit.
#[derive(Debug, PartialEq, Eq)]
pub struct Debit {
    /// The IBAN, without blanks.
    pub iban: &'static str,
    /// The effect of a debit.
    pub effect: DebitEffect,
    /// The effect in two or three words, for the payment page.
    pub summary: &'static str,
}

/// The effect of a SEPA debit. Every debit is `processing` first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebitEffect {
    /// The debit succeeds.
    Succeeds,
    /// The debit succeeds, after more days.
    SucceedsLater,
    /// The debit fails.
    Fails,
    /// The debit succeeds, and the customer disputes it at once.
    Disputed,
}

impl Debit {
    /// The last four characters.
    pub fn last4(&self) -> &'static str {
        last_four(self.iban)
    }

    /// Two letters, ISO 3166: the country of the bank.
    pub fn country(&self) -> &'static str {
        self.iban.get(..2).unwrap_or_default()
    }

    /// The bank code: up to five characters after the check digits.
    pub fn bank_code(&self) -> &'static str {
        self.iban.get(4..9).unwrap_or_default()
    }
}

/// The test card with this number. Spaces and hyphens are ignored.
pub fn card(number: &str) -> Option<&'static Card> {
    let number = bare(number);
    CARDS.iter().find(|card| card.number == number)
}

/// The test card with this number.
///
/// # Errors
/// Stripe's errors in test mode: the number is incorrect, or is not a test card.
pub fn accept_card(number: &str) -> Result<&'static Card, PaymentRefusal> {
    let refusal = if is_card_number(&bare(number)) { NOT_A_TEST_CARD } else { INCORRECT_NUMBER };
    card(number).ok_or(refusal)
}

/// The test account with this IBAN. Spaces, hyphens and case are ignored.
pub fn debit(iban: &str) -> Option<&'static Debit> {
    let iban = bare(iban);
    DEBITS.iter().find(|debit| debit.iban == iban)
}

/// The test account with this IBAN.
///
/// # Errors
/// The IBAN is invalid, or is not a test account.
pub fn accept_debit(iban: &str) -> Result<&'static Debit, PaymentRefusal> {
    let refusal = if is_iban(&bare(iban)) { NOT_A_TEST_IBAN } else { INVALID_IBAN };
    debit(iban).ok_or(refusal)
}

fn bare(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect()
}

fn last_four(number: &'static str) -> &'static str {
    number.len().checked_sub(4).and_then(|start| number.get(start..)).unwrap_or(number)
}

/// Whether this is 12 to 19 digits with a correct check digit (Luhn, ISO/IEC 7812).
fn is_card_number(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| (12..=19).contains(&digits.len())) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether this is 15 to 34 letters and digits that begin with a letter, with correct check digits (ISO
/// 13616).
fn is_iban(iban: &str) -> bool {
    if !(15..=34).contains(&iban.len()) || !iban.is_ascii() || !iban.starts_with(|c: char| c.is_alphabetic())
    {
        return false;
    }
    let (head, account) = iban.split_at(4);
    let rest = account.chars().chain(head.chars()).try_fold(0, |rest: u32, c| {
        let value = c.to_digit(36)?;
        let shifted = if value < 10 { rest * 10 } else { rest * 100 };
        Some((shifted + value) % 97)
    });
    rest == Some(1)
}

#[cfg(test)]
mod tests;
