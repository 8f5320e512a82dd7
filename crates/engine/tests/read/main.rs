//! How `engine::read` reads one event, as tables: the JSON that Stripe sends on the left, the reading on the
//! right, as [`show`] writes it. Every rule of `engine::read` has its rows here.

mod charges;
mod deployment_scope;
mod disputes;
mod refunds;
mod sessions;
mod show;
mod written;

use engine::{DeploymentScope, MetadataKeys, read};
use serde_json::{Value, json};
use show::show;
use store::Mode;

/// A live deployment with the default metadata keys, serving no connected account.
fn live() -> DeploymentScope {
    DeploymentScope { mode: Mode::Live, account: None, metadata: MetadataKeys::default() }
}

/// A live event about `object`.
fn event(kind: &str, object: &Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": kind, "created": 1_700_000_000, "livemode": true,
        "data": { "object": object },
    })
}

/// `base` with the fields of `patch`; null stands for a missing field.
fn with(base: &Value, patch: &Value) -> Value {
    let mut object = base.clone();
    for (key, value) in patch.as_object().expect("a patch is an object") {
        object[key] = value.clone();
    }
    object
}

#[track_caller]
fn check(name: &str, scope: &DeploymentScope, event: &Value, expected: &str) {
    check_bytes(name, scope, event.to_string().as_bytes(), expected);
}

#[track_caller]
fn check_bytes(name: &str, scope: &DeploymentScope, body: &[u8], expected: &str) {
    let found = show(&read(body, scope));
    assert_eq!(found, expected, "\n{name}\n{}", String::from_utf8_lossy(body));
}

/// Checks rows about one object in a live deployment: name, event type, patch of `base`, reading.
#[track_caller]
fn check_all(base: &Value, rows: &[(&str, &str, Value, &str)]) {
    for (name, kind, patch, expected) in rows {
        check(name, &live(), &event(kind, &with(base, patch)), expected);
    }
}
