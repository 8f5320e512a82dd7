//! Scenarios that try to break the account: extreme amounts, missing objects, metadata, dropped events.

use emulator::act::checkout::{self, PayOutcome};
use emulator::act::control::Hasten;
use emulator::act::payment::Instrument;
use emulator::act::refund::{self, NewRefund, RefundRefusal};
use emulator::act::{dispute, endpoint, fraud_warning, payment};
use emulator::cards::{CARDS, Effect};
use emulator::object::{MetadataMap, Misbehaviour};
use emulator::world::{ClockMode, DeliveryState, Outcome, World};
use serde_json::Value;
use stripe::write::{ApiVersion, CustomerCreation};

use crate::life::{Life, START, edit, hold, life, misbehave, payer, release, resend, run, wanted, world};
use crate::receiver::buy;

fn refund_of(charge: &str, amount: Option<i64>) -> NewRefund {
    NewRefund { charge: charge.to_owned(), amount, reason: None, metadata: MetadataMap::new() }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn every_decline_has_its_code_and_leaves_the_session_open() {
    for card in CARDS {
        let Effect::Declined(refusal) = &card.effect else { continue };
        let lines = life(ApiVersion::Endive, &format!("{}: buy 2500 eur", card.number));
        let code =
            [Some(refusal.code), refusal.decline_code].into_iter().flatten().collect::<Vec<_>>().join(" ");
        assert_eq!(lines[1], "0s charge.failed failed 0 of 2500");
        assert_eq!(lines[2..], [format!("0s payment_intent.payment_failed requires_payment_method {code}")]);
    }
}

#[test]
fn extreme_amounts_neither_overflow_nor_lose_a_cent() {
    const MAX: i64 = i64::MAX;
    let mut life = Life::new(ApiVersion::Endive);
    life.play(&format!(
        "4242424242424242: buy {MAX} eur; refund {}; dispute; submit winning_evidence",
        MAX - 1
    ));
    life.play("refund 2; refund 1; refund; advance 99d");
    let charge = life.world.charges().iter().next().expect("a charge");
    assert_eq!((charge.amount_refunded, charge.refunded), (MAX, true));
    for event in life.world.events().iter() {
        ApiVersion::ALL.iter().for_each(|version| drop(event.render(*version, u32::MAX)));
    }
    assert_eq!(life.refused, ["refused refund: TooMuch { left: 1 }", "refused refund: AlreadyRefunded"]);
    for taxed in [false, true] {
        for inclusive in [false, true] {
            assert_eq!(checkout::amounts(MAX, 2, taxed, inclusive), None);
            let fits = checkout::amounts(MAX, 1, taxed, inclusive);
            let adds_up = |(before, tax, with): (i64, i64, i64)| {
                if inclusive { before == with && tax < with } else { before.checked_add(tax) == Some(with) }
            };
            assert!(fits.is_none_or(adds_up));
        }
    }
    assert_eq!(checkout::amounts(999, 3, true, true), Some((2_997, 500, 2_997)));
    assert_eq!(checkout::amounts(999, 3, true, false), Some((2_997, 599, 3_596)));
}

#[test]
fn a_clock_at_the_end_of_time_does_not_overflow() {
    let end = i64::MAX;
    let mut world = World::new(7, ClockMode::Still { at_ms: end }, end);
    crate::life::add_endpoint(&mut world, "we_1", "http://127.0.0.1:9/", ApiVersion::Endive);
    buy(&mut world, "4000000000000259");
    world.run_until(end);
    let dispatch = world.dispatch("we_1", START).expect("an attempt");
    world.record(&dispatch, Outcome::Failed(text("no")), 0);
}

#[test]
fn missing_objects_change_nothing() {
    let mut world = world(ApiVersion::Endive);
    buy(&mut world, "4242424242424242");
    let before = serde_json::to_string(&world).expect("JSON");
    let card = Instrument::of_number("4242424242424242").expect("a card");
    checkout::expire(&mut world, "cs_none");
    assert_eq!(checkout::pay(&mut world, "cs_none", &card, payer()), PayOutcome::NotOpen);
    assert_eq!(checkout::answer_challenge(&mut world, "cs_none", true, payer()), PayOutcome::NotOpen);
    payment::cancel(&mut world, "pi_none", "abandoned");
    assert_eq!(refund::create(&mut world, refund_of("ch_none", None)), Err(RefundRefusal::NoCharge));
    assert!(!refund::cancel(&mut world, "re_none"));
    assert_eq!(dispute::open(&mut world, "ch_none", "fraudulent", false), None);
    assert_eq!(fraud_warning::issue(&mut world, "ch_none"), None);
    assert!(!dispute::close(&mut world, "du_none"));
    assert!(!dispute::answer(&mut world, "du_none", [].into(), |_| (), true));
    assert_eq!(run(&mut world, Hasten { object: text("ch_none") }), 0);
    assert!(!endpoint::delete(&mut world, "we_none") && world.dispatch("we_none", START).is_none());
    assert!(Instrument::of_number("4111111111111111").is_none());
    for amount in [0, -1, i64::MIN] {
        let charge = world.charges().iter().next().expect("a charge").id.clone();
        assert_eq!(
            refund::create(&mut world, refund_of(&charge, Some(amount))),
            Err(RefundRefusal::NotPositive)
        );
    }
    assert_eq!(serde_json::to_string(&world).expect("JSON"), before);
}

#[test]
fn tasks_for_deleted_objects_do_nothing() {
    let mut world = world(ApiVersion::Endive);
    for number in ["4000000000007726", "4000000000005126", "4000000000000259", "AT591904300235473203"] {
        buy(&mut world, number);
        let charge = world.charges().iter().next_back().expect("a charge").id.clone();
        drop(refund::create(&mut world, refund_of(&charge, Some(1))));
    }
    edit(&mut world, |saved| {
        for table in ["charges", "refunds"] {
            saved[table].as_array_mut().expect("a list").clear();
        }
    });
    let events = world.events().len();
    world.run_until((START + 20 * 24 * 3_600) * 1_000);
    assert_eq!((world.events().len(), world.upcoming().count()), (events, 0));
}

#[test]
fn a_charge_without_a_test_number_can_be_refunded() {
    let mut world = world(ApiVersion::Endive);
    buy(&mut world, "4242424242424242");
    let mut charge = world.charges().iter().next().expect("a charge").clone();
    charge.id = text("ch_other");
    charge.payment_intent = None;
    let charge = serde_json::to_value(charge).expect("JSON");
    edit(&mut world, |saved| saved["charges"].as_array_mut().expect("a list").push(charge));
    let refund = refund::create(&mut world, refund_of("ch_other", None)).expect("a refund");
    dispute::open(&mut world, "ch_other", "fraudulent", true);
    world.run_until((START + 20 * 24 * 3_600) * 1_000);
    assert_eq!(world.refunds().get(&refund).map(|refund| refund.amount), Some(2_500));
}

#[test]
fn metadata_stays_on_the_object_it_was_set_on() {
    for passed_on in [false, true] {
        let mut world = world(ApiVersion::Endive);
        let mut new = wanted(2_500, "eur");
        if passed_on {
            new.intent_metadata = MetadataMap::from([(text("order"), text("7"))]);
        }
        new.customer_creation = CustomerCreation::Always;
        let session = checkout::create(&mut world, new, "http://127.0.0.1:1");
        let card = Instrument::of_number("4000000000000259").expect("a card");
        assert_eq!(checkout::pay(&mut world, &session, &card, payer()), PayOutcome::Complete);
        world.run_until((START + 100) * 1_000);
        let charge = world.charges().iter().next().expect("a charge").id.clone();
        let disputed = world.disputes().iter().next().expect("a dispute").id.clone();
        assert!(dispute::close(&mut world, &disputed));
        drop(refund::create(&mut world, refund_of(&charge, None)));
        let mut customers = 0;
        for event in world.events().iter() {
            let rendered = event.render(ApiVersion::Endive, 1);
            let found = &rendered["data"]["object"]["metadata"];
            let expected = match rendered["data"]["object"]["object"].as_str().expect("an object") {
                "checkout.session" => serde_json::json!({ "tenant_id": "t1" }),
                "payment_intent" | "charge" if passed_on => serde_json::json!({ "order": "7" }),
                kind => {
                    customers += usize::from(kind == "customer");
                    serde_json::json!({})
                }
            };
            assert_eq!(found, &expected, "{}", event.type_name);
        }
        assert_eq!(customers, 1);
    }
}

#[test]
fn events_are_dropped_after_30_days_even_with_an_attempt_in_flight() {
    let mut world = world(ApiVersion::Endive);
    buy(&mut world, "4242424242424242");
    world.run_until(START * 1_000);
    let dispatch = world.dispatch("we_1", START).expect("an attempt");
    assert!(world.dispatch("we_1", START).is_none(), "one at a time");
    world.run_until((START + 31 * 24 * 3_600) * 1_000);
    buy(&mut world, "4242424242424242");
    assert_eq!(world.events().len(), 4);
    world.record(&dispatch, Outcome::Failed(text("too late")), 0);
    world.run_until(world.now_ms());
    let mut sent = 0;
    while let Some(dispatch) = world.dispatch("we_1", START) {
        world.record(&dispatch, Outcome::Answered { status: 200, excerpt: String::new() }, 0);
        world.run_until(world.now_ms());
        sent += 1;
    }
    assert_eq!(sent, 4);
    assert!(world.quiet());
}

#[test]
fn an_event_accepted_several_times_counts_once() {
    let mut world = world(ApiVersion::Endive);
    misbehave(&mut world, Misbehaviour { duplicate: 100, twin: 100, ..Misbehaviour::default() });
    buy(&mut world, "4242424242424242");
    let events: Vec<String> = world.events().iter().map(|event| event.id.clone()).collect();
    for event in events.iter().chain(&events) {
        assert_eq!(resend(&mut world, event), 1);
    }
    world.run_until(START * 1_000);
    let mut sent = 0;
    while let Some(dispatch) = world.dispatch("we_1", START) {
        let status = if sent % 3 == 0 { 500 } else { 200 };
        world.record(&dispatch, Outcome::Answered { status, excerpt: String::new() }, 0);
        world.run_until(world.now_ms());
        sent += 1;
    }
    assert!(world.events().iter().all(|event| (event.recipients, event.pending) == (1, 0)));
    assert!(world.deliveries().all(|delivery| delivery.state == DeliveryState::Delivered));
}

#[test]
fn an_endpoint_enabled_before_the_retry_receives_it() {
    let mut world = world(ApiVersion::Endive);
    buy(&mut world, "4242424242424242");
    world.run_until(START * 1_000);
    let fail = |world: &mut World| {
        while let Some(dispatch) = world.dispatch("we_1", START) {
            world.record(&dispatch, Outcome::Failed(text("no")), 0);
        }
    };
    fail(&mut world);
    let enable = |world: &mut World, on: bool| endpoint::enable(world, "we_1", on);
    enable(&mut world, false);
    world.run_until((START + 299) * 1_000);
    enable(&mut world, true);
    world.run_until((START + 300) * 1_000);
    fail(&mut world);
    assert!(world.deliveries().take(4).all(|delivery| delivery.attempts.len() == 2));
    enable(&mut world, false);
    world.run_until((START + 9_999) * 1_000);
    enable(&mut world, true);
    world.run_until((START + 99_999) * 1_000);
    assert!(world.dispatch("we_1", START).is_none());
    let stopped = |delivery: &emulator::world::Delivery| delivery.state == DeliveryState::Stopped;
    assert!(world.deliveries().all(stopped), "a disabled endpoint misses events for good");
}

#[test]
fn held_deliveries_to_a_disabled_endpoint_are_not_sent() {
    let mut world = world(ApiVersion::Endive);
    hold(&mut world);
    buy(&mut world, "4242424242424242");
    world.run_until(START * 1_000);
    endpoint::enable(&mut world, "we_1", false);
    release(&mut world, None, 2);
    assert!(world.dispatch("we_1", START).is_none());
    assert!(world.deliveries().all(|delivery| delivery.state == DeliveryState::Stopped));
    assert!(world.quiet());
}

#[test]
fn a_full_burst_is_due() {
    let mut world = world(ApiVersion::Endive);
    misbehave(&mut world, Misbehaviour { burst: 4, ..Misbehaviour::default() });
    buy(&mut world, "4242424242424242");
    assert!(world.quiet(), "the clock may advance until they are due");
    world.run_until(START * 1_000);
    assert!(!world.quiet(), "the clock must wait for them");
    let sent: Vec<_> = std::iter::from_fn(|| world.dispatch("we_1", START)).collect();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|sent| sent.burst));
}

#[test]
fn only_events_that_a_request_caused_have_its_id() {
    let mut world = world(ApiVersion::Endive);
    let request = emulator::object::RequestReference { id: text("req_1"), idempotency_key: Some(text("k")) };
    world.on_behalf_of(Some(request));
    buy(&mut world, "4242424242424242");
    world.run_until((START + 90) * 1_000);
    let requests: Vec<_> =
        world.events().iter().map(|event| event.render(ApiVersion::Endive, 1)["request"].clone()).collect();
    assert!(
        requests[..4].iter().all(|request| request["id"] == "req_1" && request["idempotency_key"] == "k")
    );
    assert_eq!(requests[4]["id"], Value::Null);
}
