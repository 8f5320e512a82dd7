//! The emulator's own control API, under `/_emulator/…`: JSON in, JSON out. It does what nobody can do
//! through Stripe's API: pay without a browser, turn the clock, make the bank dispute, make the network
//! misbehave.
//!
//! No key is asked for. Not here: the pages that do the same, and who may use either ([`crate::guard`]).

mod deliveries;
mod endpoints;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stripe::write::{ApiVersion, BillingDetails, pretty};

use crate::act::checkout::{self, PayOutcome};
use crate::act::dispute;
use crate::act::payment::Instrument;
use crate::emulator::Emulator;
use crate::wire::StripeError;
use crate::world::{ClockMode, World};

/// The most bytes of a request here: a handful of numbers.
const MAX_BYTES: usize = 16 * 1024;
/// How long `settled` waits, in seconds.
const SETTLED_SECONDS: u64 = 30;

/// Every route.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Emulator>); 13] {
    [
        ("/_emulator/state", get(state)),
        ("/_emulator/settled", get(settled)),
        ("/_emulator/advance", post(advance)),
        ("/_emulator/sessions/{id}/pay", post(pay)),
        ("/_emulator/charges/{id}/dispute", post(open_dispute)),
        ("/_emulator/objects/{id}/hasten", post(hasten)),
        ("/_emulator/deliveries", get(deliveries::list)),
        ("/_emulator/events/{id}/resend", post(deliveries::resend)),
        ("/_emulator/endpoints/{id}/misbehave", post(endpoints::misbehave)),
        ("/_emulator/endpoints/{id}/roll", post(endpoints::roll)),
        ("/_emulator/endpoints/{id}/hold", post(endpoints::hold)),
        ("/_emulator/endpoints/{id}/release", post(endpoints::release)),
        ("/_emulator/endpoints/{id}/enable", post(endpoints::enable)),
    ]
}

pub(super) fn router(emulator: Emulator) -> Router {
    let routes = routes().into_iter();
    routes.fold(Router::new(), |router, (path, route)| router.route(path, route)).with_state(emulator)
}

fn respond(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], pretty(body)).into_response()
}

type Answered = Result<Response, StripeError>;

fn ok(body: &Value) -> Answered {
    Ok(respond(StatusCode::OK, body))
}

/// The JSON body; an empty one stands for `{}`.
async fn read<T: DeserializeOwned>(body: Body) -> Result<T, StripeError> {
    let bytes = to_bytes(body, MAX_BYTES).await;
    let bytes =
        bytes.map_err(|_| StripeError::unreadable(&format!("there are more than {MAX_BYTES} bytes.")))?;
    let text = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
    serde_json::from_slice(text).map_err(|error| StripeError::unreadable(&format!("{error}.")))
}

/// Where everything stands.
async fn state(State(emulator): State<Emulator>) -> Answered {
    let state = emulator.with(|world| state_of(world, emulator.options().api_key.as_str()));
    ok(&state)
}

fn state_of(world: &World, api_key: &str) -> Value {
    json!({
        "now": world.now(),
        "frozen": matches!(world.time, ClockMode::Still { .. }),
        "seed": world.seed(),
        "api_key": api_key,
        "api_version": ApiVersion::default().as_str(),
        "quiet": world.quiet(),
        "next_due": world.next_due_ms().map(|due| due.div_euclid(1_000)),
        "products": world.products.len(),
        "prices": world.prices.len(),
        "customers": world.customers.len(),
        "sessions": world.sessions.len(),
        "payment_intents": world.payment_intents.len(),
        "charges": world.charges.len(),
        "refunds": world.refunds.len(),
        "disputes": world.disputes.len(),
        "early_fraud_warnings": world.warnings.len(),
        "events": world.events.len(),
        "webhook_endpoints": world.endpoints.len(),
    })
}

