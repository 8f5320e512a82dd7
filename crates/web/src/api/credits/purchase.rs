//! `POST /api/credits/purchase`: a checkout at Stripe, where somebody can pay for a package.
//!
//! What Stripe is asked is pinned first, then Stripe is asked with a key of the purchase's own, then its
//! answer is kept. Wherever that breaks off, the same request goes on from there and gets the same session.
//! Not here: the credits, which come when Stripe tells of the payment.

mod asked;

use axum::response::Response;
use engine::entropy;
use ledger::{TenantId, Timestamp};
use serde::Serialize;
use serde_json::json;
use store::{BegunPurchase, IdempotencyKey, Purchase, PurchaseOrder, PurchaseSession, Scope};
use utoipa::ToSchema;

use crate::answer::{Data, Problem, ProblemKind, rfc3339};
use crate::api::command::key_reused;
use crate::api::{IdempotencyKeyHeader, Received, Writer, body, fingerprint, marked};
use crate::app::App;
use crate::schema::OfTenant;
use crate::shop::CheckoutFault;
use asked::Asked;

/// Open a checkout, where somebody can pay for a package
///
/// Send the customer to `checkout_url`. The credits come when Stripe tells of the payment; until then
/// `GET /api/payments/{session_id}` says `pending`. The same `Idempotency-Key` gets the same checkout for
/// ever.
#[utoipa::path(post, path = "/api/credits/purchase", operation_id = "purchase", tag = "Credits",
    params(OfTenant, IdempotencyKeyHeader), request_body = Asked,
    responses((status = 201, body = Data<PurchaseView>),
        (status = 422, description = "PACKAGE_UNKNOWN"),
        (status = 502, description = "STRIPE_REFUSED, STRIPE_UNREACHABLE"),
        (status = 503, description = "PURCHASES_NOT_CONFIGURED")))]
pub(crate) async fn create(
    Writer { request, caller }: Writer,
    key: IdempotencyKeyHeader,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id"])?;
            let tenant = caller.tenant(request.query.get("tenant_id"))?;
            let key = key.required()?;
            let asked: Asked = body(&request, received)?;
            asked.check()?;
            let pin = IdempotencyKey {
                scope: caller.scope(),
                key,
                fingerprint: fingerprint("purchase", tenant, &asked),
            };
            let (app, now) = (request.app.clone(), request.meta.at);
            // A task of its own: a client that goes away stops nothing half-way.
            let work = tokio::spawn(async move { buy(&app, tenant, pin, &asked, now).await });
            let (purchase, replayed) = work.await.map_err(|_| broken_off())??;
            Ok(marked(request.meta.created(PurchaseView::of(purchase)?), replayed))
        })
        .await
}

/// The purchase with its session, and whether it had one before.
async fn buy(
    app: &App,
    tenant: TenantId,
    pin: IdempotencyKey,
    asked: &Asked,
    now: Timestamp,
) -> Result<(Purchase, bool), Problem> {
    let id = format!("purchase_{}", entropy::unique_id(now).simple());
    // What cannot be sold now may have been before: then the key still gets the same answer.
    let order = match is_unwanted(app, tenant, pin.scope).await? {
        true => Err(Problem::new(ProblemKind::NotFound, NO_SUCH_TENANT)),
        false => asked.order(&app.shop, id, tenant),
    };
    let (new, refused) = match order {
        Ok(new) => (Some(new), None),
        Err(problem) => (None, Some(problem)),
    };
    match app.store.begin_purchase(PurchaseOrder { tenant, pin, new }, now).await? {
        BegunPurchase::KeyReused => Err(key_reused()),
        BegunPurchase::Nothing => Err(refused.unwrap_or_else(broken_off)),
        BegunPurchase::Purchase(purchase) if purchase.session.is_some() => Ok((purchase, true)),
        BegunPurchase::Purchase(purchase) => {
            let asking = ask(app, &purchase);
            let bought = app.in_flight.once(&purchase.order.id, asking).await?;
            Ok((bought, false))
        }
    }
}

const NO_SUCH_TENANT: &str = "There is no such tenant, and this deployment takes no payment of one that it \
    does not know. A tenant becomes known by its first key. Nothing was changed.";

