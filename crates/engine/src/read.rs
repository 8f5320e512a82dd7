//! What one event tells us: Stripe's words into the ledger's. Each rule names its source in Stripe's
//! documentation or in the design; none decides what follows from a fact.
//! Not here: the JSON itself (`stripe`), and whether a claim is accepted (`ledger::judge`).

mod charge;
mod dispute;
mod invoice;
mod payment_intent;
mod refund;
mod session;

use ledger::claim::ClaimSource;
use ledger::knowledge::Knowledge;
use ledger::{ClaimedTerms, EventId, EventRef, Fact, ObjectId, Reason};
use store::{Mode, Reading};
use stripe::{EarlyFraudWarningSnapshot, Envelope, Event, EventType, Metadata, Object};

/// What belongs to this deployment: events of another scope never count.
#[derive(Clone, Debug)]
pub struct DeploymentScope {
    /// Test or live.
    pub mode: Mode,
    /// With Connect: the connected account that this deployment serves; events of others do not count.
    pub account: Option<String>,
    /// Which metadata keys carry the terms.
    pub metadata: MetadataKeys,
}

/// Which metadata keys carry the terms, whatever the object. The default is the guide's shape; FairePlace's
/// other shape has `package_id` for the package.
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
pub fn read(raw: &[u8], scope: &DeploymentScope) -> Reading {
    match Envelope::parse(raw) {
        Ok(Envelope::Snapshot(event)) => read_snapshot(&event, scope),
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

fn read_snapshot(event: &Event<'_>, scope: &DeploymentScope) -> Reading {
    if matches!(event.kind, EventType::Other(_)) {
        return Reading::Ignored;
    }
    // Where an event does not say, as in the guide's sample, the endpoint's own secret is its proof.
    if event.livemode.is_some_and(|live| live != (scope.mode == Mode::Live)) {
        let (ours, theirs) = if scope.mode == Mode::Live { ("live", "test") } else { ("test", "live") };
        return quarantined(
            Reason::WrongMode,
            &format!(
                "A {theirs} event reached a {ours} deployment. If that is what you want, set \
                 FAIREPLACE_MODE={theirs} with a database of its own. Nothing was granted or taken."
            ),
        );
    }
    if event.account.as_deref() != scope.account.as_deref() {
        return quarantined(
            Reason::ForeignAccount,
            "The event belongs to another account than this deployment serves; with Connect, name it in \
             FAIREPLACE_STRIPE_ACCOUNT if it should. Nothing was granted or taken.",
        );
    }
    match event.object() {
        Ok(object) => read_object(event, &object, scope),
        Err(fault) => quarantined(
            Reason::Unreadable,
            &format!("The event's object cannot be read ({}): {fault}. Nothing was granted.", fault.code()),
        ),
    }
}

fn read_object(event: &Event<'_>, object: &Object, scope: &DeploymentScope) -> Reading {
    let (kind, keys) = (&event.kind, &scope.metadata);
    let (knowledge, claimed) = match object {
        Object::CheckoutSession(session) => {
            (session::knowledge(kind, session), Some(session::claimed(session, keys)))
        }
        Object::Charge(charge) => (charge::knowledge(kind, charge), Some(charge::claimed(charge, keys))),
        Object::PaymentIntent(intent) => {
            (payment_intent::knowledge(kind, intent), Some(payment_intent::claimed(intent, keys)))
        }
        Object::Invoice(invoice) => (invoice::knowledge(invoice), Some(invoice::claimed(invoice, keys))),
        Object::InvoicePayment(paid) => (invoice::knowledge_of_payment(paid), None),
        Object::Refund(refund) => (refund::knowledge(kind, refund), None),
        Object::Dispute(dispute) => (dispute::knowledge(kind, dispute), None),
        Object::EarlyFraudWarning(warning) => (warning_knowledge(warning), None),
        Object::Other => return Reading::Ignored,
    };
    let event_ref = EventRef { created: event.created, id: EventId::from(&*event.id) };
    let claimed = claimed.filter(|terms| terms.source == ClaimSource::Session || !terms.is_empty());
    let fact = Box::new(Fact { event: event_ref, knowledge, claimed });
    match object.fault() {
        None => Reading::Fact(fact),
        // Its claim is not accepted then, so the payment itself asks for a person.
        Some(_) if fact.claimed.as_ref().is_some_and(|terms| terms.unreadable) => Reading::Fact(fact),
        Some(fault) => Reading::Partial {
            fact,
            detail: format!(
                "A part of the event's object cannot be read ({}): {fault}. The rest was applied; what this \
                 part may have meant for credits was not.",
                fault.code()
            ),
        },
    }
}

/// What metadata claims was bought.
fn claimed(source: ClaimSource, metadata: &Metadata, keys: &MetadataKeys) -> ClaimedTerms {
    let text = |key: &str| metadata.get(key).map(str::to_owned);
    ClaimedTerms {
        tenant: text(&keys.tenant),
        package: text(&keys.package),
        credits: text(&keys.credits),
        ..ClaimedTerms::none(source)
    }
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

/// No money moved yet; shown, so that a person can refund before it becomes a dispute.
fn warning_knowledge(warning: &EarlyFraudWarningSnapshot) -> Knowledge {
    let mut known = linked(warning.payment_intent.as_ref(), warning.charge.as_ref());
    known.warnings.insert(ObjectId::from(warning.id.as_str()));
    known
}
