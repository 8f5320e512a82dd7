//! Reads the account into the structs that the pages show.

use std::collections::HashMap;

use stripe::write::{
    ApiVersion, Charge, ChargeStatus, Dispute, DisputeStatus, IntentStatus, Method, MethodType, Payment,
    Refund, Session, SessionStatus,
};

use super::control_page::{
    Banner, ChargeRow, ControlPage, DisputeRow, EndpointCard, Newest, RefundRow, SessionRow,
};
use super::event_page::{AttemptEntry, DeliveryEntry, EventEntry, EventPage};
use super::payment_page::{ItemRow, PaymentPage, PaymentState};
use crate::Options;
use crate::act::control::shops_email;
use crate::object::{self, EventRecord};
use crate::world::{DeliveryState, Outcome, ScheduledTask, World};

/// The name of the shop on the payment page: the emulated account has none.
const SHOP: &str = "Test shop";
/// The most rows of one kind of object on the control page.
const MAX_ROWS: usize = 50;

/// The payment page of a session; `None` when there is no such session.
pub(super) fn checkout(world: &World, id: &str, typed: FormValues<'_>) -> Option<PaymentPage> {
    let session = world.sessions.get(id)?;
    let checkout = world.checkouts.get(id)?;
    let given = shops_email(world, session);
    let items = checkout.items.iter().map(|item| ItemRow {
        name: item.description.clone(),
        quantity: item.quantity.unsigned_abs(),
        amount: item.amount_subtotal,
    });
    let takes = |method| session.payment_method_types.contains(&method);
    Some(PaymentPage {
        shop: SHOP.to_owned(),
        action: format!("/c/pay/{id}"),
        items: items.collect(),
        subtotal: session.amount_subtotal,
        tax: (session.automatic_tax || session.amount_tax != 0).then_some(session.amount_tax),
        total: session.amount_total,
        currency: session.currency.clone(),
        email_fixed: given.is_some(),
        email: given.unwrap_or_else(|| typed.email.unwrap_or("customer@example.com").to_owned()),
        name: typed.name.unwrap_or_default().to_owned(),
        takes_card: takes(MethodType::Card),
        takes_debit: takes(MethodType::SepaDebit),
        debit_chosen: typed.debit || !takes(MethodType::Card),
        error: typed.error.map(str::to_owned),
        state: state(world, session, checkout.challenged.as_deref()),
        cancel_url: session.cancel_url.clone(),
        success_url: success_url(session),
    })
}

/// What the customer typed before, and the error about it.
#[derive(Clone, Copy, Default)]
pub(super) struct FormValues<'a> {
    pub(super) email: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) debit: bool,
    pub(super) error: Option<&'a str>,
}

fn state(world: &World, session: &Session, challenged: Option<&str>) -> PaymentState {
    match (session.status, session.payment_status, challenged) {
        (SessionStatus::Open, _, Some(number)) => PaymentState::Challenge {
            last4: number.get(number.len().saturating_sub(4)..).unwrap_or(number).to_owned(),
        },
        (SessionStatus::Open, _, None) => PaymentState::Open,
        (SessionStatus::Expired, ..) => PaymentState::Expired,
        (SessionStatus::Complete, Payment::Paid | Payment::NoPaymentRequired, _) => PaymentState::Complete,
        (SessionStatus::Complete, Payment::Unpaid, _) => {
            let intent =
                session.payment_intent.as_deref().and_then(|intent| world.payment_intents.get(intent));
            match intent.map(|intent| intent.status) {
                Some(IntentStatus::RequiresPaymentMethod | IntentStatus::Canceled) => PaymentState::Failed,
                _ => PaymentState::Processing,
            }
        }
    }
}

/// Where a customer who has paid is redirected, with the session's id inserted as Stripe inserts it.
pub(super) fn success_url(session: &Session) -> Option<String> {
    session.success_url.as_ref().map(|url| url.replace("{CHECKOUT_SESSION_ID}", &session.id))
}

