//! Checkout sessions (docs.stripe.com/api/checkout/sessions): a one-time payment on the hosted page.
//!
//! Not here: paying (`act::checkout`).

mod new;

use serde_json::Value;
use stripe::write::{Session, SessionStatus};

use super::call::Call;
use crate::act::checkout;
use crate::object::LineItem;
use crate::wire::StripeError;
use crate::wire::list::ListParams;

const NOUN: &str = "checkout.session";
const STATUSES: [(&str, SessionStatus); 3] = [
    ("open", SessionStatus::Open),
    ("complete", SessionStatus::Complete),
    ("expired", SessionStatus::Expired),
];

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let requested = new::RequestedSession::read(&mut call.params, call.version)?;
    call.params.finish()?;
    let session = requested.check(call.world)?.create(call.world);
    call.id = checkout::create(call.world, session, call.site);
    show(call)
}

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

/// Updates the metadata. Nothing else can be changed.
pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.refuse(&["collected_information", "line_items", "shipping_options"])?;
    let change = call.params.metadata()?;
    call.params.finish()?;
    let mut metadata = call.named(&call.world.sessions, NOUN)?.metadata.clone();
    change.apply(&mut metadata)?;
    // Stripe has no event for it.
    if let Some(session) = call.world.sessions.get_mut(&call.id) {
        session.metadata = metadata;
    }
    show(call)
}

pub(super) fn expire(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    let status = call.named(&call.world.sessions, NOUN)?.status;
    if status != SessionStatus::Open {
        return Err(StripeError::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a \
             status of `{}`.",
            status.name()
        )));
    }
    checkout::expire(call.world, &call.id);
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&["payment_link", "subscription"])?;
    let (customer, intent) = (params.text("customer")?, params.text("payment_intent")?);
    let status = params.one_of("status", &STATUSES)?;
    let email = params.nested("customer_details", |details| details.required_text("email"))?;
    let keep = |session: &Session| {
        let given = session.customer_details.as_ref().and_then(|details| details.email.as_ref());
        (customer.is_none() || session.customer == customer)
            && (intent.is_none() || session.payment_intent == intent)
            && status.is_none_or(|status| session.status == status)
            && email.as_ref().is_none_or(|email| given == Some(email))
    };
    let (sessions, version) = (&call.world.sessions, call.version);
    let names = (NOUN, "/v1/checkout/sessions");
    let render = |session: &Session| session.render(version);
    Call::list(&mut call.params, names, sessions, |session| session.created, keep, render)
}

pub(super) fn line_items(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let paging = ListParams::read(&mut call.params)?;
    call.params.finish()?;
    call.named(&call.world.sessions, NOUN)?;
    let items = call.world.checkouts.get(&call.id).map_or(&[][..], |checkout| &checkout.items);
    // Line items are listed in the order in which they were given, and `page` expects the newest last.
    let page = paging.page("item", items.iter().rev(), |item| &item.id, |_| true)?;
    let url = format!("/v1/checkout/sessions/{}/line_items", call.id);
    Ok(page.render(&url, |item: &&LineItem| item.render()))
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.sessions, NOUN).map(|session| session.render(call.version))
}
