//! Takes the steps of a scenario in a world of its own, and writes the events that come of them.

use std::collections::BTreeMap;

use serde_json::Value;
use stripe::write::{ApiVersion, BillingDetails, WrittenEvent, pretty};

use super::step::GOOD;
use super::{Sale, Step};
use crate::act::endpoint::{self, NewWebhookEndpoint};
use crate::act::payment::Instrument;
use crate::act::refund::{self, NewRefund};
use crate::act::{capture, checkout, dispute, fraud_warning, payment};
use crate::object::{EventRecord, MetadataMap};
use crate::world::{ClockMode, World};

/// How long before the payment the customer opened the session, in seconds.
const OPENED_BEFORE: i64 = 60;

/// A world, and how far a scenario has come in it.
pub(super) struct Run<'a> {
    sale: &'a Sale,
    /// What a refund, dispute or capture is about, in minor units; everything where it is None.
    part: Option<i64>,
    world: World,
    session: String,
    refund: String,
    /// The name of the latest step that was not only time: a part of the ids of its events.
    step: &'static str,
    /// The end of the test number, such as `_0002`; empty for the usual card. Another part of the ids.
    number: String,
    events: Vec<Made>,
}

/// An event and its id.
struct Made {
    id: String,
    event: EventRecord,
}

impl<'a> Run<'a> {
    /// Opens the sale's session. The customer pays `total`, in minor units, at `start`, in Unix seconds.
    pub(super) fn new(sale: &'a Sale, start: i64, total: i64, part: Option<i64>) -> Self {
        let milliseconds = |seconds: i64| seconds.saturating_mul(1_000);
        let opened = milliseconds(start.saturating_sub(OPENED_BEFORE));
        let mut world = World::new(0, ClockMode::Still { at_ms: opened }, opened);
        // Some events are made only for an endpoint that wants them.
        let wants_old_names = NewWebhookEndpoint {
            url: "https://shop.example.com/webhook".to_owned(),
            enabled_events: vec!["charge.refund.updated".to_owned()],
            api_version: ApiVersion::V2022_11_15,
            description: None,
            metadata: MetadataMap::new(),
            secret: None,
        };
        endpoint::create(&mut world, wants_old_names);
        world.ids.name_after(&sale.reference);
        let session = checkout::create(&mut world, sale.session(total), "https://checkout.stripe.com");
        world.run_until(milliseconds(start));
        Self {
            sale,
            part,
            world,
            session,
            refund: String::new(),
            step: "",
            number: String::new(),
            events: Vec::new(),
        }
    }

    /// Takes these steps.
    pub(super) fn take(&mut self, steps: &[Step]) {
        for step in steps {
            self.step = step.name().unwrap_or(self.step);
            if let Step::Pay(number) = *step
                && number != GOOD
            {
                self.number = format!("_{}", &number[number.len().saturating_sub(4)..]);
            }
            let added = self.world.events.added();
            self.take_one(*step);
            for event in self.world.events.added_since(added).cloned().collect::<Vec<_>>() {
                let id = self.event_id(&event);
                self.events.push(Made { id, event });
            }
        }
    }

    /// The events that an endpoint of the sale's API version receives.
    pub(super) fn written(&self) -> Vec<WrittenEvent> {
        let version = self.sale.api_version;
        let sent = self.events.iter().filter(|made| version.sends(&made.event.type_name));
        sent.map(|made| written(&made.event, self.sale, made.id.clone())).collect()
    }

    /// The latest event of this type.
    pub(super) fn last(self, type_name: &str) -> Option<EventRecord> {
        self.events.into_iter().map(|made| made.event).rfind(|event| event.type_name == type_name)
    }

