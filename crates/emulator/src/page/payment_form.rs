//! What a customer typed into the payment form, checked as Stripe's page checks it before it asks any bank: a
//! mistake here makes no event.
//!
//! Not here: what the bank says.

use crate::act::payment::Instrument;
use crate::cards;
use serde::Deserialize;
use stripe::write::{BillingDetails, MethodType};

/// The most characters of a name or an address that are kept.
const MAX_CHARACTERS: usize = 500;

/// The fields of the form, all of them optional: which of them count depends on the button.
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
    /// A test card, at the press of a button.
    card: Option<String>,
    /// A test IBAN, at the press of a button.
    debit: Option<String>,
    /// `complete` or `fail`: the answer to the bank.
    pub(super) challenge: Option<String>,
}

impl PaymentForm {
    /// With what the customer wants to pay, at this virtual moment (Unix seconds).
    ///
    /// # Errors
    /// What the customer reads.
    pub(super) fn instrument(&self, now: i64, accepted: &[MethodType]) -> Result<Instrument, String> {
        let wanted = if self.is_debit() { MethodType::SepaDebit } else { MethodType::Card };
        if !accepted.contains(&wanted) {
            return Err("This checkout does not take that payment method.".to_owned());
        }
        if self.is_debit() {
            let iban = self.debit.as_deref().unwrap_or(&self.iban);
            if iban.trim().is_empty() {
                return Err("Your IBAN is incomplete.".to_owned());
            }
            return cards::accept_debit(iban).map(Instrument::Debit).map_err(|why| why.message.to_owned());
        }
        let number = self.card.as_deref().unwrap_or(&self.number);
        if number.trim().is_empty() {
            return Err("Your card number is incomplete.".to_owned());
        }
        let card = cards::accept_card(number).map_err(|why| why.message.to_owned())?;
        if self.card.is_none() {
            expiry(&self.exp, now)?;
            security_code(&self.cvc, card.brand)?;
        }
        Ok(Instrument::Card(card))
    }

    /// Whether it is the bank account that counts.
    pub(super) fn is_debit(&self) -> bool {
        self.debit.is_some() || (self.card.is_none() && self.method == MethodType::SepaDebit.name())
    }

    pub(super) fn email(&self) -> Option<&str> {
        text(&self.email)
    }

    pub(super) fn name(&self) -> Option<&str> {
        text(&self.name)
    }

    /// Who pays. The page does not ask for a country; the bank's stands for it.
    pub(super) fn payer(&self, email: Option<&str>, instrument: Option<Instrument>) -> BillingDetails {
        let cut = |text: &str| text.chars().take(MAX_CHARACTERS).collect();
        let country = instrument.map(|instrument| match instrument {
            Instrument::Card(card) => card.country,
            Instrument::Debit(debit) => debit.country(),
        });
        BillingDetails {
            name: self.name().map(cut),
            email: email.or(self.email()).map(cut),
            country: country.map(str::to_owned),
            postal_code: None,
        }
    }
}

fn text(field: &str) -> Option<&str> {
    Some(field.trim()).filter(|field| !field.is_empty())
}

/// `MM / YY` or `MM/YYYY`, with or without blanks; good through the end of its month.
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
    // A clock beyond the calendar has no months.
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
        form.instrument(NOW, &[MethodType::Card]).err().unwrap_or_else(|| "taken".to_owned())
    }

    fn card(number: &str, exp: &str, cvc: &str) -> PaymentForm {
        let [number, exp, cvc] = [number, exp, cvc].map(str::to_owned);
        PaymentForm { number, exp, cvc, method: "card".to_owned(), ..PaymentForm::default() }
    }

    #[test]
    fn mistakes_are_named_as_stripes_page_names_them() {
        let visa = "4242 4242 4242 4242";
        for (number, exp, cvc, told) in [
            (visa, "12 / 34", "123", "taken"),
            (visa, "11/2026", "123", "taken"),
            (visa, "1126", "123", "taken"),
            (visa, "10/26", "123", "Your card's expiration date is in the past."),
            (visa, "13/30", "123", "Your card's expiration date is invalid."),
            (visa, "00/30", "123", "Your card's expiration date is invalid."),
            (visa, "12/99", "123", "Your card's expiration year is invalid."),
            (visa, "", "123", "Your card's expiration date is incomplete."),
            (visa, "1/é3", "123", "Your card's expiration date is incomplete."),
            (visa, "12/34", "", "Your card's security code is incomplete."),
            (visa, "12/34", "1234", "Your card's security code is incomplete."),
            ("378282246310005", "12/34", "1234", "taken"),
            ("", "12/34", "123", "Your card number is incomplete."),
            ("4242424242424241", "12/34", "123", "Your card number is incorrect."),
        ] {
            assert_eq!(error(&card(number, exp, cvc)), told, "{number} {exp} {cvc}");
        }
    }

    #[test]
    fn a_button_needs_no_more_than_its_number() {
        let press = |card: Option<&str>, debit: Option<&str>| PaymentForm {
            card: card.map(str::to_owned),
            debit: debit.map(str::to_owned),
            ..card_typed()
        };
        let both = [MethodType::Card, MethodType::SepaDebit];
        let number = |form: PaymentForm| form.instrument(NOW, &both).map(|instrument| instrument.number());
        assert_eq!(number(press(Some("4000000000000259"), None)), Ok("4000000000000259"));
        assert_eq!(number(press(None, Some("AT611904300234573201"))), Ok("AT611904300234573201"));
        assert!(error(&press(None, Some("AT611904300234573201"))).contains("does not take"));
    }

    fn card_typed() -> PaymentForm {
        card("nonsense", "", "")
    }
}
