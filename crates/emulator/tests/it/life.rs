//! A small language for the life of one payment: `4242424242424242: buy 2500 eur; refund 1000; advance 7d`
//! becomes the list of its events, one line each. Every event is also parsed by `stripe`'s reader.

use std::collections::BTreeMap;

use emulator::act::checkout::{self, NewCheckoutSession};
use emulator::act::control::{ControlCommand, Hasten, HoldDeliveries, Misbehave, Release, Resend};
use emulator::act::payment::Instrument;
use emulator::act::refund::{self, NewRefund};
use emulator::act::{dispute, fraud_warning};
use emulator::object::{EventRecord, LineItem, MetadataMap, Misbehaviour, Price, WebhookEndpoint};
use emulator::world::{ClockMode, World};
use serde_json::{Value, json};
use stripe::write::{ApiVersion, BillingDetails, pretty};
use stripe::{Envelope, Object};

/// The start of every life, in Unix seconds.
pub(crate) const START: i64 = 1_790_000_000;

/// A world with one endpoint of this version that wants every event.
pub(crate) fn world(version: ApiVersion) -> World {
    let mut world = World::new(7, ClockMode::Still { at_ms: START * 1_000 }, START * 1_000);
    add_endpoint(&mut world, "we_1", "http://127.0.0.1:9/", version);
    world
}

/// Adds an endpoint with this id that wants every event.
pub(crate) fn add_endpoint(world: &mut World, id: &str, url: &str, version: ApiVersion) {
    let endpoint = serde_json::to_value(endpoint(id, url, version)).expect("JSON");
    edit(world, |saved| saved["endpoints"].as_array_mut().expect("a list").push(endpoint));
}

/// Executes a command that must be accepted.
pub(crate) fn run<C: ControlCommand>(world: &mut World, command: C) -> C::Done {
    command.run(world).unwrap_or_else(|refusal| panic!("refused: {refusal}"))
}

/// Holds the deliveries to `we_1`.
pub(crate) fn hold(world: &mut World) {
    run(world, HoldDeliveries { endpoint: "we_1".to_owned() });
}

/// Releases the deliveries to `we_1`.
pub(crate) fn release(world: &mut World, shuffle: Option<u64>, times: u32) {
    run(world, Release { endpoint: "we_1".to_owned(), shuffle, times });
}

/// Sets the misbehaviour of the deliveries to `we_1`.
pub(crate) fn misbehave(world: &mut World, misbehaviour: Misbehaviour) {
    run(world, Misbehave { endpoint: "we_1".to_owned(), misbehaviour });
}

/// Sends an event again to every endpoint that subscribes to it.
pub(crate) fn resend(world: &mut World, event: &str) -> usize {
    run(world, Resend { event: event.to_owned(), endpoint: None })
}

/// Edits the account as a saved file, to create states that no command creates.
pub(crate) fn edit(world: &mut World, change: impl FnOnce(&mut Value)) {
    let mut saved = serde_json::to_value(&*world).expect("JSON");
    change(&mut saved);
    *world = serde_json::from_value(saved).expect("an account");
}

/// An endpoint that wants every event.
fn endpoint(id: &str, url: &str, version: ApiVersion) -> WebhookEndpoint {
    let fields = json!({
        "id": id, "created": START, "url": url, "enabled_events": ["*"], "api_version": version.as_str(),
        "description": null, "metadata": {}, "enabled": true,
        "secrets": [{ "text": SECRET, "expires": null }],
        "misbehaviour": {}, "held": false, "failing_since": null, "ready": [], "flushing": false,
    });
    serde_json::from_value(fields).expect("an endpoint")
}

/// The signing secret of every test endpoint.
pub(crate) const SECRET: &str = "whsec_rehearsal0000000000000000";

/// A life in progress.
pub(crate) struct Life {
    pub(crate) world: World,
    version: ApiVersion,
    number: String,
    session: String,
    refund: String,
    /// The actions that were refused, with the reasons.
    pub(crate) refused: Vec<String>,
}

/// The events that an endpoint of this version receives, one line each; then the refused actions.
pub(crate) fn life(version: ApiVersion, story: &str) -> Vec<String> {
    let mut life = Life::new(version);
    life.play(story);
    life.lines()
}

/// Compares every life of a table with its expected lines, and shows all differences. A line that begins with
/// neither a time nor `refused` continues the line before.
pub(crate) fn check(version: ApiVersion, cases: &[(&str, &str)]) {
    check_part(version, cases, &[]);
}

/// The same, without the events of a card payment, which are the same in every life (`payments`).
pub(crate) fn check_after_purchase(version: ApiVersion, cases: &[(&str, &str)]) {
    let paying = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ];
    check_part(version, cases, &paying);
}

