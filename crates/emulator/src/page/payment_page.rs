//! The hosted payment page: what a customer sees at the `url` of a Checkout session, in each of its states.
//!
//! Not here: paying. The page shows a view that holds strings and integers only. It works without JavaScript:
//! the method is chosen by CSS, and a test number is a button that submits the form.

use super::{linkable, money::money};
use crate::cards::{CARDS, Card, DEBITS, Effect};
use askama::Template;

/// All that the payment page shows.
#[derive(Clone, Debug)]
pub struct PaymentPage {
    /// Who is paid.
    pub shop: String,
    /// Where the form posts to.
    pub action: String,
    /// The line items.
    pub items: Vec<ItemRow>,
    /// Before tax, in minor units.
    pub subtotal: i64,
    /// In minor units; `None` hides the line.
    pub tax: Option<i64>,
    /// What is due, in minor units.
    pub total: i64,
    /// Three letters.
    pub currency: String,
    /// As the shop or the customer gave it; may be empty.
    pub email: String,
    /// The shop gave it, and the customer cannot change it.
    pub email_fixed: bool,
    /// As the customer typed it; may be empty.
    pub name: String,
    /// The session takes cards.
    pub takes_card: bool,
    /// The session takes SEPA debits.
    pub takes_debit: bool,
    /// The customer chose SEPA debit before.
    pub debit_chosen: bool,
    /// Why the last attempt failed, for the customer.
    pub error: Option<String>,
    /// How far the payment is.
    pub state: PaymentState,
    /// Where `Back to the shop` leads.
    pub cancel_url: Option<String>,
    /// Where a customer who has paid goes on, with the session's id filled in.
    pub success_url: Option<String>,
}

/// A line item.
#[derive(Clone, Debug)]
pub struct ItemRow {
    /// The product's name.
    pub name: String,
    /// How many.
    pub quantity: u64,
    /// For all of them, before tax, in minor units.
    pub amount: i64,
}

/// How far the payment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// It can be paid.
    Open,
    /// The bank asks the customer to authenticate.
    Challenge {
        /// Of the card.
        last4: String,
    },
    /// A debit whose bank has not answered yet.
    Processing,
    /// A debit that the bank has refused.
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

    /// Who has paid, or is being asked by the bank, is not invited to leave.
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

    /// In groups of four, as on a card.
    fn spaced(&self) -> String {
        let characters: Vec<char> = self.number.chars().collect();
        characters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
    }
}

/// The heading under which a card is offered; `None` for those that merely are of another brand or country.
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

/// The name of a card network, as people write it.
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
