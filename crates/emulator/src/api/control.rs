//! The emulator's own control API, under `/_emulator/…`: JSON in, JSON out. It reads each request into a
//! command of [`act::control`](crate::act::control), and renders what that reports.
//!
//! It requires no API key. Not here: the checks (`act::control`), the page that runs the same commands, and
//! the guard against requests from other sites ([`crate::guard`]).

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
use stripe::write::{ApiVersion, pretty};

use crate::act::checkout::PayOutcome;
use crate::act::control::{
    ControlRefusal, DisputeKind, Hasten, OpenDispute, OpenedDispute, Pay, Payer, PaymentNumber,
};
use crate::controller::Controller;
use crate::emulator::Emulator;
use crate::wire::StripeError;
use crate::world::{ClockMode, World};

/// The most bytes of a request body: a handful of numbers.
const MAX_BYTES: usize = 16 * 1024;
/// How long `settled` waits, in seconds.
const MAX_SETTLED_SECONDS: u64 = 30;

/// Every route.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Controller>); 13] {
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
        ("/_emulator/endpoints/{id}/rotate", post(endpoints::rotate_secret)),
        ("/_emulator/endpoints/{id}/hold", post(endpoints::hold)),
        ("/_emulator/endpoints/{id}/release", post(endpoints::release)),
        ("/_emulator/endpoints/{id}/enable", post(endpoints::enable)),
    ]
}

pub(super) fn router(emulator: Emulator) -> Router {
    let routes = routes().into_iter();
    let router = routes.fold(Router::new(), |router, (path, route)| router.route(path, route));
    router.with_state(Controller::new(emulator))
}

fn respond(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], pretty(body)).into_response()
}

/// The response, or an error in the shape of Stripe's.
type ControlResult = Result<Response, StripeError>;

fn ok(body: &Value) -> ControlResult {
    Ok(respond(StatusCode::OK, body))
}

impl From<ControlRefusal> for StripeError {
    fn from(refusal: ControlRefusal) -> Self {
        match refusal {
            ControlRefusal::NoSuch { noun: kind, id } => Self::no_such(kind.as_str(), &id, "id"),
            ControlRefusal::Number(refusal) => {
                let decline_code = refusal.decline_code.map(str::to_owned);
                Self::card(refusal.code.to_owned(), decline_code, refusal.message)
            }
            other => Self::invalid(other.to_string()),
        }
    }
}

/// The JSON body; an empty one stands for `{}`.
async fn read<T: DeserializeOwned>(body: Body) -> Result<T, StripeError> {
    let bytes = to_bytes(body, MAX_BYTES).await;
    let too_long = |_| StripeError::unreadable(&format!("there are more than {MAX_BYTES} bytes."));
    let bytes = bytes.map_err(too_long)?;
    let text = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
    serde_json::from_slice(text).map_err(|error| StripeError::unreadable(&format!("{error}.")))
}

/// The clock, the seed, and how many objects of each kind there are.
async fn state(State(controller): State<Controller>) -> ControlResult {
    ok(&controller.read(|world| state_of(world, controller.options().api_key.as_str())))
}

fn state_of(world: &World, api_key: &str) -> Value {
    json!({
        "now": world.now(),
        "frozen": matches!(world.clock, ClockMode::Still { .. }),
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

/// Waits until no delivery is due or in progress, but no longer than [`MAX_SETTLED_SECONDS`].
async fn settled(State(controller): State<Controller>) -> ControlResult {
    let wait = std::time::Duration::from_secs(MAX_SETTLED_SECONDS);
    let settled = tokio::time::timeout(wait, controller.quiet()).await.is_ok();
    let status = if settled { StatusCode::OK } else { StatusCode::REQUEST_TIMEOUT };
    Ok(respond(status, &json!({ "settled": settled })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceBody {
    seconds: u64,
}

async fn advance(State(controller): State<Controller>, body: Body) -> ControlResult {
    let AdvanceBody { seconds } = read(body).await?;
    let ran = controller.advance(seconds).await?;
    ok(&json!({ "now": controller.read(World::now), "ran": ran }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayBody {
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

impl PayBody {
    /// The default payer is Jenny Rosen from Austria.
    fn command(self, session: String) -> Result<Pay, StripeError> {
        let number = match (self.card, self.iban) {
            (Some(number), None) => PaymentNumber::Card(number),
            (None, Some(iban)) => PaymentNumber::Iban(iban),
            (None, None) => return Err(StripeError::missing_parameter("card")),
            (Some(_), Some(_)) => return Err(StripeError::exclusive(&["card", "iban"])),
        };
        let or = |given: Option<String>, default: &str| given.or_else(|| Some(default.to_owned()));
        let payer = Payer {
            name: or(self.name, "Jenny Rosen"),
            email: or(self.email, "jenny.rosen@example.com"),
            country: or(self.country, "AT"),
            postal_code: self.postal_code,
        };
        Ok(Pay { session, number, payer, confirm: Some(self.confirm) })
    }
}

/// Pays a session as its page would. Responds with the session, once every endpoint has accepted its event.
async fn pay(State(controller): State<Controller>, Path(id): Path<String>, body: Body) -> ControlResult {
    let command = read::<PayBody>(body).await?.command(id.clone())?;
    match controller.run(command)? {
        PayOutcome::Complete => {}
        PayOutcome::Declined(failure) => {
            return Err(StripeError::card(failure.code, failure.decline_code, failure.message));
        }
        PayOutcome::Challenged => {
            return Err(StripeError::invalid("The bank asked again. Nothing was paid."));
        }
        PayOutcome::NotOpen => return Err(ControlRefusal::SessionNotOpen.into()),
    }
    controller.acknowledged(&id).await;
    let version = ApiVersion::default();
    let session = controller.read(|world| world.sessions.get(&id).map(|session| session.render(version)));
    ok(&session.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeBody {
    #[serde(default)]
    kind: DisputeKind,
    #[serde(default = "fraudulent")]
    reason: String,
}

fn fraudulent() -> String {
    "fraudulent".to_owned()
}

/// Opens a dispute or an inquiry, or issues a fraud warning. Responds with the new object.
async fn open_dispute(
    State(controller): State<Controller>,
    Path(charge): Path<String>,
    body: Body,
) -> ControlResult {
    let DisputeBody { kind, reason } = read(body).await?;
    let opened = controller.run(OpenDispute { charge, kind, reason })?;
    let version = ApiVersion::default();
    let made = controller.read(|world| match &opened {
        OpenedDispute::Dispute(id) => world.disputes.get(id).map(|dispute| dispute.render(version)),
        OpenedDispute::Warning(id) => world.warnings.get(id).map(|warning| warning.render(version)),
    });
    ok(&made.unwrap_or_default())
}

/// Executes the tasks that are scheduled for an object now, without advancing the clock.
async fn hasten(State(controller): State<Controller>, Path(object): Path<String>) -> ControlResult {
    ok(&json!({ "ran": controller.run(Hasten { object })? }))
}
