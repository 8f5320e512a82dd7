//! The two pages that people look at: the payment page of a Checkout session, and the control page. Views
//! in, HTML out; `askama` escapes every word of them.
//!
//! Deliberately not here: any state, and any rule of what a payment becomes. JavaScript is a convenience (a
//! copy button): every button is a plain form.
//!
//! ```text
//! GET  /c/pay/{session}   the payment page
//! POST /c/pay/{session}   pays: method = card | sepa_debit, number, exp, cvc, iban, name, email
//!                         a test number at the press of a button: card, or debit
//!                         the answer to the bank's question: challenge = complete | fail
//! GET  /                                    the control page
//! GET  /_control/copy.js                    its copy buttons
//! POST /_control/advance                    seconds; or amount, unit = seconds | minutes | hours | days
//! POST /_control/sessions/{id}/expire
//! POST /_control/charges/{id}/refund        part = half | all
//! POST /_control/charges/{id}/dispute       kind = dispute | inquiry | fraud_warning
//! POST /_control/disputes/{id}/close        outcome = win | lose | close (evidence, or none)
//! POST /_control/objects/{id}/hasten        what is to come for it comes now
//! POST /_control/endpoints/{id}/misbehave   every field of `Misbehaviour`; left out: zero
//! POST /_control/endpoints/{id}/roll        overlap_seconds
//! POST /_control/endpoints/{id}/hold
//! POST /_control/endpoints/{id}/release     shuffle (a seed, or empty), times
//! POST /_control/endpoints/{id}/enable
//! GET  /_control/events/{id}                one event: its deliveries and its body
//! POST /_control/events/{id}/resend         endpoint; empty for all
//! ```

mod clock;
mod control_page;
mod event_page;
mod handlers;
mod money;
mod payment_form;
mod payment_page;
mod view;

pub use control_page::{
    Banner, ChargeRow, ControlPage, DisputeRow, EndpointCard, Newest, RefundRow, SessionRow, control,
};
pub use event_page::{AttemptEntry, DeliveryEntry, EventEntry, EventPage, event};
pub use payment_page::{ItemRow, PaymentPage, PaymentState, checkout};

pub(crate) use handlers::router;
#[cfg(test)]
pub(crate) use handlers::routes;

/// The one style sheet, in every page.
const STYLE: &str = include_str!("../templates/style.css");

/// The script behind the copy buttons, which show only where it runs.
pub const COPY_SCRIPT: &str = include_str!("../templates/copy.js");

/// Nothing is loaded from elsewhere and no script stands in a page, so that a name that got past the escaping
/// would still not run. `form-action` is left open: paying ends in a redirect to the shop.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; \
                                           img-src data:; base-uri 'none'; frame-ancestors 'none'";

#[derive(askama::Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page that says one thing.
fn message(title: &str, text: &str) -> String {
    rendered(&MessagePage { title, text })
}

fn rendered(page: &impl askama::Template) -> String {
    // Writing to a String cannot fail, and no value in a page has a Display that does.
    page.render().expect("a page renders")
}

/// Whether a page may link to it. A `javascript:` URL would run in the page, and Stripe takes any scheme.
fn linkable(url: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// How a status looks: good news, bad news, something to wait for, or neither.
fn tone(status: &str) -> &'static str {
    match status {
        "succeeded" | "paid" | "complete" | "won" | "enabled" | "warning_closed" | "no_payment_required" => {
            "good"
        }
        "failed" | "lost" | "disabled" | "needs_response" | "disputed" => "bad",
        "pending"
        | "processing"
        | "unpaid"
        | "held"
        | "under_review"
        | "requires_action"
        | "warning_needs_response"
        | "warning_under_review" => "wait",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
