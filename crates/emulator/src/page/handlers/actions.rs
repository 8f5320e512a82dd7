//! The buttons of the control page. Each form is read into a command of
//! [`act::control`](crate::act::control); then the browser goes back to where the button was, or the page
//! shows why nothing was done.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{control_page_with, see_other};
use crate::act::control::{
    ControlCommand, DecideDispute, DisputeDecision, DisputeKind, Enable, ExpireSession, Hasten,
    HoldDeliveries, Misbehave, OpenDispute, RefundCharge, RefundPart, Release, Resend, RotateSecret,
};
use crate::controller::Controller;
use crate::object::Misbehaviour;
use crate::page::control_page::Banner;

/// A form, or why it cannot be read: a page of ours sends none of those.
type Read<T> = Result<Form<T>, FormRejection>;

/// How far to advance the clock: in seconds, or in another unit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvanceForm {
    seconds: Option<u64>,
    amount: Option<u64>,
    #[serde(default)]
    unit: TimeUnit,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TimeUnit {
    #[default]
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl TimeUnit {
    fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }
}

pub(super) async fn advance(State(controller): State<Controller>, form: Read<AdvanceForm>) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return unreadable(&controller, &rejection),
    };
    let in_units = form.amount.map(|amount| amount.saturating_mul(form.unit.seconds()));
    let Some(seconds) = form.seconds.or(in_units) else {
        return refuse(&controller, StatusCode::UNPROCESSABLE_ENTITY, "Say how far to advance the clock.");
    };
    match controller.advance(seconds).await {
        Ok(_) => see_other("/#clock"),
        Err(refusal) => refuse(&controller, StatusCode::CONFLICT, &refusal.to_string()),
    }
}

pub(super) async fn expire(State(controller): State<Controller>, Path(session): Path<String>) -> Response {
    run(&controller, "/#payments", ExpireSession { session })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundForm {
    part: RefundPart,
}

pub(super) async fn refund(
    State(controller): State<Controller>,
    Path(charge): Path<String>,
    form: Read<RefundForm>,
) -> Response {
    read_and_run(&controller, "/#charges", form, |form| RefundCharge { charge, part: form.part })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisputeForm {
    kind: DisputeKind,
}

pub(super) async fn dispute(
    State(controller): State<Controller>,
    Path(charge): Path<String>,
    form: Read<DisputeForm>,
) -> Response {
    let warns = form.as_ref().is_ok_and(|form| form.kind == DisputeKind::FraudWarning);
    let back = if warns { "/#events" } else { "/#disputes" };
    let reason = "fraudulent".to_owned();
    read_and_run(&controller, back, form, |form| OpenDispute { charge, kind: form.kind, reason })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionForm {
    outcome: DisputeDecision,
}

pub(super) async fn decide_dispute(
    State(controller): State<Controller>,
    Path(dispute): Path<String>,
    form: Read<DecisionForm>,
) -> Response {
    read_and_run(&controller, "/#disputes", form, |form| DecideDispute { dispute, decision: form.outcome })
}

pub(super) async fn hasten(State(controller): State<Controller>, Path(object): Path<String>) -> Response {
    let back = if object.starts_with("re_") { "/#refunds" } else { "/#charges" };
    match controller.run(Hasten { object }) {
        Ok(0) => refuse(&controller, StatusCode::CONFLICT, "Nothing is scheduled for that object."),
        Ok(_) => see_other(back),
        Err(refusal) => refuse(&controller, StatusCode::CONFLICT, &refusal.to_string()),
    }
}

pub(super) async fn misbehave(
    State(controller): State<Controller>,
    Path(endpoint): Path<String>,
    form: Read<Misbehaviour>,
) -> Response {
    read_and_run(&controller, "/#endpoints", form, |misbehaviour| Misbehave { endpoint, misbehaviour })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateForm {
    grace_period_seconds: u32,
}

pub(super) async fn rotate_secret(
    State(controller): State<Controller>,
    Path(endpoint): Path<String>,
    form: Read<RotateForm>,
) -> Response {
    read_and_run(&controller, "/#connect", form, |form| RotateSecret {
        endpoint,
        grace_period_seconds: form.grace_period_seconds,
    })
}

pub(super) async fn hold(State(controller): State<Controller>, Path(endpoint): Path<String>) -> Response {
    run(&controller, "/#endpoints", HoldDeliveries { endpoint })
}

/// A field that the browser sends empty when nothing was typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseForm {
    #[serde(default)]
    shuffle: String,
    times: u32,
}

pub(super) async fn release(
    State(controller): State<Controller>,
    Path(endpoint): Path<String>,
    form: Read<ReleaseForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return unreadable(&controller, &rejection),
    };
    let shuffle = match form.shuffle.trim() {
        "" => None,
        text => match text.parse() {
            Ok(seed) => Some(seed),
            Err(_) => {
                let why = "A seed is a whole number from 0 on.";
                return refuse(&controller, StatusCode::UNPROCESSABLE_ENTITY, why);
            }
        },
    };
    run(&controller, "/#endpoints", Release { endpoint, shuffle, times: form.times })
}

pub(super) async fn enable(State(controller): State<Controller>, Path(endpoint): Path<String>) -> Response {
    run(&controller, "/#endpoints", Enable { endpoint })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResendForm {
    endpoint: Option<String>,
}

pub(super) async fn resend(
    State(controller): State<Controller>,
    Path(event): Path<String>,
    form: Read<ResendForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return unreadable(&controller, &rejection),
    };
    let endpoint = form.endpoint.filter(|endpoint| !endpoint.is_empty());
    match controller.run(Resend { event, endpoint }) {
        Ok(0) => refuse(&controller, StatusCode::CONFLICT, "That event was sent to no endpoint."),
        Ok(_) => see_other("/#events"),
        Err(refusal) => refuse(&controller, StatusCode::CONFLICT, &refusal.to_string()),
    }
}

fn read_and_run<T, C: ControlCommand>(
    controller: &Controller,
    back: &str,
    form: Read<T>,
    command: impl FnOnce(T) -> C,
) -> Response {
    match form {
        Ok(Form(form)) => run(controller, back, command(form)),
        Err(rejection) => unreadable(controller, &rejection),
    }
}

/// Carries out the command and goes `back`, or shows the page with the reason why not.
fn run(controller: &Controller, back: &str, command: impl ControlCommand) -> Response {
    match controller.run(command) {
        Ok(_) => see_other(back),
        Err(refusal) => refuse(controller, StatusCode::CONFLICT, &refusal.to_string()),
    }
}

fn unreadable(controller: &Controller, rejection: &FormRejection) -> Response {
    refuse(controller, rejection.status(), &rejection.body_text())
}

fn refuse(controller: &Controller, status: StatusCode, why: &str) -> Response {
    control_page_with(controller, status, Some(Banner { good: false, text: why.to_owned() }))
}
