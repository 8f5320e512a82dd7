//! The hosted payment page, which a customer sees at the `url` of a Checkout session, in each of its states.
//!
//! It works without JavaScript: CSS shows the fields of the chosen method, and a test number is a button that
//! submits the form.

use super::{linkable, money::money};
use crate::cards::{CARDS, Card, DEBITS, Effect};
use askama::Template;

/// The values on the payment page.
#[derive(Clone, Debug)]
pub struct PaymentPage {
    /// The name of the shop.
    pub shop: String,
    /// The URL that the form posts to.
    pub action: String,
    /// The line items.
    pub items: Vec<ItemRow>,
    /// Before tax, in minor units.
    pub subtotal: i64,
    /// Minor units; `None` hides the line.
    pub tax: Option<i64>,
    /// The total due, in minor units.
    pub total: i64,
    /// Three letters.
    pub currency: String,
    /// From the shop or the customer; may be empty.
    pub email: String,
    /// Whether the email is the shop's, so that the customer cannot change it.
    pub email_fixed: bool,
    /// From the customer; may be empty.
    pub name: String,
    /// Whether the session accepts cards.
    pub takes_card: bool,
    /// Whether the session accepts SEPA debits.
    pub takes_debit: bool,
    /// Whether SEPA debit is selected.
    pub debit_chosen: bool,
    /// The error of the last attempt, for the customer.
    pub error: Option<String>,
    /// The state of the payment.
    pub state: PaymentState,
    /// The target of `Back to the shop`.
    pub cancel_url: Option<String>,
    /// Where a customer who has paid continues, with the session's id inserted.
    pub success_url: Option<String>,
}

/// A line item.
#[derive(Clone, Debug)]
pub struct ItemRow {
    /// The product's name.
    pub name: String,
    /// The quantity.
    pub quantity: u64,
    /// For the whole quantity, before tax, in minor units.
    pub amount: i64,
}

/// The state of the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// It can be paid.
    Open,
    /// The bank asks for 3-D Secure.
    Challenge {
        /// The last four digits of the card.
        last4: String,
    },
    /// A debit is processing.
    Processing,
    /// A debit failed.
    Failed,
    /// Paid.
    Complete,
    /// It can no longer be paid.
    Expired,
}

#[derive(Template)]
#[template(path = "payment_page.html")]
struct PaymentTemplate<'a> {
    view: &'a PaymentPage,
}

struct NumberGroup {
    title: &'static str,
    field: &'static str,
    tests: Vec<TestNumber>,
}

struct TestNumber {
    number: &'static str,
    does: String,
}

/// The payment page as HTML.
pub fn checkout(view: &PaymentPage) -> String {
    super::rendered(&PaymentTemplate { view })
}

impl PaymentPage {
    fn is_open(&self) -> bool {
        self.state == PaymentState::Open
    }

    /// The link back to the shop, unless the customer has paid or is at 3-D Secure.
    fn back(&self) -> Option<&str> {
        let may_leave =
            matches!(self.state, PaymentState::Open | PaymentState::Failed | PaymentState::Expired);
        self.cancel_url.as_deref().filter(|url| may_leave && linkable(url))
    }

    fn onward(&self) -> Option<&str> {
        self.success_url.as_deref().filter(|url| linkable(url))
    }
}

impl PaymentTemplate<'_> {
    fn price(&self, item: &ItemRow) -> String {
        money(item.amount, &self.view.currency)
    }

    fn subtotal(&self) -> String {
        money(self.view.subtotal, &self.view.currency)
    }

    fn tax_is_inside(&self) -> bool {
        self.view.subtotal == self.view.total
    }

    fn tax(&self) -> Option<String> {
        self.view.tax.map(|tax| money(tax, &self.view.currency))
    }

    fn total(&self) -> String {
        money(self.view.total, &self.view.currency)
    }

    fn title(&self) -> String {
        let state = match (&self.view.state, &self.view.error) {
            (PaymentState::Open, None) => "Pay",
            (PaymentState::Open, Some(_)) => "Not paid – pay",
            (PaymentState::Challenge { .. }, _) => "Confirm – pay",
            (PaymentState::Processing, _) => "Processing – pay",
            (PaymentState::Failed, _) => "Not paid –",
            (PaymentState::Complete, _) => "Paid –",
            (PaymentState::Expired, _) => "Expired –",
        };
        format!("{state} {} (emulator)", self.view.shop)
    }

    fn groups(&self) -> Vec<NumberGroup> {
        let mut groups = Vec::new();
        if self.view.takes_card {
            for title in
                ["Paid", "Declined", "3-D Secure first", "Paid; when refunded", "Paid, then contested"]
            {
                let tests =
                    CARDS.iter().filter(|card| group(card) == Some(title)).map(TestNumber::of_card).collect();
                groups.push(NumberGroup { title, field: "card", tests });
            }
        }
        if self.view.takes_debit {
            let tests = DEBITS.iter().filter(|debit| debit.country() == "AT");
            let tests = tests
                .map(|debit| TestNumber { number: debit.iban, does: debit.summary.to_owned() })
                .collect();
            groups.push(NumberGroup { title: "SEPA debit", field: "debit", tests });
        }
        groups
    }

    fn others(&self) -> impl Iterator<Item = TestNumber> {
        CARDS.iter().filter(|card| group(card).is_none()).map(|card| TestNumber {
            number: card.number,
            does: format!("{} {}, {}", brand(card.brand), card.funding, card.country),
        })
    }
}

impl TestNumber {
    fn of_card(card: &'static Card) -> Self {
        Self { number: card.number, does: card.summary.to_owned() }
    }

    /// The number in groups of four, as on a card.
    fn spaced(&self) -> String {
        let characters: Vec<char> = self.number.chars().collect();
        characters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
    }
}

/// The heading of the card's group; `None` for cards that differ only in brand or country.
fn group(card: &Card) -> Option<&'static str> {
    match card.effect {
        Effect::Succeeds => (card.number == CARDS[0].number).then_some("Paid"),
        Effect::Declined(_) => Some("Declined"),
        Effect::ChallengeThenSucceeds | Effect::ChallengeThenDeclined => Some("3-D Secure first"),
        Effect::RefundPendingThenSucceeds | Effect::RefundSucceedsThenFails => Some("Paid; when refunded"),
        Effect::Disputed { .. } | Effect::Inquiry | Effect::EarlyFraudWarning | Effect::SeveralDisputes => {
            Some("Paid, then contested")
        }
    }
}

/// The display name of a card brand.
pub(super) fn brand(brand: &str) -> &str {
    match brand {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" => "American Express",
        "discover" => "Discover",
        "diners" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        other => other,
    }
}