/// Waits until no delivery is on its way or waits for its turn.
async fn settled(State(emulator): State<Emulator>) -> Answered {
    let wait = std::time::Duration::from_secs(SETTLED_SECONDS);
    let settled = tokio::time::timeout(wait, emulator.quiet()).await.is_ok();
    let status = if settled { StatusCode::OK } else { StatusCode::REQUEST_TIMEOUT };
    Ok(respond(status, &json!({ "settled": settled })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

async fn advance(State(emulator): State<Emulator>, body: Body) -> Answered {
    let Advance { seconds } = read(body).await?;
    let ran = emulator.advance(seconds).await;
    ok(&json!({ "now": emulator.with(|world| world.now()), "ran": ran }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    card: Option<String>,
    iban: Option<String>,
    name: Option<String>,
    email: Option<String>,
    country: Option<String>,
    postal_code: Option<String>,
    /// Whether the customer passes 3-D Secure when the bank asks.
    #[serde(default = "yes")]
    confirm: bool,
}

fn yes() -> bool {
    true
}

impl Pay {
    fn instrument(&self) -> Result<Instrument, StripeError> {
        let number = match (&self.card, &self.iban) {
            (Some(number), None) | (None, Some(number)) => number,
            (None, None) => return Err(StripeError::missing_parameter("card")),
            (Some(_), Some(_)) => return Err(StripeError::exclusive(&["card", "iban"])),
        };
        let digits: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        Instrument::of_number(&digits).ok_or_else(|| {
            StripeError::card(
                "incorrect_number".to_owned(),
                None,
                "Your card number is incorrect: it is no test number.",
            )
        })
    }

    fn payer(&self, given: Option<String>) -> BillingDetails {
        BillingDetails {
            name: self.name.clone().or_else(|| Some("Jenny Rosen".to_owned())),
            email: self.email.clone().or(given).or_else(|| Some("jenny.rosen@example.com".to_owned())),
            country: self.country.clone().or_else(|| Some("AT".to_owned())),
            postal_code: self.postal_code.clone(),
        }
    }
}

/// Pays a session as its page would. Answers the session, once the endpoints have heard of it.
async fn pay(State(emulator): State<Emulator>, Path(id): Path<String>, body: Body) -> Answered {
    let asked: Pay = read(body).await?;
    let instrument = asked.instrument()?;
    let outcome = emulator.with(|world| {
        let session =
            world.sessions.get(&id).ok_or_else(|| StripeError::no_such("checkout.session", &id, "id"))?;
        let payer = asked.payer(session.customer_email.clone());
        Ok::<PayOutcome, StripeError>(match checkout::pay(world, &id, &instrument, payer.clone()) {
            PayOutcome::Challenged => checkout::answer_challenge(world, &id, asked.confirm, payer),
            other => other,
        })
    })?;
    match outcome {
        PayOutcome::Complete => {}
        PayOutcome::Declined(failure) => {
            return Err(StripeError::card(failure.code, failure.decline_code, failure.message));
        }
        PayOutcome::Challenged => {
            return Err(StripeError::invalid("The bank asked again. Nothing was paid."));
        }
        PayOutcome::NotOpen => {
            return Err(StripeError::invalid(
                "The session is not open any more; it was paid, or it expired.",
            ));
        }
    }
    emulator.acknowledged(&id).await;
    let session = emulator.with(|world| world.sessions.get(&id).map(|s| s.render(ApiVersion::default())));
    ok(&session.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenDispute {
    #[serde(default)]
    kind: Kind,
    reason: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Dispute,
    Inquiry,
    FraudWarning,
}

/// The customer's bank acts. Answers the dispute, or the warning.
async fn open_dispute(State(emulator): State<Emulator>, Path(id): Path<String>, body: Body) -> Answered {
    let OpenDispute { kind, reason } = read(body).await?;
    let reason = reason.unwrap_or_else(|| "fraudulent".to_owned());
    let made = emulator.with(|world| {
        let charge = world.charges.get(&id).ok_or_else(|| StripeError::no_such("charge", &id, "id"))?;
        if !charge.paid {
            return Err(StripeError::invalid("The charge took no money, so there is nothing to dispute."));
        }
        let version = ApiVersion::default();
        Ok(match kind {
            Kind::FraudWarning => {
                dispute::warn(world, &id);
                world.warnings.iter().next_back().map(|warning| warning.render(version))
            }
            Kind::Dispute | Kind::Inquiry => {
                dispute::open(world, &id, &reason, matches!(kind, Kind::Inquiry));
                world.disputes.iter().next_back().map(|dispute| dispute.render(version))
            }
        })
    })?;
    ok(&made.unwrap_or_default())
}

/// What is scheduled for an object happens now, without turning the clock.
async fn hasten(State(emulator): State<Emulator>, Path(id): Path<String>) -> Answered {
    ok(&json!({ "ran": emulator.with(|world| world.hasten(&id)) }))
}