    fn take_one(&mut self, step: Step) {
        let charge = self.charge();
        match step {
            Step::Pay(number) => {
                if let Some(instrument) = Instrument::of_number(number) {
                    checkout::pay(&mut self.world, &self.session, &instrument, payer());
                }
            }
            Step::Wait(seconds) => {
                let until = self.world.now_ms().saturating_add(seconds.saturating_mul(1_000));
                self.world.run_until(until);
            }
            Step::RefundHalf => self.refund(Some(self.sale.amount / 2)),
            Step::Refund => self.refund(self.part),
            Step::FinishRefund => self.finish(&self.refund.clone()),
            Step::FinishCharge => self.finish(&charge),
            Step::Dispute => {
                dispute::open_for(&mut self.world, &charge, self.part, "fraudulent", false);
            }
            Step::Answer(text) => self.answer(text),
            Step::Warn => drop(fraud_warning::issue(&mut self.world, &charge)),
            Step::Expire => checkout::expire(&mut self.world, &self.session),
            Step::Authorize => {
                let intent = checkout::intent_of(&mut self.world, &self.session);
                capture::authorize(&mut self.world, &intent, &payer());
            }
            Step::Capture => capture::capture(&mut self.world, &charge, self.part),
            Step::ExpireAuthorization => capture::expire(&mut self.world, &charge),
            Step::FundHalf => {
                let intent = checkout::intent_of(&mut self.world, &self.session);
                payment::fund(&mut self.world, &intent, self.sale.amount / 2);
            }
        }
    }

    /// What Stripe refuses does not happen.
    fn refund(&mut self, amount: Option<i64>) {
        let reason = Some("requested_by_customer".to_owned());
        let new = NewRefund { charge: self.charge(), amount, reason, metadata: MetadataMap::new() };
        if let Ok(refund) = refund::create(&mut self.world, new) {
            self.refund = refund;
        }
    }

    fn answer(&mut self, text: &str) {
        let Some(dispute) = self.world.disputes.iter().next_back().map(|dispute| dispute.id.clone()) else {
            return;
        };
        let evidence = BTreeMap::from([("uncategorized_text".to_owned(), text.to_owned())]);
        dispute::answer(&mut self.world, &dispute, evidence, |_| (), true);
    }

    /// Lets time pass until nothing is scheduled for the object.
    fn finish(&mut self, object: &str) {
        while let Some(due_ms) = self.world.agenda.due_about(object) {
            self.world.run_until(due_ms);
        }
    }

    /// The latest charge's id; empty before there is one.
    fn charge(&self) -> String {
        self.world.charges.iter().next_back().map(|charge| charge.id.clone()).unwrap_or_default()
    }

    /// `evt_REFERENCE_STEP_TYPE`, or with the end of the test number `evt_REFERENCE_STEP_1234_TYPE`: the same
    /// in every scenario with this step.
    fn event_id(&self, event: &EventRecord) -> String {
        let type_name = event.type_name.replace('.', "_");
        let id = format!("evt_{}_{}{}_{type_name}", self.sale.reference, self.step, self.number);
        let earlier = self.events.iter().filter(|made| made.id.starts_with(&id)).count();
        if earlier == 0 { id } else { format!("{id}_{}", earlier + 1) }
    }
}

/// The event as Stripe would send it to an endpoint of the sale's API version, with this id.
pub(super) fn written(event: &EventRecord, sale: &Sale, id: String) -> WrittenEvent {
    let event = EventRecord { id, ..event.clone() };
    let mut body = event.render(sale.api_version, 1);
    if sale.livemode {
        make_live(&mut body);
    }
    WrittenEvent { id: event.id, type_name: event.type_name, created: event.created, body: pretty(&body) }
}

/// The emulator itself knows test mode only.
fn make_live(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "livemode" {
                    *value = Value::Bool(true);
                } else {
                    make_live(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_live),
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix("cs_test_") {
                *text = format!("cs_live_{rest}");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The customer. Not all of the name is ASCII, as names are.
fn payer() -> BillingDetails {
    BillingDetails {
        name: Some("Žofie Müller".to_owned()),
        email: Some("buyer@example.com".to_owned()),
        country: Some("AT".to_owned()),
        postal_code: Some("1010".to_owned()),
    }
}
