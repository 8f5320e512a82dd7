//! The pages: the payment page of a Checkout session, the control page, and the page of an event. `askama`
//! escapes every value. Every button is a plain form, and JavaScript serves the copy buttons only.
//!
//! | file | duty |
//! |---|---|
//! | `view` | reads the account into the structs that a page shows |
//! | `payment_page`, `control_page`, `event_page` | these structs, and their HTML |
//! | `handlers/checkout`, `handlers/actions` | the forms of the payment page and of the control page |
//! | `payment_form` | what the customer typed |
//!
//! ```text
//! GET  /c/pay/{session}   the payment page
//! POST /c/pay/{session}   pays: method = card | sepa_debit, number, exp, cvc, iban, name, email
//!                         the button of a test number: card, or debit
//!                         3-D Secure: challenge = complete | fail
//! GET  /                                    the control page
//! GET  /_control/copy.js                    its copy buttons
//! POST /_control/advance                    seconds; or amount, unit = seconds | minutes | hours | days
//! POST /_control/sessions/{id}/expire
//! POST /_control/charges/{id}/refund        part = half | all
//! POST /_control/charges/{id}/dispute       kind = dispute | inquiry | fraud_warning
//! POST /_control/disputes/{id}/close        outcome = win | lose | close (evidence, or none)
//! POST /_control/objects/{id}/hasten        runs what is scheduled for it now
//! POST /_control/endpoints/{id}/misbehave   every field of `Misbehaviour`; left out: zero
//! POST /_control/endpoints/{id}/rotate        grace_period_seconds
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

/// The style sheet of every page.
const STYLE: &str = include_str!("../templates/style.css");

/// The script of the copy buttons, which are hidden without it.
pub const COPY_SCRIPT: &str = include_str!("../templates/copy.js");

/// The policy allows no inline script and loads nothing from elsewhere, so that a name would not run even if
/// it escaped the escaping. It does not restrict `form-action`, because paying ends in a redirect to the
/// shop.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; \
                                           img-src data:; base-uri 'none'; frame-ancestors 'none'";

#[derive(askama::Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page with a title and one sentence.
fn message(title: &str, text: &str) -> String {
    rendered(&MessagePage { title, text })
}

fn rendered(page: &impl askama::Template) -> String {
    // Writing to a String cannot fail, and neither can the Display of any value in a page.
    page.render().expect("a page renders")
}

/// Whether a page may link to the URL. Stripe accepts any scheme, and a `javascript:` URL would run in the
/// page.
fn linkable(url: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The CSS class of a status: `good`, `bad`, `wait`, or none.
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
