//! What a customer typed into the payment form, checked as Stripe's page checks it before the payment is
//! attempted. A mistake here emits no event.
//!
//! Not here: the checks that the control API shares (`act::control`).

use crate::act::control::{Payer, PaymentNumber};
use crate::cards;
use serde::Deserialize;
use stripe::write::MethodType;

/// The fields of the form, all of them optional: the button decides which of them count.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PaymentForm {
    method: String,
    number: String,
    exp: String,
    cvc: String,
    iban: String,
    name: String,
    email: String,
    /// The card of a test number's button.
    card: Option<String>,
    /// The IBAN of a test number's button.
    debit: Option<String>,
    /// The outcome of 3-D Secure: `complete` or `fail`.
    pub(super) challenge: Option<String>,
}

impl PaymentForm {
    /// What the customer typed to pay with, at this virtual moment (Unix seconds).
    ///
    /// # Errors
    /// What the customer forgot or mistyped, in words for the customer.
    pub(super) fn number(&self, now: i64) -> Result<PaymentNumber, String> {
        if self.is_debit() {
            let iban = self.debit.as_deref().unwrap_or(&self.iban);
            if iban.trim().is_empty() {
                return Err("Your IBAN is incomplete.".to_owned());
            }
            return Ok(PaymentNumber::Iban(iban.to_owned()));
        }
        let number = self.card.as_deref().unwrap_or(&self.number);
        if number.trim().is_empty() {
            return Err("Your card number is incomplete.".to_owned());
        }
        // A wrong number is refused before the other fields are looked at.
        if let (None, Some(card)) = (&self.card, cards::card(number)) {
            expiry(&self.exp, now)?;
            security_code(&self.cvc, card.brand)?;
        }
        Ok(PaymentNumber::Card(number.to_owned()))
    }

    /// Whether the customer pays by SEPA debit.
    pub(super) fn is_debit(&self) -> bool {
        self.debit.is_some() || (self.card.is_none() && self.method == MethodType::SepaDebit.name())
    }

    pub(super) fn email(&self) -> Option<&str> {
        text(&self.email)
    }

    pub(super) fn name(&self) -> Option<&str> {
        text(&self.name)
    }

    /// Who pays. The page asks for no country.
    pub(super) fn payer(&self) -> Payer {
        let (name, email) = (self.name().map(str::to_owned), self.email().map(str::to_owned));
        Payer { name, email, ..Payer::default() }
    }
}

fn text(field: &str) -> Option<&str> {
    Some(field.trim()).filter(|field| !field.is_empty())
}

/// `MM / YY` or `MM/YYYY`, with or without spaces; valid until the end of the month.
fn expiry(typed: &str, now: i64) -> Result<(), String> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '/' && *c != '-').collect();
    let parts = match digits.len() {
        4 | 6 if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.split_at(2),
        _ => return Err("Your card's expiration date is incomplete.".to_owned()),
    };
    let (Ok(month), Ok(year)) = (parts.0.parse::<i8>(), parts.1.parse::<i16>()) else {
        return Err("Your card's expiration date is incomplete.".to_owned());
    };
    let year = if year < 100 { year + 2_000 } else { year };
    if !(1..=12).contains(&month) {
        return Err("Your card's expiration date is invalid.".to_owned());
    }
    // A clock beyond the calendar counts as 1970.
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_second(now).unwrap_or_default());
    if (year, month) < (today.year(), today.month()) {
        return Err("Your card's expiration date is in the past.".to_owned());
    }
    if year > today.year() + 50 {
        return Err("Your card's expiration year is invalid.".to_owned());
    }
    Ok(())
}

fn security_code(typed: &str, brand: &str) -> Result<(), String> {
    let typed = typed.trim();
    let enough = typed.len() == 3 || (typed.len() == 4 && brand == "amex");
    if enough && typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err("Your card's security code is incomplete.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 November 2026.
    const NOW: i64 = 1_795_486_504;

    fn error(form: &PaymentForm) -> String {
        let number = form
            .number(NOW)
            .and_then(|number| number.instrument().map_err(|refusal| refusal.message.to_owned()));
        number.err().unwrap_or_else(|| "accepted".to_owned())
    }

    fn card(number: &str, exp: &str, cvc: &str) -> PaymentForm {
        let [number, exp, cvc] = [number, exp, cvc].map(str::to_owned);
        PaymentForm { number, exp, cvc, method: "card".to_owned(), ..PaymentForm::default() }
    }

    #[test]
    fn mistakes_have_the_messages_of_stripes_page() {
        let visa = "4242 4242 4242 4242";
        for (number, exp, cvc, told) in [
            (visa, "12 / 34", "123", "accepted"),
            (visa, "11/2026", "123", "accepted"),
            (visa, "1126", "123", "accepted"),
            (visa, "10/26", "123", "Your card's expiration date is in the past."),
            (visa, "13/30", "123", "Your card's expiration date is invalid."),
            (visa, "00/30", "123", "Your card's expiration date is invalid."),
            (visa, "12/99", "123", "Your card's expiration year is invalid."),
            (visa, "", "123", "Your card's expiration date is incomplete."),
            (visa, "1/é3", "123", "Your card's expiration date is incomplete."),
            (visa, "12/34", "", "Your card's security code is incomplete."),
            (visa, "12/34", "1234", "Your card's security code is incomplete."),
            ("378282246310005", "12/34", "1234", "accepted"),
            ("", "12/34", "123", "Your card number is incomplete."),
            ("4242424242424241", "12/34", "123", "Your card number is incorrect."),
        ] {
            assert_eq!(error(&card(number, exp, cvc)), told, "{number} {exp} {cvc}");
        }
    }

    #[test]
    fn the_button_of_a_test_number_needs_no_other_field() {
        let press = |card: Option<&str>, debit: Option<&str>| PaymentForm {
            card: card.map(str::to_owned),
            debit: debit.map(str::to_owned),
            ..card_typed()
        };
        let number = |form: PaymentForm| form.number(NOW);
        let (card, iban) = ("4000000000000259".to_owned(), "AT611904300234573201".to_owned());
        assert_eq!(number(press(Some(&card), None)), Ok(PaymentNumber::Card(card)));
        assert_eq!(number(press(None, Some(&iban))), Ok(PaymentNumber::Iban(iban)));
    }

    fn card_typed() -> PaymentForm {
        card("nonsense", "", "")
    }
}
