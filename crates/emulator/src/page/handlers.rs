//! The pages over HTTP: a GET shows the world as it is, a POST asks `act` for one change and goes back.
//!
//! Not here: what the change is, and how the page looks.

mod press;
mod till;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body};

use super::control::Notice;
use super::{CONTENT_SECURITY_POLICY, COPY_SCRIPT, look};
use crate::Emulator;
use crate::guard::is_from_here;

/// The most bytes of a form. A customer types less.
const MOST_BYTES: usize = 64 * 1024;

/// Both pages and everything behind their buttons. The caller serves it beside Stripe's API.
pub fn router(emulator: Emulator) -> Router {
    Router::new()
        .route("/", get(desk))
        .route("/c/pay/{session}", get(till::show).post(till::pay))
        .route("/_control/copy.js", get(copy_script))
        .route("/_control/advance", post(press::advance))
        .route("/_control/sessions/{id}/expire", post(press::expire))
        .route("/_control/charges/{id}/refund", post(press::refund))
        .route("/_control/charges/{id}/dispute", post(press::dispute))
        .route("/_control/disputes/{id}/close", post(press::close))
        .route("/_control/objects/{id}/hasten", post(press::hasten))
        .route("/_control/endpoints/{id}/misbehave", post(press::misbehave))
        .route("/_control/endpoints/{id}/roll", post(press::roll))
        .route("/_control/endpoints/{id}/hold", post(press::hold))
        .route("/_control/endpoints/{id}/release", post(press::release))
        .route("/_control/endpoints/{id}/enable", post(press::enable))
        .route("/_control/events/{id}", get(event))
        .route("/_control/events/{id}/resend", post(press::resend))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(emulator.clone(), only_from_here))
        .with_state(emulator)
}

/// The pages have no key, so a page of another site must not be able to press their buttons. It may lead to
/// them: after a shop's form that ends in a redirect here, some browsers still name the shop in `Origin`.
async fn only_from_here(State(emulator): State<Emulator>, mut request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        request.headers_mut().remove(header::ORIGIN);
    }
    if is_from_here(request.headers(), &emulator.options().url) {
        return next.run(request).await;
    }
    let why = "This was asked for by the name of another machine, or by another site's page. Nothing was \
               done; open the address that the emulator printed.\n";
    (StatusCode::FORBIDDEN, why).into_response()
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
