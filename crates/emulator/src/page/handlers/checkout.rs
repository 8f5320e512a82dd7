//! The payment page: shows the session, takes the payment, and sends the customer back to the shop once the
//! shop's endpoints have accepted the event.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{nothing_here, page, see_other, view};
use crate::act::checkout::PayOutcome;
use crate::act::control::{AnswerChallenge, ControlRefusal, Pay};
use crate::controller::Controller;
use crate::page::payment_form::PaymentForm;
use crate::page::view::FormValues;
use crate::world::World;

pub(super) async fn show(State(controller): State<Controller>, Path(id): Path<String>) -> Response {
    shown(&controller, &id, StatusCode::OK, FormValues::default())
}

pub(super) async fn pay(
    State(controller): State<Controller>,
    Path(id): Path<String>,
    Form(form): Form<PaymentForm>,
) -> Response {
    let values = FormValues { email: form.email(), name: form.name(), debit: form.is_debit(), error: None };
    let with_error =
        |status, error: &str| shown(&controller, &id, status, FormValues { error: Some(error), ..values });
    let outcome = match submit(&controller, &id, &form) {
        Ok(outcome) => outcome,
        Err(mistake) => return with_error(StatusCode::UNPROCESSABLE_ENTITY, &mistake),
    };
    let own_page = format!("/c/pay/{id}");
    match outcome {
        Ok(PayOutcome::Complete) => {
            controller.acknowledged(&id).await;
            let next = controller.read(|world| world.sessions.get(&id).and_then(view::success_url));
            see_other(&next.unwrap_or(own_page))
        }
        // Not a redirect, so that the form keeps what the customer typed after the bank's question.
        Ok(PayOutcome::Challenged) => shown(&controller, &id, StatusCode::OK, values),
        Ok(PayOutcome::Declined(failure)) => with_error(StatusCode::PAYMENT_REQUIRED, &failure.message),
        // The page says whether the session was paid, expired, or does not exist.
        Ok(PayOutcome::NotOpen)
        | Err(
            ControlRefusal::SessionNotOpen | ControlRefusal::NotChallenged | ControlRefusal::NoSuch { .. },
        ) => see_other(&own_page),
        Err(refusal) => with_error(StatusCode::UNPROCESSABLE_ENTITY, &refusal.to_string()),
    }
}

/// Gives the command that the form stands for.
///
/// # Errors
/// A mistake in the form, in words for the customer. No command was given.
fn submit(
    controller: &Controller,
    session: &str,
    form: &PaymentForm,
) -> Result<Result<PayOutcome, ControlRefusal>, String> {
    let (session, payer) = (session.to_owned(), form.payer());
    match form.challenge.as_deref() {
        Some(answer @ ("complete" | "fail")) => {
            let confirmed = answer == "complete";
            Ok(controller.run(AnswerChallenge { session, confirmed, payer }))
        }
        Some(_) => Err("The bank's question is answered with complete or fail.".to_owned()),
        None => {
            let number = form.number(controller.read(World::now))?;
            Ok(controller.run(Pay { session, number, payer, confirm: None }))
        }
    }
}

fn shown(controller: &Controller, id: &str, status: StatusCode, values: FormValues<'_>) -> Response {
    match controller.read(|world| view::checkout(world, id, values)) {
        Some(view) => page(status, crate::page::checkout(&view)),
        None => nothing_here(
            "There is no such checkout",
            "The emulator may have been restarted since. Go back to the shop and start again.",
        ),
    }
}
