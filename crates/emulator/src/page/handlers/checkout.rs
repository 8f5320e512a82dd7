//! The payment page: shows the session, takes the payment, and sends the customer back to the shop once the
//! shop has heard of it.
//!
//! Not here: what the bank says, and how long the page waits for the shop.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use stripe::write::{BillingDetails, SessionStatus};

use super::{nothing_here, page, see_other, view};
use crate::Emulator;
use crate::act::checkout::{self, PayOutcome};
use crate::page::payment_form::PaymentForm;
use crate::page::view::FormValues;
use crate::world::World;

pub(super) async fn show(State(emulator): State<Emulator>, Path(id): Path<String>) -> Response {
    shown(&emulator, &id, StatusCode::OK, FormValues::default())
}

pub(super) async fn pay(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Form(form): Form<PaymentForm>,
) -> Response {
    let paid = emulator.with(|world| {
        world.on_behalf_of(None);
        attempt(world, &id, &form)
    });
    let again = FormValues { email: form.email(), name: form.name(), debit: form.is_debit(), error: None };
    match paid {
        Ok(PayOutcome::Complete) => {
            emulator.acknowledged(&id).await;
            let next = emulator.with(|world| world.sessions.get(&id).and_then(view::success_url));
            see_other(&next.unwrap_or_else(|| format!("/c/pay/{id}")))
        }
        // Not a redirect, so that what the customer typed is still there after the bank's question.
        Ok(PayOutcome::Challenged) => shown(&emulator, &id, StatusCode::OK, again),
        Ok(PayOutcome::Declined(failure)) => {
            let error = Some(failure.message.as_str());
            shown(&emulator, &id, StatusCode::PAYMENT_REQUIRED, FormValues { error, ..again })
        }
        Ok(PayOutcome::NotOpen) => see_other(&format!("/c/pay/{id}")),
        Err(mistake) => {
            let error = Some(mistake.as_str());
            shown(&emulator, &id, StatusCode::UNPROCESSABLE_ENTITY, FormValues { error, ..again })
        }
    }
}

/// # Errors
/// What is wrong with what the customer typed; no bank was asked.
fn attempt(world: &mut World, id: &str, form: &PaymentForm) -> Result<PayOutcome, String> {
    let Some(session) = world.sessions.get(id).filter(|session| session.status == SessionStatus::Open) else {
        return Ok(PayOutcome::NotOpen);
    };
    let customer = session.customer.as_deref().and_then(|customer| world.customers.get(customer));
    let email =
        session.customer_email.clone().or_else(|| customer.and_then(|customer| customer.email.clone()));
    match form.challenge.as_deref() {
        Some(answer @ ("complete" | "fail")) => {
            let payer: BillingDetails = form.payer(email.as_deref(), None);
            return Ok(checkout::answer_challenge(world, id, answer == "complete", payer));
        }
        Some(_) => return Err("The bank's question is answered with complete or fail.".to_owned()),
        None => {}
    }
    let instrument = form.instrument(world.now(), &session.payment_method_types)?;
    let payer = form.payer(email.as_deref(), Some(instrument));
    Ok(checkout::pay(world, id, &instrument, payer))
}

fn shown(emulator: &Emulator, id: &str, status: StatusCode, typed: FormValues<'_>) -> Response {
    match emulator.with(|world| view::checkout(world, id, typed)) {
        Some(view) => page(status, crate::page::checkout(&view)),
        None => nothing_here(
            "There is no such checkout",
            "The emulator may have been started anew since. Go back to the shop and start again.",
        ),
    }
}
