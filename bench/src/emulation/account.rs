//! An emulated account with endpoints, and purchases in it. Purchases call the functions behind the
//! emulator's API directly: deliveries and the clock are measured, HTTP requests to the emulator are not.

use std::{sync::Arc, time::Duration};

use emulator::{
    Emulator, Options,
    act::{
        checkout::{self, NewCheckoutSession, PayOutcome},
        endpoint::{self, NewWebhookEndpoint},
        payment::Instrument,
    },
    object::{LineItem, MetadataMap, Price},
    world::World,
};
use stripe::write::{ApiVersion, BillingDetails};

use crate::deliveries::unix_millis;

/// Initial time of every account, so that all rounds are the same.
const START_MS: i64 = 1_767_225_600_000;

/// An empty account with a stopped clock and these endpoints.
pub(crate) fn open(urls: impl Iterator<Item = String>) -> anyhow::Result<Emulator> {
    let emulator = Emulator::open(Options {
        url: "http://127.0.0.1:12111".to_owned(),
        api_key: emulator::API_KEY.to_owned(),
        seed: 7,
        still_at_ms: Some(START_MS),
        file: None,
        attempt_timeout: Duration::from_secs(20),
        wall: Arc::new(unix_millis),
        watcher: Arc::new(|_, _| ()),
    })?;
    for url in urls {
        let new = NewWebhookEndpoint {
            url,
            enabled_events: vec!["*".to_owned()],
            api_version: ApiVersion::default(),
            description: None,
            metadata: MetadataMap::new(),
            secret: None,
        };
        emulator.with(|world| endpoint::create(world, new));
    }
    Ok(emulator)
}

/// Buys credits with this test number. Returns the charge, unless the payment was declined.
pub(crate) fn buy(world: &mut World, tenant: u32, number: &str) -> Option<String> {
    let instrument = Instrument::of_number(number)?;
    let session = checkout::create(world, session(tenant), "http://127.0.0.1:12111");
    let payer = BillingDetails {
        name: Some("Jenny Rosen".to_owned()),
        email: Some(format!("tenant{tenant}@example.com")),
        country: Some("DE".to_owned()),
        postal_code: Some("10115".to_owned()),
    };
    let paid = checkout::pay(world, &session, &instrument, payer);
    let intent = world.sessions().get(&session)?.payment_intent.clone();
    (paid == PayOutcome::Complete)
        .then(|| world.payment_intents().get(&intent?)?.latest_charge.clone())
        .flatten()
}

fn session(tenant: u32) -> NewCheckoutSession {
    let price = Price {
        id: "price_1PxEmulatorBench00000000".to_owned(),
        created: START_MS / 1_000,
        active: true,
        currency: "eur".to_owned(),
        unit_amount: 5_000,
        product: "prod_EmulatorBench".to_owned(),
        lookup_key: None,
        nickname: None,
        tax_inclusive: false,
        metadata: MetadataMap::new(),
    };
    let item = LineItem {
        id: format!("li_{tenant}"),
        description: "1,000 credits".to_owned(),
        quantity: 1,
        price,
        amount_subtotal: 5_000,
        amount_tax: 0,
        amount_total: 5_000,
    };
    let entry = |key: &str, value: String| (key.to_owned(), value);
    let metadata: MetadataMap =
        [entry("tenant_id", format!("tenant_{tenant}")), entry("credits", "1000".to_owned())].into();
    NewCheckoutSession {
        metadata: metadata.clone(),
        intent_metadata: metadata,
        client_reference_id: Some(format!("order_{tenant}")),
        success_url: Some("https://shop.example/thanks?session={CHECKOUT_SESSION_ID}".to_owned()),
        cancel_url: Some("https://shop.example/cart".to_owned()),
        ..NewCheckoutSession::new(vec![item], "eur")
    }
}
