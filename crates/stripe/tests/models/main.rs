//! Every model in every status and version is rendered and read back with the same values, and survives
//! serde.
//!
//! Not here: the events of a payment (`emulator`).

mod charge;
mod dispute;
mod payment_intent;
mod refund;
mod session;
mod version;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use stripe::write::{ApiVersion, Declined, MetadataMap, Method, PaymentFailure, pretty};
use stripe::{Envelope, Object};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn note() -> MetadataMap {
    MetadataMap::from([("order".to_owned(), "\"7\" Ž".to_owned())])
}

/// The object as a receiver reads it from an event of this type.
fn read(type_name: &str, version: ApiVersion, object: &Value) -> Object {
    let body = pretty(&json!({
        "id": "evt_1",
        "object": "event",
        "api_version": version.as_str(),
        "created": 1_790_000_000,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": type_name,
    }));
    let Envelope::Snapshot(event) = Envelope::parse(body.as_bytes()).unwrap() else {
        panic!("read as a thin event: {body}");
    };
    event.object().unwrap_or_else(|fault| panic!("{fault}: {body}"))
}

/// The model survives a round trip through serde.
fn keeps<T: Serialize + DeserializeOwned + PartialEq + Debug>(model: &T) {
    let stored = serde_json::to_string(model).unwrap();
    assert_eq!(*model, serde_json::from_str::<T>(&stored).unwrap(), "{stored}");
}

fn declined_card() -> Declined {
    Declined {
        failure: PaymentFailure {
            code: "card_declined".to_owned(),
            decline_code: text("lost_card"),
            message: "Your card has been declined.".to_owned(),
        },
        charge: text("ch_1"),
        payment_method: text("pm_1"),
        method: card(false),
    }
}

fn card(three_d_secure: bool) -> Method {
    Method::Card {
        brand: "mastercard".to_owned(),
        last4: "4444".to_owned(),
        country: "DE".to_owned(),
        funding: "debit".to_owned(),
        three_d_secure,
    }
}

fn iban() -> Method {
    Method::SepaDebit { last4: "3202".to_owned(), country: "AT".to_owned(), mandate: "mandate_1".to_owned() }
}
