//! The options that are shown for an item. Their effect is tested in `e2e/tests/commands`.

use serde_json::{Value, json};

use super::ways_out;

fn claim(event: &str, accepted: bool, tenant: Option<&str>, credits: Option<i64>) -> Value {
    json!({ "event": event, "accepted": accepted, "tenant_id": tenant, "credits": credits })
}

#[test]
fn the_accepted_claim_and_the_event_to_replay_are_named() {
    let rejected = claim("evt_rejected", false, Some("t1"), Some(7));
    let empty = claim("evt_empty", false, None, None);
    let accepted = claim("evt_accepted", true, Some("t2"), Some(1));
    let check = |claims: &[&Value], expected: [Option<&str>; 2]| {
        let claims: Vec<Value> = claims.iter().map(|claim| (*claim).clone()).collect();
        let shown = ways_out("3", &claims, false).join("\n");
        let found = ["Without options that is ", "events replay "]
            .map(|before| shown.split_once(before).map(|(_, rest)| rest.lines().next().unwrap_or_default()));
        assert_eq!(found, expected, "{shown}");
    };
    check(&[], [None, None]);
    check(&[&empty], [None, Some("evt_empty")]);
    check(&[&empty, &rejected], [None, Some("evt_empty")]);
    check(&[&rejected], [Some("7 credits for tenant t1."), Some("evt_rejected")]);
    check(&[&accepted, &rejected], [Some("1 credit for tenant t2."), Some("evt_accepted")]);
}
