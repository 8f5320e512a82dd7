//! Checkout sessions: created, paid, expired (docs.stripe.com/api/checkout/sessions).
//!
//! Not here: what the bank does with a card or a debit (`payment`).

use stripe::write::{
    BillingDetails, CustomerCreation, MethodType, Payment, PaymentFailure, PaymentIntent, Session,
    SessionStatus,
};

use super::payment::{self, AttemptResult, Instrument};
use crate::object::{CheckoutDetails, Customer, LineItem, MetadataMap};
use crate::world::{ScheduledTask, World};

/// How long a session can be paid unless the request says otherwise, in seconds: a day.
pub const DEFAULT_LIFETIME: i64 = 24 * 60 * 60;

/// The tax rate when `automatic_tax` is enabled, in percent: the same for every country.
pub const TAX_PERCENT: i64 = 20;

/// The fields of a new session. The caller has checked them against Stripe's rules.
#[derive(Clone, Debug)]
pub struct NewCheckoutSession {
    /// At least one; all in `currency`.
    pub items: Vec<LineItem>,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// Metadata of the session.
    pub metadata: MetadataMap,
    /// Metadata of the payment intent and the charge.
    pub intent_metadata: MetadataMap,
    /// Description of the payment intent and the charge.
    pub intent_description: Option<String>,
    /// An existing customer.
    pub customer: Option<String>,
    /// Where the receipt is sent.
    pub customer_email: Option<String>,
    /// Whether a customer is always created.
    pub customer_creation: CustomerCreation,
    /// A reference of the shop's own.
    pub client_reference_id: Option<String>,
    /// Where the customer is redirected after paying; `{CHECKOUT_SESSION_ID}` is replaced.
    pub success_url: Option<String>,
    /// Where the page links to for a customer who does not pay.
    pub cancel_url: Option<String>,
    /// Unix seconds; by default a day from now.
    pub expires_at: Option<i64>,
    /// Whether the amounts include or add tax.
    pub automatic_tax: bool,
    /// The payment methods that the session accepts.
    pub payment_method_types: Vec<MethodType>,
}

impl NewCheckoutSession {
    /// A session for these items, in `currency`, with nothing optional set. It accepts every payment method.
    #[must_use]
    pub fn new(items: Vec<LineItem>, currency: &str) -> Self {
        Self {
            items,
            currency: currency.to_owned(),
            metadata: MetadataMap::new(),
            intent_metadata: MetadataMap::new(),
            intent_description: None,
            customer: None,
            customer_email: None,
            customer_creation: CustomerCreation::IfRequired,
            client_reference_id: None,
            success_url: None,
            cancel_url: None,
            expires_at: None,
            automatic_tax: false,
            payment_method_types: vec![MethodType::Card, MethodType::SepaDebit],
        }
    }
}

/// The amounts of one line item in minor units: before exclusive tax, the tax, and the total. `None` when
/// they overflow.
#[must_use]
pub fn amounts(unit: i64, quantity: i64, taxed: bool, inclusive: bool) -> Option<(i64, i64, i64)> {
    let gross = unit.checked_mul(quantity)?;
    if !taxed {
        return Some((gross, 0, gross));
    }
    if inclusive {
        // 120 includes a tax of 20; rounded half up, in integers.
        let base = 100 + TAX_PERCENT;
        let tax = gross.checked_mul(TAX_PERCENT)?.checked_add(base / 2)? / base;
        // Stripe's subtotal excludes *exclusive* tax only.
        return Some((gross, tax, gross));
    }
    let tax = gross.checked_mul(TAX_PERCENT)?.checked_add(50)? / 100;
    Some((gross, tax, gross.checked_add(tax)?))
}

/// Creates a session. `page` is the base URL of the payment pages, without a trailing slash. Returns its id.
/// Stripe has no event for it.
pub fn create(world: &mut World, new: NewCheckoutSession, page: &str) -> String {
    let id = world.ids.next_session();
    let sum = |of: fn(&LineItem) -> i64| new.items.iter().map(of).fold(0, i64::saturating_add);
    let expires_at = new.expires_at.unwrap_or(world.now() + DEFAULT_LIFETIME);
    let session = Session {
        id: id.clone(),
        created: world.now(),
        expires_at,
        livemode: false,
        amount_subtotal: sum(|item| item.amount_subtotal),
        amount_tax: sum(|item| item.amount_tax),
        amount_total: sum(|item| item.amount_total),
        currency: new.currency,
        status: SessionStatus::Open,
        payment_status: Payment::Unpaid,
        payment_intent: None,
        customer: new.customer,
        customer_email: new.customer_email,
        customer_details: None,
        customer_creation: new.customer_creation,
        client_reference_id: new.client_reference_id,
        metadata: new.metadata,
        success_url: new.success_url,
        cancel_url: new.cancel_url,
        url: Some(format!("{page}/c/pay/{id}")),
        payment_method_types: new.payment_method_types,
        automatic_tax: new.automatic_tax,
    };
    let checkout = CheckoutDetails {
        items: new.items,
        intent_metadata: new.intent_metadata,
        intent_description: new.intent_description,
        payment_intent: None,
        challenged: None,
    };
    world.sessions.add(session);
    world.checkouts.insert(id.clone(), checkout);
    world.later(expires_at - world.now(), ScheduledTask::ExpireSession(id.clone()));
    id
}

