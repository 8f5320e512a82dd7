//! Answers to commands are stored and given again: they round-trip through JSON in a stable format, and
//! malformed ones are rejected. Also what receipts contain, and that expiry and resolution happen once.

use ledger::{
    Account, Allocation, Balance, Credits, Hold, HoldId, HoldState, LotId, Now, Receipt, Refusal, Timestamp,
    execute, expire,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::command_syntax::hold_id;
use crate::history::histories;
use crate::step::{Step, letter, tenant};
use crate::world::World;

type Answer = Result<Receipt, Refusal>;

fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// Every kind of refusal.
fn refusals() -> [Refusal; 8] {
    let [requested, available, debt, held] = [7, 0, 3, 5].map(Credits);
    [
        Refusal::NotPositive,
        Refusal::Insufficient { requested, available, debt },
        Refusal::NoSuchHold,
        Refusal::HoldResolved { state: HoldState::Captured },
        Refusal::HoldResolved { state: HoldState::Released },
        Refusal::HoldResolved { state: HoldState::Expired },
        Refusal::CaptureExceedsHold { requested, held },
        Refusal::DebtTooSmall { debt },
    ]
}

fn receipt() -> Receipt {
    let lots = vec![Allocation { lot: LotId(1), credits: Credits(2) }];
    let hold = Hold {
        id: hold_id("h1"),
        tenant: tenant("A").unwrap(),
        credits: Credits(2),
        captured: Credits(1),
        state: HoldState::Captured,
        lots: lots.clone(),
        reference: Some("lease \"7\"\n\\".into()),
        created_at: Timestamp(i64::MIN),
        expires_at: Timestamp(i64::MAX),
        resolved_at: Some(Timestamp(1)),
    };
    let balance_after = Balance { available: Credits(1), ..Balance::default() };
    Receipt { transaction: 9, credits: Credits(-2), allocations: lots, balance_after, hold: Some(hold) }
}

#[test]
fn answers_round_trip_through_json() {
    for refusal in refusals() {
        assert_eq!(round_trip::<Answer>(&Err(refusal)), Err(refusal));
    }
    let full = receipt();
    let plain = Receipt { hold: None, ..full.clone() };
    for receipt in [full, plain] {
        assert_eq!(round_trip::<Answer>(&Ok(receipt.clone())), Ok(receipt));
    }
    for id in [uuid::Uuid::nil(), uuid::Uuid::max(), uuid::Uuid::from_u128(1 << 100)].map(HoldId) {
        assert_eq!(round_trip(&id), id);
        assert_eq!(HoldId::parse(&id.to_string()), Some(id));
    }
}

/// Answers stored today must stay readable: changing this format would lose stored answers.
#[test]
fn stored_answers_keep_their_format() {
    let texts = refusals().map(|refusal| serde_json::to_string(&Answer::Err(refusal)).unwrap());
    let expected = [
        r#"{"Err":{"refusal":"not_positive"}}"#,
        r#"{"Err":{"refusal":"insufficient","requested":7,"available":0,"debt":3}}"#,
        r#"{"Err":{"refusal":"no_such_hold"}}"#,
        r#"{"Err":{"refusal":"hold_resolved","state":"captured"}}"#,
        r#"{"Err":{"refusal":"hold_resolved","state":"released"}}"#,
        r#"{"Err":{"refusal":"hold_resolved","state":"expired"}}"#,
        r#"{"Err":{"refusal":"capture_exceeds_hold","requested":7,"held":5}}"#,
        r#"{"Err":{"refusal":"debt_too_small","debt":3}}"#,
    ];
    assert_eq!(texts, expected);
    let expected = json!({"Ok": {
        "transaction": 9, "credits": -2, "allocations": [{"lot": 1, "credits": 2}],
        "balance_after": {"available": 1, "held": 0, "frozen": 0, "debt": 0},
        "hold": {
            "id": "hold_00000000000000000000000000000001", "tenant": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
            "credits": 2, "captured": 1, "state": "captured", "lots": [{"lot": 1, "credits": 2}],
            "reference": "lease \"7\"\n\\", "created_at": i64::MIN, "expires_at": i64::MAX, "resolved_at": 1,
        },
    }});
    assert_eq!(serde_json::to_value(Answer::Ok(receipt())).unwrap(), expected);
}

#[test]
fn malformed_answers_are_rejected() {
    let read = |value: Value| serde_json::from_value::<Answer>(value);
    let good = serde_json::to_value(Answer::Ok(receipt())).unwrap();
    assert!(read(good.clone()).is_ok());
    let wrong: [(&str, Value); 16] = [
        ("/Ok/transaction", json!("9")),
        ("/Ok/transaction", json!(9.0)),
        ("/Ok/transaction", Value::Null),
        ("/Ok/credits", json!(1.5)),
        ("/Ok/credits", json!(9_223_372_036_854_775_808_u64)),
        ("/Ok/allocations", Value::Null),
        ("/Ok/allocations/0/lot", json!("1")),
        ("/Ok/balance_after", json!({"available": 1, "held": 0, "frozen": 0})),
        ("/Ok/balance_after/debt", json!(-0.5)),
        ("/Ok/hold/id", json!("hold_0000000000000000000000000000000")),
        ("/Ok/hold/id", json!("hold_0000000000000000000000000000000A")),
        ("/Ok/hold/id", json!("00000000000000000000000000000001")),
        ("/Ok/hold/id", json!("hold_00000000-0000-0000-0000-000000000001")),
        ("/Ok/hold/id", json!(1)),
        ("/Ok/hold/state", json!("settled")),
        ("/Ok/hold/created_at", json!("yesterday")),
    ];
    for (place, value) in wrong {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value.clone();
        assert!(read(bad).is_err(), "{place} {value}");
    }
    for field in ["transaction", "credits", "allocations", "balance_after"] {
        let mut bad = good.clone();
        bad["Ok"].as_object_mut().unwrap().remove(field);
        assert!(read(bad).is_err(), "without {field}");
    }
    for bad in [
        json!({"Err": {"refusal": "not_today"}}),
        json!({"Err": {"refusal": "insufficient", "requested": 1, "available": 0}}),
        json!({"Err": {"refusal": "hold_resolved"}}),
        json!({"Err": "not_positive"}),
        json!({"Err": {}}),
        json!({}),
        json!(null),
    ] {
        assert!(read(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn refusal_messages_contain_the_figures() {
    let texts = refusals().map(|refusal| refusal.to_string());
    assert!(texts.iter().all(|text| text.ends_with("nothing was changed")), "{texts:?}");
    let with_figures = [(1, ["7", "0", "3"]), (6, ["7", "5", "5"]), (7, ["3", "3", "3"])];
    for (index, figures) in with_figures {
        assert!(figures.iter().all(|figure| texts[index].contains(figure)), "{}", texts[index]);
    }
}

fn after(lines: &[&str]) -> World {
    let mut world = World::default();
    for (index, line) in lines.iter().enumerate() {
        world.take(&Step::parse(line, index as i64 + 1));
    }
    world
}

/// The parts of receipts that statements do not show.
#[test]
fn receipts_name_the_lots_and_the_state_of_the_hold() {
    let before =
        ["session P1 A 2 credits 5000 paid", "session P2 A 4 credits 5000 paid", "hold A h1 3 for lease_7"];
    let parts = |line: &str| {
        let world = after(&before);
        let Step::Command(command) = Step::parse(line, 9) else { panic!("{line}") };
        let receipt = execute(&world.book, &command, Now::trusted(Timestamp(0))).answer.unwrap();
        let lots: Vec<_> = receipt.allocations.iter().map(|part| (part.lot.0, part.credits.0)).collect();
        let hold = receipt.hold.map(|hold| (hold.state, hold.captured.0, hold.resolved_at.is_some()));
        (receipt.transaction, receipt.credits.0, lots, receipt.balance_after.available.0, hold)
    };
    let [open, captured, released] = [HoldState::Open, HoldState::Captured, HoldState::Released];
    assert_eq!(parts("spend A 2"), (4, 2, vec![(2, 2)], 1, None));
    assert_eq!(parts("hold A h2 3"), (4, 3, vec![(2, 3)], 0, Some((open, 0, false))));
    assert_eq!(parts("capture A h1"), (4, 3, vec![(1, 2), (2, 1)], 3, Some((captured, 3, true))));
    assert_eq!(parts("capture A h1 1"), (4, 1, vec![(1, 1)], 5, Some((captured, 1, true))));
    assert_eq!(parts("capture A h1 2"), (4, 2, vec![(1, 2)], 4, Some((captured, 2, true))));
    assert_eq!(parts("release A h1"), (4, 3, vec![(1, 2), (2, 1)], 6, Some((released, 0, true))));
    assert_eq!(parts("adjust A 5"), (4, 5, vec![(3, 5)], 8, None));
    assert_eq!(parts("adjust A -2"), (4, -2, vec![(2, 2)], 1, None));
}

#[test]
fn expiry_transactions_name_the_clock_as_cause() {
    let world = after(&[
        "adjust A 4 until 60",
        "hold A h1 3 lasts 60 for lease_7",
        "clock 60",
        "spend A 1 for lease_8",
    ]);
    let causes: Vec<_> =
        world.journal[2..].iter().map(|t| (t.cause.to_string(), t.hold, t.reference.clone())).collect();
    let hold = "clock hold hold_00000000000000000000000000000001".to_owned();
    let expected =
        [(hold, Some(hold_id("h1")), Some("lease_7".to_owned())), ("clock lot 1".into(), None, None)];
    assert_eq!(causes, expected);
}

#[test]
fn a_hold_id_cannot_be_reused() {
    let world = after(&["session P1 A 9 credits 900 paid", "session P2 B 9 credits 900 paid", "hold A h1 3"]);
    for line in ["hold A h1 3", "hold B h1 3"] {
        let Step::Command(command) = Step::parse(line, 9) else { panic!("{line}") };
        let result = std::panic::catch_unwind(|| execute(&world.book, &command, Now::trusted(Timestamp(0))));
        assert!(result.is_err(), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// After any history, a second sweep finds nothing to expire.
    #[test]
    fn overdue_holds_and_credits_expire_once(history in histories(), later in 0..80_i64) {
        let mut world = World::default();
        history.steps().for_each(|step| drop(world.take(step)));
        world.take(&Step::Clock(Now::trusted(Timestamp::from_seconds(later))));
        let tenants = ["A", "B", "C"].map(|letter| tenant(letter).unwrap());
        for tenant_id in tenants {
            world.take(&Step::Sweep(tenant_id));
            prop_assert_eq!(expire(&world.book, tenant_id, world.now()), ledger::Changes::default());
        }
    }

    /// After any history, nothing is stuck.
    #[test]
    fn every_hold_can_be_resolved_and_every_credit_spent(history in histories()) {
        let mut world = World::default();
        history.steps().for_each(|step| drop(world.take(step)));
        let open: Vec<_> = world.book.holds.values().filter(|hold| hold.is_open()).cloned().collect();
        for hold in open {
            let name = crate::command_syntax::hold_name(hold.id);
            let done = world.take(&Step::parse(&format!("release {} {name}", letter(hold.tenant)), 98));
            prop_assert!(["released", "refused (was expired)"].contains(&done.outcome.as_str()));
        }
        let tenants: Vec<_> = world.book.tenants.keys().copied().collect();
        for tenant_id in tenants {
            world.take(&Step::Sweep(tenant_id));
            let balance = world.book.tenants[&tenant_id].balance;
            prop_assert!(balance.held.is_zero());
            let spent = world.fold(tenant_id, Account::Consumed);
            if balance.available > Credits::ZERO {
                world.take(&Step::parse(&format!("spend {} {}", letter(tenant_id), balance.available), 99));
                prop_assert_eq!(world.fold(tenant_id, Account::Consumed), spent + balance.available.0);
            }
        }
    }
}
