//! The pages over HTTP: a GET shows the world as it is, a POST asks `act` for one change and goes back.
//!
//! Not here: what the change is, how the page looks, and who may use it ([`crate::guard`]).

mod press;
mod till;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, body};

use super::control::Notice;
use super::{CONTENT_SECURITY_POLICY, COPY_SCRIPT, look};
use crate::Emulator;

/// The most bytes of a form. A customer types less.
const MOST_BYTES: usize = 64 * 1024;

/// Every route.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Emulator>); 16] {
    [
        ("/", get(desk)),
        ("/c/pay/{session}", get(till::show).post(till::pay)),
        ("/_control/copy.js", get(copy_script)),
        ("/_control/advance", post(press::advance)),
        ("/_control/sessions/{id}/expire", post(press::expire)),
        ("/_control/charges/{id}/refund", post(press::refund)),
        ("/_control/charges/{id}/dispute", post(press::dispute)),
        ("/_control/disputes/{id}/close", post(press::close)),
        ("/_control/objects/{id}/hasten", post(press::hasten)),
        ("/_control/endpoints/{id}/misbehave", post(press::misbehave)),
        ("/_control/endpoints/{id}/roll", post(press::roll)),
        ("/_control/endpoints/{id}/hold", post(press::hold)),
        ("/_control/endpoints/{id}/release", post(press::release)),
        ("/_control/endpoints/{id}/enable", post(press::enable)),
        ("/_control/events/{id}", get(event)),
        ("/_control/events/{id}/resend", post(press::resend)),
    ]
}

/// Both pages and everything behind their buttons. The caller serves it beside Stripe's API.
pub(crate) fn router(emulator: Emulator) -> Router {
    let routes = routes().into_iter();
    let router = routes.fold(Router::new(), |router, (path, route)| router.route(path, route));
    router.layer(DefaultBodyLimit::max(MOST_BYTES)).with_state(emulator)
}

async fn desk(State(emulator): State<Emulator>) -> Response {
    desk_with(&emulator, StatusCode::OK, None)
}

/// The control page; with a notice when the last button could not do what it says.
fn desk_with(emulator: &Emulator, status: StatusCode, notice: Option<Notice>) -> Response {
    let view = emulator.with(|world| look::control(world, emulator.options(), notice));
    page(status, super::control(&view))
}

async fn event(State(emulator): State<Emulator>, Path(id): Path<String>) -> Response {
    match emulator.with(|world| look::event(world, &id)) {
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
    page(StatusCode::NOT_FOUND, super::sentence(title, text))
}

fn page(status: StatusCode, html: String) -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(html)).into_response()
}

/// On to `location`, which is percent-encoded where a header would not take it.
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