fn check_part(version: ApiVersion, cases: &[(&str, &str)], without: &[&str]) {
    let mut differ = String::new();
    for (story, expected) in cases {
        let mut lines = life(version, story);
        lines.retain(|line| !without.contains(&line.split(' ').nth(1).unwrap_or_default()));
        let expected = joined(expected);
        if lines != expected {
            let (lines, expected) = (lines.join("\n    "), expected.join("\n    "));
            differ += &format!("\n{story}\n  is\n    {lines}\n  and not\n    {expected}\n");
        }
    }
    assert!(differ.is_empty(), "{differ}");
}

fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let begins = line.starts_with(|c: char| c.is_ascii_digit()) || line.starts_with("refused ");
        match lines.last_mut().filter(|_| !begins) {
            Some(last) => *last = format!("{last} {line}"),
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

impl Life {
    pub(crate) fn new(version: ApiVersion) -> Self {
        let number = String::new();
        let (session, refund) = (String::new(), String::new());
        Self { world: world(version), version, number, session, refund, refused: Vec::new() }
    }

    pub(crate) fn play(&mut self, story: &str) {
        let actions = story.split_once(": ").map_or(story, |(number, actions)| {
            number.clone_into(&mut self.number);
            actions
        });
        for action in actions.split(';') {
            let mut words = action.split_whitespace();
            let verb = words.next().expect("a verb");
            self.act(verb, words.next(), words.next());
        }
    }

    fn act(&mut self, verb: &str, what: Option<&str>, more: Option<&str>) {
        let world = &mut self.world;
        let result = match verb {
            "session" => {
                self.session = new_session(world, amount(what), more.expect("a currency"));
                Ok(())
            }
            "buy" => {
                self.session = new_session(world, amount(what), more.expect("a currency"));
                return self.pay(what.map(|_| self.number.clone()));
            }
            "pay" => return self.pay(what.map(str::to_owned)),
            "confirm" | "refuse" => {
                let confirmed = verb == "confirm";
                let paid = checkout::answer_challenge(world, &self.session, confirmed, payer());
                if paid == checkout::PayOutcome::NotOpen { Err("not open".to_owned()) } else { Ok(()) }
            }
            "expire" => {
                checkout::expire(world, &self.session);
                Ok(())
            }
            "refund" => {
                let new = NewRefund {
                    charge: charge(world),
                    amount: what.map(|_| amount(what)),
                    reason: None,
                    metadata: MetadataMap::new(),
                };
                refund::create(world, new).map(|id| self.refund = id).map_err(|why| format!("{why:?}"))
            }
            "cancel" => refund::cancel(world, &self.refund).then_some(()).ok_or("not pending".to_owned()),
            "dispute" => {
                dispute::open(world, &charge(world), what.unwrap_or("fraudulent"), false);
                Ok(())
            }
            "inquire" => {
                dispute::open(world, &charge(world), "fraudulent", true);
                Ok(())
            }
            "warn" => {
                fraud_warning::issue(world, &charge(world));
                Ok(())
            }
            "submit" | "draft" => {
                let text = what.expect("a text").to_owned();
                let evidence = BTreeMap::from([("uncategorized_text".to_owned(), text)]);
                let open = dispute::answer(world, &last_dispute(world), evidence, |_| (), verb == "submit");
                open.then_some(()).ok_or("closed".to_owned())
            }
            "close" => dispute::close(world, &last_dispute(world)).then_some(()).ok_or("closed".to_owned()),
            "advance" => {
                let until = world.now_ms() + seconds(what.expect("how long")) * 1_000;
                world.run_until(until);
                Ok(())
            }
            "hasten" => {
                let object = charge(world);
                run(world, Hasten { object });
                Ok(())
            }
            other => panic!("unknown verb {other}"),
        };
        self.refused.extend(result.err().map(|why| format!("refused {verb}: {why}")));
    }

    fn pay(&mut self, number: Option<String>) {
        let number = number.unwrap_or_else(|| self.number.clone());
        let instrument = Instrument::of_number(&number).expect("a test number");
        let paid = checkout::pay(&mut self.world, &self.session, &instrument, payer());
        if paid == checkout::PayOutcome::NotOpen {
            self.refused.push("refused pay: not open".to_owned());
        }
    }

    /// The events, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let endpoint = self.world.endpoints().iter().next().expect("an endpoint");
        let events = self.world.events().iter().filter(|event| endpoint.wants(&event.type_name));
        events.map(|event| line(event, self.version)).chain(self.refused.iter().cloned()).collect()
    }
}

fn amount(what: Option<&str>) -> i64 {
    what.expect("an amount").parse().expect("minor units")
}

/// `90s`, `4h`, `7d`.
fn seconds(text: &str) -> i64 {
    let (count, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
        "h" => 3_600,
        "d" => 86_400,
        other => panic!("unknown unit {other}"),
    };
    count.parse::<i64>().expect("a number") * unit
}