/// Whether a service names somebody whose payment would be quarantined once it is made. A tenant's own key
/// makes it known.
async fn is_unwanted(app: &App, tenant: TenantId, scope: Scope) -> Result<bool, Problem> {
    let may_be = scope == Scope::Service && app.policy.known_tenants_only;
    Ok(may_be && app.store.tenant(tenant).await?.is_none())
}

/// Asks Stripe for the session that was pinned, and keeps the answer.
async fn ask(app: &App, purchase: &Purchase) -> Result<Purchase, Problem> {
    let order = &purchase.order;
    let checkout = app.shop.checkout.as_ref().ok_or_else(no_key)?;
    let opened = checkout.open(&order.form, &format!("faireplace-{}", order.id)).await;
    let session = match opened {
        Ok(session) if (session.amount_subtotal, &session.currency) == (order.price.0, &order.currency) => {
            session
        }
        Ok(session) => {
            tracing::error!(
                package = order.package,
                at_stripe = format!("{} {}", session.amount_subtotal, session.currency),
                in_the_catalogue = format!("{} {}", order.price.0, order.currency),
                "Stripe would charge another price than the catalogue's, so nothing is sold"
            );
            app.store.abandon_purchase(order.id.clone()).await?;
            return Err(other_price(purchase));
        }
        Err(CheckoutFault::Refused(words)) => {
            tracing::warn!(package = order.package, words, "Stripe refused to open a checkout");
            app.store.abandon_purchase(order.id.clone()).await?;
            return Err(Problem::new(
                ProblemKind::StripeRefused,
                format!(
                    "Stripe refused to open a checkout: {words} Nothing was charged. Once that is mended, \
                     send this again; the Idempotency-Key is still free."
                ),
            ));
        }
        Err(CheckoutFault::Unreachable(reason)) => {
            tracing::warn!(reason, "Stripe gave no usable answer to a purchase");
            return Err(unreachable());
        }
    };
    let session = PurchaseSession {
        id: session.id,
        url: session.url,
        expires_at: Timestamp::from_seconds(session.expires_at),
    };
    // None: a refusal to somebody else under the same key came in between, and freed it.
    app.store.finish_purchase(order.id.clone(), session).await?.ok_or_else(unreachable)
}

fn unreachable() -> Problem {
    Problem::new(
        ProblemKind::StripeUnreachable,
        "Stripe did not answer. Nothing was charged; retry with the same Idempotency-Key.",
    )
}

fn broken_off() -> Problem {
    Problem::new(
        ProblemKind::Internal,
        "The purchase broke off; the log says why. Nothing was charged; retry with the same Idempotency-Key.",
    )
}

/// Which setting is missing, for whoever runs the service.
fn not_configured(what: &str) -> Problem {
    let message = format!("Nothing can be bought here: {what}. Nothing was charged.");
    Problem::new(ProblemKind::PurchasesNotConfigured, message)
}

fn no_key() -> Problem {
    not_configured("STRIPE_SECRET_KEY is not set, and sessions are made with it")
}

fn other_price(purchase: &Purchase) -> Problem {
    let package = &purchase.order.package;
    let details = json!({ "package": package, "expected": purchase.order.price.0 });
    not_configured(&format!(
        "the price of {package} at Stripe is not the catalogue's; `stripe_price` and `price` must agree"
    ))
    .with_details(details)
}

/// A checkout that can be paid until `expires_at`.
#[derive(Serialize, ToSchema)]
#[schema(as = Checkout, example = json!({ "purchase_id": "purchase_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b",
    "checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1b2c3d4e5f6g7h8",
    "session_id": "cs_live_a1b2c3d4e5f6g7h8", "package": "10_credits", "credits": 10,
    "expires_at": "2026-11-24T12:00:00Z" }))]
struct PurchaseView {
    purchase_id: String,
    /// Where the customer pays.
    checkout_url: String,
    /// Stripe's name for it, which `GET /api/payments/{id}` takes too.
    session_id: String,
    package: String,
    credits: i64,
    /// Until when it can be paid.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl PurchaseView {
    fn of(purchase: Purchase) -> Result<Self, Problem> {
        let session = purchase.session.ok_or_else(broken_off)?;
        Ok(Self {
            purchase_id: purchase.order.id,
            checkout_url: session.url,
            session_id: session.id,
            package: purchase.order.package,
            credits: purchase.order.credits.0,
            expires_at: rfc3339(session.expires_at),
        })
    }
}
