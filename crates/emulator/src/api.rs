//! Stripe's API and the emulator's control API over HTTP: every route on one screen, one file per noun.
//!
//! Not here: what happens to payments (`act`), and the pages.

mod call;
mod catalogue;
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
use crate::wire::expand::ResponseShape::{self, List, One};
use call::Handler;
#[cfg(test)]
pub(crate) use control::routes as control_routes;
use exchange::Api;

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// A route of Stripe's after `/v1`. The shape of its response decides what can be expanded in it.
type Route = (MethodFilter, &'static str, ResponseShape, Handler);

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    (GET,    "/products",                             List("product"),           product::list),
    (POST,   "/products",                             One("product"),            product::create),
    (GET,    "/products/{id}",                        One("product"),            product::retrieve),
    (POST,   "/products/{id}",                        One("product"),            product::update),
    (DELETE, "/products/{id}",                        One("product"),            product::delete),
    (GET,    "/prices",                               List("price"),             price::list),
    (POST,   "/prices",                               One("price"),              price::create),
    (GET,    "/prices/{id}",                          One("price"),              price::retrieve),
    (POST,   "/prices/{id}",                          One("price"),              price::update),
    (GET,    "/customers",                            List("customer"),          customer::list),
    (POST,   "/customers",                            One("customer"),           customer::create),
    (GET,    "/customers/{id}",                       One("customer"),           customer::retrieve),
    (POST,   "/customers/{id}",                       One("customer"),           customer::update),
    (DELETE, "/customers/{id}",                       One("customer"),           customer::delete),
    (GET,    "/checkout/sessions",                    List("checkout.session"),  session::list),
    (POST,   "/checkout/sessions",                    One("checkout.session"),   session::create),
    (GET,    "/checkout/sessions/{id}",               One("checkout.session"),   session::retrieve),
    (POST,   "/checkout/sessions/{id}",               One("checkout.session"),   session::update),
    (POST,   "/checkout/sessions/{id}/expire",        One("checkout.session"),   session::expire),
    (GET,    "/checkout/sessions/{id}/line_items",    List("item"),              session::line_items),
    (GET,    "/payment_intents",                      List("payment_intent"),    payment_intent::list),
    (POST,   "/payment_intents",                      One("payment_intent"),     payment_intent::create),
    (GET,    "/payment_intents/{id}",                 One("payment_intent"),     payment_intent::retrieve),
    (POST,   "/payment_intents/{id}",                 One("payment_intent"),     payment_intent::update),
    (POST,   "/payment_intents/{id}/confirm",         One("payment_intent"),     payment_intent::confirm),
    (POST,   "/payment_intents/{id}/cancel",          One("payment_intent"),     payment_intent::cancel),
    (GET,    "/charges",                              List("charge"),            charge::list),
    (GET,    "/charges/{id}",                         One("charge"),             charge::retrieve),
    (POST,   "/charges/{id}",                         One("charge"),             charge::update),
    (GET,    "/charges/{id}/refunds",                 List("refund"),            refund::list_of_charge),
    (GET,    "/refunds",                              List("refund"),            refund::list),
    (POST,   "/refunds",                              One("refund"),             refund::create),
    (GET,    "/refunds/{id}",                         One("refund"),             refund::retrieve),
    (POST,   "/refunds/{id}",                         One("refund"),             refund::update),
    (POST,   "/refunds/{id}/cancel",                  One("refund"),             refund::cancel),
    (GET,    "/disputes",                             List("dispute"),           dispute::list),
    (GET,    "/disputes/{id}",                        One("dispute"),            dispute::retrieve),
    (POST,   "/disputes/{id}",                        One("dispute"),            dispute::update),
    (POST,   "/disputes/{id}/close",                  One("dispute"),            dispute::close),
    (GET,    "/events",                               List("event"),             event::list),
    (GET,    "/events/{id}",                          One("event"),              event::retrieve),
    (POST,   "/events/{id}/retry",                    One("event"),              event::retry),
    (GET,    "/webhook_endpoints",                    List("webhook_endpoint"),  webhook_endpoint::list),
    (POST,   "/webhook_endpoints",                    One("webhook_endpoint"),   webhook_endpoint::create),
    (GET,    "/webhook_endpoints/{id}",               One("webhook_endpoint"),   webhook_endpoint::retrieve),
    (POST,   "/webhook_endpoints/{id}",               One("webhook_endpoint"),   webhook_endpoint::update),
    (DELETE, "/webhook_endpoints/{id}",               One("webhook_endpoint"),   webhook_endpoint::delete),
];

/// Stripe's API under `/v1/…`, and the control API under `/_emulator/…`.
pub(crate) fn router(emulator: Emulator) -> Router {
    stripe(Arc::new(Api::new(emulator.clone()))).merge(control::router(emulator))
}

fn stripe(api: Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let api = Arc::clone(&api);
        let handler = move |id, request| exchange::answer(api, route, id, request);
        router = router.route(&format!("/v1{}", route.1), on(route.0, handler));
    }
    let unknown = move |request| exchange::unknown(api, request);
    router
        .route("/v1", any(unknown.clone()))
        .route("/v1/", any(unknown.clone()))
        .route("/v1/{*rest}", any(unknown.clone()))
        .route("/v2/{*rest}", any(unknown.clone()))
        .method_not_allowed_fallback(unknown)
}

/// The paths of Stripe's API.
#[cfg(test)]
pub(crate) fn stripe_paths() -> impl Iterator<Item = String> {
    ROUTES.iter().map(|route| format!("/v1{}", route.1))
}

/// The nouns that exist, for the error about an unknown route: `products, prices, …`.
fn nouns() -> String {
    let mut nouns: Vec<&str> = ROUTES.iter().map(|route| route.1.trim_start_matches('/')).collect();
    nouns.retain(|path| !path.contains('{'));
    nouns.dedup();
    nouns.join(", ")
}

#[cfg(test)]
pub(crate) mod tests;