/// The control page.
pub(super) fn control(world: &World, options: &Options, banner: Option<Banner>) -> ControlPage {
    let coming = scheduled(world);
    let still = matches!(world.clock, crate::world::ClockMode::Still { .. });
    ControlPage {
        now: world.now(),
        frozen: still,
        next_due: world.next_due_ms().map(|due| due.div_euclid(1_000)),
        seed: world.seed(),
        api_base: options.url.clone(),
        api_key: options.api_key.clone(),
        api_version: newest().as_str().to_owned(),
        banner,
        endpoints: endpoints(world),
        payments: listing(world.sessions.iter(), world.sessions.len(), |session| payment(world, session)),
        charges: listing(world.charges.iter(), world.charges.len(), |charge| charge_row(charge, &coming)),
        refunds: listing(world.refunds.iter(), world.refunds.len(), |refund| refund_row(refund, &coming)),
        disputes: listing(world.disputes.iter(), world.disputes.len(), dispute_row),
        events: listing(world.events.iter(), world.events.len(), |event| event_row(world, event)),
    }
}

/// The page of one event; `None` when there is no such event.
pub(super) fn event(world: &World, id: &str) -> Option<EventPage> {
    let event = world.events.get(id)?;
    let endpoint = world.deliveries_of(id).find_map(|delivery| world.endpoints.get(&delivery.endpoint));
    let version = endpoint.map_or(newest(), |endpoint| endpoint.api_version);
    Some(EventPage {
        now: world.now(),
        event: event_row(world, event),
        body: stripe::write::pretty(&event.render(version, event.pending)),
        version: version.as_str().to_owned(),
    })
}

fn newest() -> ApiVersion {
    let [.., newest] = ApiVersion::ALL;
    newest
}

fn listing<'a, T: 'a, R>(
    all: impl DoubleEndedIterator<Item = &'a T>,
    total: usize,
    row: impl Fn(&'a T) -> R,
) -> Newest<R> {
    Newest { rows: all.rev().take(MAX_ROWS).map(row).collect(), total }
}

fn endpoints(world: &World) -> Vec<EndpointCard> {
    let mut counts: HashMap<&str, (u64, u64, u64)> = HashMap::new();
    for delivery in world.deliveries() {
        let (accepted, waiting, given_up) = counts.entry(&delivery.endpoint).or_default();
        match delivery.state {
            DeliveryState::Delivered => *accepted += 1,
            DeliveryState::Waiting { .. } => *waiting += 1,
            DeliveryState::Exhausted | DeliveryState::Stopped => *given_up += 1,
        }
    }
    let row = |endpoint: &object::WebhookEndpoint| {
        let (accepted, waiting, given_up) = counts.get(endpoint.id.as_str()).copied().unwrap_or_default();
        EndpointCard {
            id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            enabled: endpoint.enabled,
            held: endpoint.held,
            secret: endpoint.secrets.first().map(|secret| secret.text.clone()).unwrap_or_default(),
            version: endpoint.api_version.as_str().to_owned(),
            accepted,
            waiting,
            given_up,
            misbehaviour: endpoint.misbehaviour,
        }
    };
    world.endpoints.iter().map(row).collect()
}

/// The next scheduled effect on each charge and refund, as the label of the button that runs it now.
fn scheduled(world: &World) -> HashMap<&str, &'static str> {
    let mut coming = HashMap::new();
    for (_, task) in world.upcoming() {
        let (id, button) = match task {
            ScheduledTask::ClearDebit(charge) => (charge, "Bank answers now"),
            ScheduledTask::Dispute { charge, inquiry: false, .. } => (charge, "Dispute comes now"),
            ScheduledTask::Dispute { charge, inquiry: true, .. } => (charge, "Inquiry comes now"),
            ScheduledTask::Warn(charge) => (charge, "Warning comes now"),
            ScheduledTask::CompleteRefund(refund) => (refund, "Succeeds now"),
            ScheduledTask::FailRefund(refund) => (refund, "Fails now"),
            ScheduledTask::Attempt { .. }
            | ScheduledTask::Flush { .. }
            | ScheduledTask::ExpireSession(_)
            | ScheduledTask::SettleCharge(_)
            | ScheduledTask::ReferenceRefund(_)
            | ScheduledTask::DecideDispute(_) => continue,
        };
        coming.entry(id.as_str()).or_insert(button);
    }
    coming
}

