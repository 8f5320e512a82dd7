//! The pages over HTTP: a GET shows the account, a POST gives one command and redirects back.
//!
//! Not here: the HTML, and the guard against other sites' pages ([`crate::guard`]).

mod actions;
mod checkout;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, body};

use super::control_page::Banner;
use super::{CONTENT_SECURITY_POLICY, COPY_SCRIPT, view};
use crate::Emulator;
use crate::controller::Controller;

/// The most bytes of a form.
const MAX_BYTES: usize = 64 * 1024;

/// Every route.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Controller>); 16] {
    [
        ("/", get(control_page)),
        ("/c/pay/{session}", get(checkout::show).post(checkout::pay)),
        ("/_control/copy.js", get(copy_script)),
        ("/_control/advance", post(actions::advance)),
        ("/_control/sessions/{id}/expire", post(actions::expire)),
        ("/_control/charges/{id}/refund", post(actions::refund)),
        ("/_control/charges/{id}/dispute", post(actions::dispute)),
        ("/_control/disputes/{id}/close", post(actions::decide_dispute)),
        ("/_control/objects/{id}/hasten", post(actions::hasten)),
        ("/_control/endpoints/{id}/misbehave", post(actions::misbehave)),
        ("/_control/endpoints/{id}/rotate", post(actions::rotate_secret)),
        ("/_control/endpoints/{id}/hold", post(actions::hold)),
        ("/_control/endpoints/{id}/release", post(actions::release)),
        ("/_control/endpoints/{id}/enable", post(actions::enable)),
        ("/_control/events/{id}", get(event)),
        ("/_control/events/{id}/resend", post(actions::resend)),
    ]
}

/// The pages and everything behind their buttons.
pub(crate) fn router(emulator: Emulator) -> Router {
    let routes = routes().into_iter();
    let router = routes.fold(Router::new(), |router, (path, route)| router.route(path, route));
    router.layer(DefaultBodyLimit::max(MAX_BYTES)).with_state(Controller::new(emulator))
}

async fn control_page(State(controller): State<Controller>) -> Response {
    control_page_with(&controller, StatusCode::OK, None)
}

/// The control page; with a banner when the last command was refused.
fn control_page_with(controller: &Controller, status: StatusCode, banner: Option<Banner>) -> Response {
    let view = controller.read(|world| view::control(world, controller.options(), banner));
    page(status, super::control(&view))
}

async fn event(State(controller): State<Controller>, Path(id): Path<String>) -> Response {
    match controller.read(|world| view::event(world, &id)) {
        Some(view) => page(StatusCode::OK, super::event(&view)),
        None => {
            nothing_here("There is no such event", "Events are kept for 30 days of the emulator's clock.")
        }
    }
}

async fn copy_script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], COPY_SCRIPT).into_response()
}

fn nothing_here(title: &str, text: &str) -> Response {
    page(StatusCode::NOT_FOUND, super::message(title, text))
}

fn page(status: StatusCode, html: String) -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}

/// A redirect to `location`, percent-encoded where a header requires it.
fn see_other(location: &str) -> Response {
    let mut encoded = String::with_capacity(location.len());
    for byte in location.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, encoded)], body::Body::empty()).into_response()
}

#[cfg(test)]
mod tests;