/// `0s`, `90s`, `3h`, `7d+2s`.
fn when(seconds: i64) -> String {
    let parts = [(86_400, "d"), (3_600, "h"), (1, "s")];
    let mut rest = seconds;
    let mut text = Vec::new();
    for (size, unit) in parts {
        if rest >= size {
            text.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text.join("+") }
}

fn charge(world: &World) -> String {
    world.charges().iter().next_back().expect("a charge").id.clone()
}

fn last_dispute(world: &World) -> String {
    world.disputes().iter().next_back().expect("a dispute").id.clone()
}

pub(crate) fn payer() -> BillingDetails {
    let name = Some("Jenny Rosen".to_owned());
    let email = Some("jenny@example.com".to_owned());
    BillingDetails { name, email, country: Some("DE".to_owned()), postal_code: None }
}

pub(crate) fn new_session(world: &mut World, amount: i64, currency: &str) -> String {
    checkout::create(world, wanted(amount, currency), "http://127.0.0.1:1")
}

/// A session for one item at this price, with metadata on the session only.
pub(crate) fn wanted(amount: i64, currency: &str) -> NewCheckoutSession {
    let price = json!({
        "id": "price_1", "created": START, "product": "prod_1", "currency": currency, "unit_amount": amount,
        "nickname": null, "lookup_key": null, "active": true, "metadata": {}, "tax_inclusive": false,
    });
    let price: Price = serde_json::from_value(price).expect("a price");
    let item = LineItem {
        id: "li_1".to_owned(),
        description: "Credits".to_owned(),
        quantity: 1,
        price,
        amount_subtotal: amount,
        amount_tax: 0,
        amount_total: amount,
    };
    NewCheckoutSession {
        metadata: MetadataMap::from([("tenant_id".to_owned(), "t1".to_owned())]),
        ..NewCheckoutSession::new(vec![item], currency)
    }
}

/// One event: its time, type, important fields, and their previous values. It must be parsable.
fn line(event: &EventRecord, version: ApiVersion) -> String {
    let body = pretty(&event.render(version, event.recipients));
    let read = Envelope::parse(body.as_bytes()).expect("an event");
    assert_eq!((read.id(), read.type_name()), (event.id.as_str(), event.type_name.as_str()));
    assert_eq!((read.created(), read.livemode()), (Some(event.created), Some(false)));
    let Envelope::Snapshot(read) = &read else { panic!("a thin event") };
    let fields = match read.object().expect("an object") {
        Object::CheckoutSession(o) => {
            let payment = o.payment_status.map(|status| status.name().to_owned());
            format!(
                "{} {} {}",
                o.status.expect("status"),
                payment.expect("payment"),
                o.amount_total.expect("amount")
            )
        }
        Object::PaymentIntent(o) => {
            let raw: Value = serde_json::from_str(&body).expect("JSON");
            let error = &raw["data"]["object"]["last_payment_error"];
            let code = [&error["code"], &error["decline_code"]];
            let code: Vec<_> =
                code.iter().filter_map(|code| code.as_str()).filter(|code| !code.is_empty()).collect();
            let received = o.amount_received.filter(|amount| *amount > 0).map(|amount| amount.to_string());
            [
                vec![o.status.expect("status")],
                received.into_iter().collect(),
                code.into_iter().map(str::to_owned).collect(),
            ]
            .concat()
            .join(" ")
        }
        Object::Charge(o) => {
            let refunded = if o.refunded { "refunded " } else { "" };
            format!(
                "{} {}{} of {}",
                o.status.expect("status"),
                refunded,
                o.amount_refunded,
                o.amount.expect("amount")
            )
        }
        Object::Refund(o) => {
            format!("{} {}", o.status.as_ref().map_or("none", |status| status.name()), o.amount)
        }
        Object::Dispute(o) => {
            let legs: Vec<_> = o.balance_transactions.iter().map(|leg| format!("{:+}", leg.amount)).collect();
            format!("{} {} [{}]", o.status.name(), o.amount, legs.join(" "))
        }
        Object::EarlyFraudWarning(o) => format!("actionable {}", o.actionable),
        other => format!("{other:?}"),
    };
    let rendered = event.render(version, 0);
    let mut was = Vec::new();
    rendered["data"].get("previous_attributes").into_iter().for_each(|before| leaves("", before, &mut was));
    let was = if was.is_empty() { String::new() } else { format!(" was {}", was.join(", ")) };
    format!("{} {} {fields}{was}", when(event.created - START), event.type_name)
}

/// Adds every nested value that is not an object, with its name.
fn leaves(name: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| leaves(name, value, into)),
        Value::Number(seconds) if name == "due_by" => {
            into.push(format!("{name} {}", when(seconds.as_i64().expect("seconds") - START)));
        }
        Value::String(text) => into.push(format!("{name} {text}")),
        other => into.push(format!("{name} {other}")),
    }
}