fn payment(world: &World, session: &Session) -> SessionRow {
    let paid_by = session.customer_details.as_ref().and_then(|details| details.email.clone());
    let customer = session.customer.as_deref().and_then(|customer| world.customers.get(customer));
    let customer = paid_by
        .or_else(|| session.customer_email.clone())
        .or_else(|| customer.and_then(|customer| customer.email.clone().or_else(|| customer.name.clone())));
    SessionRow {
        id: session.id.clone(),
        url: (session.status == SessionStatus::Open).then(|| format!("/c/pay/{}", session.id)),
        customer: customer.unwrap_or_default(),
        amount: session.amount_total,
        currency: session.currency.clone(),
        status: session.status.name().to_owned(),
        payment_status: session.payment_status.name().to_owned(),
    }
}

fn charge_row(charge: &Charge, coming: &HashMap<&str, &'static str>) -> ChargeRow {
    ChargeRow {
        id: charge.id.clone(),
        method: method(&charge.method),
        amount: charge.amount,
        refunded: charge.amount_refunded,
        currency: charge.currency.clone(),
        status: charge.status.name().to_owned(),
        disputed: charge.disputed,
        coming: coming.get(charge.id.as_str()).copied().filter(|_| charge.status != ChargeStatus::Failed),
    }
}

fn method(method: &Method) -> String {
    match method {
        Method::Card { brand, last4, .. } => format!("{} •••• {last4}", super::payment_page::brand(brand)),
        Method::SepaDebit { last4, country, .. } => format!("SEPA {country} •••• {last4}"),
        Method::BankTransfer => "Bank transfer".to_owned(),
    }
}

fn refund_row(refund: &Refund, coming: &HashMap<&str, &'static str>) -> RefundRow {
    RefundRow {
        id: refund.id.clone(),
        charge: refund.charge.clone().unwrap_or_default(),
        amount: refund.amount,
        currency: refund.currency.clone(),
        status: refund.status.name().to_owned(),
        coming: coming.get(refund.id.as_str()).copied(),
    }
}

fn dispute_row(dispute: &Dispute) -> DisputeRow {
    let closed =
        matches!(dispute.status, DisputeStatus::Won | DisputeStatus::Lost | DisputeStatus::WarningClosed);
    DisputeRow {
        id: dispute.id.clone(),
        charge: dispute.charge.clone(),
        reason: dispute.reason.clone(),
        amount: dispute.amount,
        currency: dispute.currency.clone(),
        status: dispute.status.name().to_owned(),
        open: !closed,
        inquiry: dispute.status.is_inquiry(),
    }
}

fn event_row(world: &World, event: &EventRecord) -> EventEntry {
    let deliveries = world.deliveries_of(&event.id).map(|delivery| DeliveryEntry {
        url: world.endpoints.get(&delivery.endpoint).map(|endpoint| endpoint.url.clone()).unwrap_or_default(),
        endpoint: delivery.endpoint.clone(),
        attempts: delivery.attempts.iter().map(attempt).collect(),
        next_attempt: match delivery.state {
            DeliveryState::Waiting { next_ms } => Some(next_ms.div_euclid(1_000)),
            DeliveryState::Delivered | DeliveryState::Exhausted | DeliveryState::Stopped => None,
        },
    });
    EventEntry {
        id: event.id.clone(),
        type_name: event.type_name.clone(),
        created: event.created,
        pending_webhooks: event.pending.into(),
        deliveries: deliveries.collect(),
    }
}

fn attempt(attempt: &crate::world::DeliveryAttempt) -> AttemptEntry {
    AttemptEntry {
        at: attempt.at_ms.div_euclid(1_000),
        answer: match &attempt.outcome {
            Outcome::Answered { status, .. } => Ok(*status),
            Outcome::Failed(why) => Err(why.clone()),
        },
        milliseconds: attempt.took_ms,
    }
}
