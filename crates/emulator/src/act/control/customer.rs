//! What customers do: pay for a Checkout session, and answer their bank.

use stripe::write::{BillingDetails, MethodType, Session, SessionStatus};

use super::{ControlCommand, ControlRefusal, Noun};
use crate::act::checkout::{self, PayOutcome};
use crate::act::payment::Instrument;
use crate::cards::{self, PaymentRefusal};
use crate::world::World;

/// The most characters of a customer's name, email, country or postal code that are kept; the rest is cut
/// off.
const MAX_CHARACTERS: usize = 500;

/// The customer pays for an open session.
#[derive(Clone, Debug)]
pub struct Pay {
    /// `cs_…`
    pub session: String,
    /// With which card or bank account.
    pub number: PaymentNumber,
    /// Who pays.
    pub payer: Payer,
    /// Whether the customer passes 3-D Secure if the bank asks for it. `None` leaves the question open for
    /// [`AnswerChallenge`].
    pub confirm: Option<bool>,
}

/// What the customer typed to pay with, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentNumber {
    /// A card number.
    Card(String),
    /// A bank account, to be debited by SEPA.
    Iban(String),
}

impl PaymentNumber {
    fn method(&self) -> MethodType {
        match self {
            Self::Card(_) => MethodType::Card,
            Self::Iban(_) => MethodType::SepaDebit,
        }
    }

    /// The test card or test account with this number.
    ///
    /// # Errors
    /// What Stripe answers in test mode to any other number.
    pub fn instrument(&self) -> Result<Instrument, PaymentRefusal> {
        match self {
            Self::Card(number) => cards::accept_card(number).map(Instrument::Card),
            Self::Iban(iban) => cards::accept_debit(iban).map(Instrument::Debit),
        }
    }
}

/// Who pays, as far as the customer said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    /// Full name.
    pub name: Option<String>,
    /// Counts only where the shop gave no address for this session.
    pub email: Option<String>,
    /// Two letters, ISO 3166; the country of the card or account when left out.
    pub country: Option<String>,
    /// As written on letters.
    pub postal_code: Option<String>,
}

impl Payer {
    fn details(self, shops_email: Option<String>, instrument: Option<Instrument>) -> BillingDetails {
        let cut = |text: String| text.chars().take(MAX_CHARACTERS).collect();
        let country = self.country.or_else(|| instrument.map(|paid_with| paid_with.country().to_owned()));
        BillingDetails {
            name: self.name.map(cut),
            email: shops_email.or(self.email).map(cut),
            country: country.map(cut),
            postal_code: self.postal_code.map(cut),
        }
    }
}

impl ControlCommand for Pay {
    /// `NotOpen` never comes: it is a [`ControlRefusal`].
    type Done = PayOutcome;

    fn run(self, world: &mut World) -> Result<PayOutcome, ControlRefusal> {
        let session = open_session(world, &self.session)?;
        if !session.payment_method_types.contains(&self.number.method()) {
            return Err(ControlRefusal::MethodNotAccepted);
        }
        let instrument = self.number.instrument().map_err(ControlRefusal::Number)?;
        let payer = self.payer.details(shops_email(world, session), Some(instrument));
        match (checkout::pay(world, &self.session, &instrument, payer.clone()), self.confirm) {
            (PayOutcome::Challenged, Some(confirmed)) => {
                Ok(checkout::answer_challenge(world, &self.session, confirmed, payer))
            }
            (outcome, _) => Ok(outcome),
        }
    }
}

/// The customer answers the bank that asked for 3-D Secure.
#[derive(Clone, Debug)]
pub struct AnswerChallenge {
    /// `cs_…`
    pub session: String,
    /// Whether the customer confirms the payment.
    pub confirmed: bool,
    /// Who pays.
    pub payer: Payer,
}

impl ControlCommand for AnswerChallenge {
    /// `NotOpen` never comes: it is a [`ControlRefusal`].
    type Done = PayOutcome;

    fn run(self, world: &mut World) -> Result<PayOutcome, ControlRefusal> {
        let session = open_session(world, &self.session)?;
        let challenged =
            world.checkouts.get(&self.session).and_then(|checkout| checkout.challenged.as_deref());
        let instrument = challenged.and_then(Instrument::of_number).ok_or(ControlRefusal::NotChallenged)?;
        let payer = self.payer.details(shops_email(world, session), Some(instrument));
        Ok(checkout::answer_challenge(world, &self.session, self.confirmed, payer))
    }
}

fn open_session<'w>(world: &'w World, id: &str) -> Result<&'w Session, ControlRefusal> {
    let session = world.sessions.get(id).ok_or_else(|| Noun::Session.missing(id))?;
    if session.status == SessionStatus::Open { Ok(session) } else { Err(ControlRefusal::SessionNotOpen) }
}

/// The customer's address as the shop gave it: for this session, or on the customer object.
pub(crate) fn shops_email(world: &World, session: &Session) -> Option<String> {
    let customer = session.customer.as_deref().and_then(|customer| world.customers.get(customer));
    session.customer_email.clone().or_else(|| customer.and_then(|customer| customer.email.clone()))
}