/// Expires a session. Does nothing unless the session is open.
pub fn expire(world: &mut World, id: &str) {
    let open = world.sessions.get(id).is_some_and(|session| session.status == SessionStatus::Open);
    if !open {
        return;
    }
    world.transition::<Session>(id, "checkout.session.expired", |session| {
        session.status = SessionStatus::Expired;
        session.url = None;
    });
    let intent = world.checkouts.get(id).and_then(|checkout| checkout.payment_intent.clone());
    if let Some(intent) = intent {
        payment::cancel(world, &intent, "abandoned");
    }
}

/// The outcome of paying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayOutcome {
    /// The session is complete. A debit may still be processing.
    Complete,
    /// The customer's bank asks for 3-D Secure: continue with [`answer_challenge`].
    Challenged,
    /// The bank declined; the customer may try again.
    Declined(PaymentFailure),
    /// The session is not open, or does not exist.
    NotOpen,
}

/// Pays a session.
pub fn pay(world: &mut World, id: &str, instrument: &Instrument, payer: BillingDetails) -> PayOutcome {
    let Some(session) = world.sessions.get(id).filter(|session| session.status == SessionStatus::Open) else {
        return PayOutcome::NotOpen;
    };
    let is_free = session.amount_total == 0;
    create_customer(world, id, &payer);
    if is_free {
        complete(world, id, None, Payment::NoPaymentRequired, payer);
        return PayOutcome::Complete;
    }
    let intent = intent_of(world, id);
    let attempted = payment::attempt(world, &intent, instrument, &payer);
    let challenged = attempted == AttemptResult::Challenged;
    if let Some(checkout) = world.checkouts.get_mut(id) {
        checkout.challenged = challenged.then(|| instrument.number().to_owned());
    }
    conclude(world, id, &intent, attempted, payer)
}

/// Completes or fails 3-D Secure.
pub fn answer_challenge(world: &mut World, id: &str, confirmed: bool, payer: BillingDetails) -> PayOutcome {
    let open = world.sessions.get(id).is_some_and(|session| session.status == SessionStatus::Open);
    let Some(checkout) = world.checkouts.get_mut(id).filter(|_| open) else { return PayOutcome::NotOpen };
    let (Some(number), Some(intent)) = (checkout.challenged.take(), checkout.payment_intent.clone()) else {
        return PayOutcome::NotOpen;
    };
    // Only a test card is ever challenged.
    let Some(instrument) = Instrument::of_number(&number) else { return PayOutcome::NotOpen };
    let attempted = payment::answer_challenge(world, &intent, &instrument, confirmed, &payer);
    conclude(world, id, &intent, attempted, payer)
}

fn conclude(
    world: &mut World,
    id: &str,
    intent: &str,
    attempted: AttemptResult,
    payer: BillingDetails,
) -> PayOutcome {
    match attempted {
        AttemptResult::Succeeded => {
            complete(world, id, Some(intent), Payment::Paid, payer);
            PayOutcome::Complete
        }
        AttemptResult::Processing => {
            complete(world, id, Some(intent), Payment::Unpaid, payer);
            payment::announce_processing(world, intent);
            PayOutcome::Complete
        }
        AttemptResult::Challenged => PayOutcome::Challenged,
        AttemptResult::Declined(failure) => PayOutcome::Declined(failure),
    }
}

/// Creates the customer if the session asks for one. It happens at the first attempt to pay and before the
/// payment intent, because intent and charge name the customer.
fn create_customer(world: &mut World, id: &str, payer: &BillingDetails) {
    let wanted = |session: &&Session| {
        session.customer.is_none() && session.customer_creation == CustomerCreation::Always
    };
    if world.sessions.get(id).filter(wanted).is_none() {
        return;
    }
    let made = Customer {
        id: world.id("cus"),
        created: world.now(),
        name: payer.name.clone(),
        email: payer.email.clone(),
        phone: None,
        description: None,
        metadata: MetadataMap::new(),
    };
    if let Some(session) = world.sessions.get_mut(id) {
        session.customer = Some(made.id.clone());
    }
    world.create(made, "customer.created");
}

/// The session's payment intent, created at the first attempt to pay. Since 2022-08-01 the session does not
/// name it before it is complete.
pub(crate) fn intent_of(world: &mut World, id: &str) -> String {
    if let Some(intent) = world.checkouts.get(id).and_then(|checkout| checkout.payment_intent.clone()) {
        return intent;
    }
    let intent = world.id("pi");
    let secret = world.id("secret");
    let created = world.now();
    let (Some(session), Some(checkout)) = (world.sessions.get(id), world.checkouts.get_mut(id)) else {
        return intent;
    };
    checkout.payment_intent = Some(intent.clone());
    world.session_of.insert(intent.clone(), id.to_owned());
    let object = PaymentIntent {
        client_secret: format!("{intent}_{secret}"),
        description: checkout.intent_description.clone(),
        metadata: checkout.intent_metadata.clone(),
        customer: session.customer.clone(),
        payment_method_types: session.payment_method_types.clone(),
        ..payment::intent(intent.clone(), created, session.currency.clone(), session.amount_total)
    };
    world.create(object, "payment_intent.created");
    intent
}

fn complete(world: &mut World, id: &str, intent: Option<&str>, payment: Payment, payer: BillingDetails) {
    world.transition::<Session>(id, "checkout.session.completed", |session| {
        session.status = SessionStatus::Complete;
        session.payment_status = payment;
        session.payment_intent = intent.map(str::to_owned);
        session.customer_details = Some(payer);
        session.url = None;
    });
}
