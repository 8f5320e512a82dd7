//! What one event tells us: Stripe's words into the ledger's. Each rule names its source in Stripe's
//! documentation or in the design; none decides what follows from a fact.
//! Not here: the JSON itself (`stripe`), and whether a claim is to be believed (`ledger::offer`).

mod charge;
mod dispute;
mod session;

use ledger::knowledge::{Knowledge, Refund, RefundRank};
use ledger::{EventId, Fact, Minor, ObjectId, Offer, Reason, Told};
use store::{Mode, Reading};
use stripe::{EarlyFraudWarning, Envelope, Event, EventType, Object, PaymentIntent, RefundStatus};

/// What belongs to this deployment: events of another world never count.
#[derive(Clone, Debug)]
pub struct World {
    /// Test or live.
    pub mode: Mode,
    /// With Connect: the connected account that this deployment serves; events of others do not count.
    pub account: Option<String>,
    /// Which metadata keys carry the terms.
    pub metadata: MetadataKeys,
}

/// Which keys of a session's metadata carry the terms. The default is the guide's shape; FairePlace's other
/// shape has `package_id` for the package.
#[derive(Clone, Debug)]
pub struct MetadataKeys {
    /// Whose credits: a UUID.
    pub tenant: String,
    /// Which package.
    pub package: String,
    /// How many credits, as a decimal string.
    pub credits: String,
}

impl Default for MetadataKeys {
    fn default() -> Self {
        Self { tenant: "tenant_id".into(), package: "package".into(), credits: "credits".into() }
    }
}

/// Reads one event's bytes.
pub fn read(raw: &[u8], world: &World) -> Reading {
    match Envelope::parse(raw) {
        Ok(Envelope::Snapshot(event)) => read_snapshot(&event, world),
        Ok(Envelope::Thin(event)) => match event.type_name.strip_prefix("v1.").map(EventType::from_name) {
            None | Some(EventType::Other(_)) => Reading::Ignored,
            Some(_) => quarantined(
                Reason::ThinEvent,
                "A thin event only points at an object. Subscribe a destination with snapshot payloads to \
                 these event types. Nothing was granted or taken.",
            ),
        },
        Err(fault) => quarantined(
            Reason::Unreadable,
            &format!(
                "Signed by Stripe, but no event that can be read ({}): {fault}. Nothing was granted.",
                fault.code()
            ),
        ),
    }
}

fn read_snapshot(event: &Event<'_>, world: &World) -> Reading {
    if matches!(event.kind, EventType::Other(_)) {
        return Reading::Ignored;
    }
    // Where an event does not say, as in the guide's sample, the endpoint's own secret is its proof.
    if event.livemode.is_some_and(|live| live != (world.mode == Mode::Live)) {
        let (ours, theirs) = if world.mode == Mode::Live { ("live", "test") } else { ("test", "live") };
        return quarantined(
            Reason::WrongMode,
            &format!(
                "A {theirs} event reached a {ours} deployment. If that is what you want, set \
                 FAIREPLACE_MODE={theirs} with a database of its own. Nothing was granted or taken."
            ),
        );
    }
    if event.account.as_deref() != world.account.as_deref() {
        return quarantined(
            Reason::ForeignAccount,
            "The event belongs to another account than this deployment serves; with Connect, name it in \
             FAIREPLACE_STRIPE_ACCOUNT if it should. Nothing was granted or taken.",
        );
    }
    match event.object() {
        Ok(object) => read_object(event, object, world),
        Err(fault) => quarantined(
            Reason::Unreadable,
            &format!("The event's object cannot be read ({}): {fault}. Nothing was granted.", fault.code()),
        ),
    }
}

fn read_object(event: &Event<'_>, object: Object, world: &World) -> Reading {
    let told = Told { created: event.created, event: EventId::from(&*event.id) };
    let plain = |knowledge| Fact { told: told.clone(), knowledge, offer: None };
    let fact = match object {
        Object::CheckoutSession(session) => {
            let offer: Offer = session::offer(&event.kind, &session, &world.metadata);
            Fact { told, knowledge: session::knowledge(&event.kind, &session), offer: Some(offer) }
        }
        Object::Charge(charge) => plain(charge::knowledge(&event.kind, &charge)),
        Object::Refund(refund) => plain(refund_knowledge(&event.kind, &refund)),
        Object::Dispute(dispute) => plain(dispute::knowledge(&event.kind, &dispute)),
        Object::PaymentIntent(intent) => plain(intent_knowledge(&event.kind, &intent)),
        Object::EarlyFraudWarning(warning) => plain(warning_knowledge(&warning)),
        Object::Other => return Reading::Ignored,
    };
    Reading::Fact(Box::new(fact))
}

fn quarantined(reason: Reason, detail: &str) -> Reading {
    Reading::Quarantined { reason, detail: detail.to_owned() }
}

/// Knowledge that only links a payment intent and a charge.
fn linked(payment_intent: Option<&String>, charge: Option<&String>) -> Knowledge {
    let id = |text: &String| ObjectId::from(text.as_str());
    Knowledge {
        payment_intents: payment_intent.map(id).into_iter().collect(),
        charges: charge.map(|charge| (id(charge), Default::default())).into_iter().collect(),
        ..Knowledge::default()
    }
}

/// A payment intent never grants by itself (the session does, and both together would grant twice): it links
/// a charge to the purchase, and says when the purchase is given up.
fn intent_knowledge(kind: &EventType, intent: &PaymentIntent) -> Knowledge {
    let mut known = linked(Some(&intent.id), intent.latest_charge.as_ref());
    known.expired = *kind == EventType::PaymentIntentCanceled;
    if *kind == EventType::PaymentIntentPaymentFailed {
        known.charges.values_mut().for_each(|charge| charge.failed = true);
    }
    known
}

fn refund_knowledge(kind: &EventType, refund: &stripe::Refund) -> Knowledge {
    let mut known = linked(refund.payment_intent.as_ref(), refund.charge.as_ref());
    let mut fact = refund_fact(refund);
    if *kind == EventType::RefundFailed {
        fact.rank = fact.rank.max(RefundRank::Failed);
    }
    known.refunds.insert(ObjectId::from(refund.id.as_str()), fact);
    known
}

/// How far a refund has come (docs.stripe.com/refunds). A status that we do not know freezes: the money may
/// be on its way.
fn refund_fact(refund: &stripe::Refund) -> Refund {
    let rank = match &refund.status {
        RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Other(_) => RefundRank::Pending,
        RefundStatus::Succeeded => RefundRank::Succeeded,
        RefundStatus::Failed => RefundRank::Failed,
        RefundStatus::Canceled => RefundRank::Canceled,
    };
    Refund { amount: Minor(refund.amount), rank }
}

/// No money moved yet; shown, so that a person can refund before it becomes a dispute.
fn warning_knowledge(warning: &EarlyFraudWarning) -> Knowledge {
    let mut known = linked(warning.payment_intent.as_ref(), warning.charge.as_ref());
    known.warnings.insert(ObjectId::from(warning.id.as_str()));
    known
}
