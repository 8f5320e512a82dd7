//! Stripe's API and the emulator's own control API over HTTP: every route on one screen, one file per noun.
//!
//! Not here: what changes money objects (`act`), the pages, and the listening socket.

mod call;
mod charge;
mod control;
mod currency;
mod customer;
mod dispute;
mod event;
mod exchange;
mod payment_intent;
mod price;
mod product;
mod refund;
mod session;
mod url;
mod webhook_endpoint;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodFilter, any, on};

use crate::emulator::Emulator;
use crate::wire::expand::Shape;
use call::Handler;
use exchange::Api;

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// A route of Stripe's: what it answers with decides what can be expanded in the answer.
struct Route(MethodFilter, &'static str, Shape, Handler);

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route(GET,    "/v1/products",                          Shape::List("product"),          product::list),
    Route(POST,   "/v1/products",                          Shape::One("product"),           product::create),
    Route(GET,    "/v1/products/{id}",                     Shape::One("product"),           product::retrieve),
    Route(POST,   "/v1/products/{id}",                     Shape::One("product"),           product::update),
    Route(DELETE, "/v1/products/{id}",                     Shape::One("product"),           product::delete),
    Route(GET,    "/v1/prices",                            Shape::List("price"),            price::list),
    Route(POST,   "/v1/prices",                            Shape::One("price"),             price::create),
    Route(GET,    "/v1/prices/{id}",                       Shape::One("price"),             price::retrieve),
    Route(POST,   "/v1/prices/{id}",                       Shape::One("price"),             price::update),
    Route(GET,    "/v1/customers",                         Shape::List("customer"),         customer::list),
    Route(POST,   "/v1/customers",                         Shape::One("customer"),          customer::create),
    Route(GET,    "/v1/customers/{id}",                    Shape::One("customer"),          customer::retrieve),
    Route(POST,   "/v1/customers/{id}",                    Shape::One("customer"),          customer::update),
    Route(DELETE, "/v1/customers/{id}",                    Shape::One("customer"),          customer::delete),
    Route(GET,    "/v1/checkout/sessions",                 Shape::List("checkout.session"), session::list),
    Route(POST,   "/v1/checkout/sessions",                 Shape::One("checkout.session"),  session::create),
    Route(GET,    "/v1/checkout/sessions/{id}",            Shape::One("checkout.session"),  session::retrieve),
    Route(POST,   "/v1/checkout/sessions/{id}",            Shape::One("checkout.session"),  session::update),
    Route(POST,   "/v1/checkout/sessions/{id}/expire",     Shape::One("checkout.session"),  session::expire),
    Route(GET,    "/v1/checkout/sessions/{id}/line_items", Shape::List("item"),             session::line_items),
    Route(GET,    "/v1/payment_intents",                   Shape::List("payment_intent"),   payment_intent::list),
    Route(GET,    "/v1/payment_intents/{id}",              Shape::One("payment_intent"),    payment_intent::retrieve),
    Route(POST,   "/v1/payment_intents/{id}",              Shape::One("payment_intent"),    payment_intent::update),
    Route(POST,   "/v1/payment_intents/{id}/cancel",       Shape::One("payment_intent"),    payment_intent::cancel),
    Route(GET,    "/v1/charges",                           Shape::List("charge"),           charge::list),
    Route(GET,    "/v1/charges/{id}",                      Shape::One("charge"),            charge::retrieve),
    Route(POST,   "/v1/charges/{id}",                      Shape::One("charge"),            charge::update),
    Route(GET,    "/v1/charges/{id}/refunds",              Shape::List("refund"),           refund::list_of_charge),
    Route(GET,    "/v1/refunds",                           Shape::List("refund"),           refund::list),
    Route(POST,   "/v1/refunds",                           Shape::One("refund"),            refund::create),
    Route(GET,    "/v1/refunds/{id}",                      Shape::One("refund"),            refund::retrieve),
    Route(POST,   "/v1/refunds/{id}",                      Shape::One("refund"),            refund::update),
    Route(POST,   "/v1/refunds/{id}/cancel",               Shape::One("refund"),            refund::cancel),
    Route(GET,    "/v1/disputes",                          Shape::List("dispute"),          dispute::list),
    Route(GET,    "/v1/disputes/{id}",                     Shape::One("dispute"),           dispute::retrieve),
    Route(POST,   "/v1/disputes/{id}",                     Shape::One("dispute"),           dispute::update),
    Route(POST,   "/v1/disputes/{id}/close",               Shape::One("dispute"),           dispute::close),
    Route(GET,    "/v1/events",                            Shape::List("event"),            event::list),
    Route(GET,    "/v1/events/{id}",                       Shape::One("event"),             event::retrieve),
    Route(POST,   "/v1/events/{id}/retry",                 Shape::One("event"),             event::retry),
    Route(GET,    "/v1/webhook_endpoints",                 Shape::List("webhook_endpoint"), webhook_endpoint::list),
    Route(POST,   "/v1/webhook_endpoints",                 Shape::One("webhook_endpoint"),  webhook_endpoint::create),
    Route(GET,    "/v1/webhook_endpoints/{id}",            Shape::One("webhook_endpoint"),  webhook_endpoint::retrieve),
    Route(POST,   "/v1/webhook_endpoints/{id}",            Shape::One("webhook_endpoint"),  webhook_endpoint::update),
    Route(DELETE, "/v1/webhook_endpoints/{id}",            Shape::One("webhook_endpoint"),  webhook_endpoint::delete),
];

/// Stripe's API under `/v1/…`, and the control API under `/_emulator/…`.
pub fn router(emulator: Emulator) -> Router {
    let api = Arc::new(Api::new(emulator.clone()));
    let mut router = Router::new();
    for route in ROUTES {
        let api = Arc::clone(&api);
        let handler = move |id, request| exchange::answer(api, route, id, request);
        router = router.route(route.1, on(route.0, handler));
    }
    let unknown = move |request| exchange::unknown(api, request);
    router
        .route("/v1/{*rest}", any(unknown.clone()))
        .method_not_allowed_fallback(unknown)
        .merge(control::router(emulator))
}

/// What there is, for whoever asks for something else: `products, prices, …`.
fn nouns() -> String {
    let mut nouns: Vec<&str> = ROUTES.iter().filter_map(|route| route.1.strip_prefix("/v1/")).collect();
    nouns.retain(|path| !path.contains('{'));
    nouns.dedup();
    nouns.join(", ")
}

#[cfg(test)]
mod tests;
