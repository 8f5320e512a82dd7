//! `POST /api/credits/purchase`: opens a checkout at Stripe for a package. `engine::purchase` opens one
//! checkout for each `Idempotency-Key`.

mod request;

use engine::purchase::{OpenPurchase, PurchaseError};
use serde::Serialize;
use serde_json::json;
use store::{IdempotencyKey, PurchaseRow};
use utoipa::ToSchema;

use crate::answer::{CreatedData, Data, Problem, ProblemKind, Replayable, rfc3339};
use crate::api::command::key_reused;
use crate::api::{CreditsWriter, IdempotencyKeyHeader, ReceivedBody, body, fingerprint};
use crate::schema::OfTenant;
use request::PurchaseBody;

/// Create a purchase
///
/// Creates a checkout at Stripe; send the customer to its `checkout_url`. Credits are granted when Stripe
/// reports the payment. Until then `GET /api/payments/{session_id}` returns the status `pending`. The same
/// `Idempotency-Key` always returns the same checkout.
#[utoipa::path(post, path = "/api/credits/purchase", operation_id = "purchase", tag = "Credits",
    params(OfTenant, IdempotencyKeyHeader), request_body = PurchaseBody,
    responses((status = 201, body = Data<OpenCheckoutView>),
        (status = 422, description = "PACKAGE_UNKNOWN"),
        (status = 502, description = "STRIPE_REFUSED, STRIPE_UNREACHABLE"),
        (status = 503, description = "PURCHASES_NOT_CONFIGURED")))]
pub(crate) async fn create(
    CreditsWriter { request, caller }: CreditsWriter,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Replayable<CreatedData<OpenCheckoutView>>, Problem> {
    request.query.only(&["tenant_id"])?;
    let tenant = caller.tenant(request.query.get("tenant_id"))?;
    let key = key.required()?;
    let asked: PurchaseBody = body(&request, received)?;
    asked.check()?;
    let idempotency_key =
        IdempotencyKey { scope: caller.scope(), key, fingerprint: fingerprint("purchase", tenant, &asked) };
    let opened = request.app.purchases.open(asked.of(tenant, idempotency_key), request.now).await?;
    let replayed = opened.replayed;
    Ok(Replayable { response: CreatedData(OpenCheckoutView::of(opened)), replayed })
}

impl From<PurchaseError> for Problem {
    fn from(error: PurchaseError) -> Self {
        let unreachable = |message: &str| Self::new(ProblemKind::StripeUnreachable, message);
        match error {
            PurchaseError::UnknownTenant => Self::new(
                ProblemKind::NotFound,
                "There is no such tenant, and this deployment accepts payments of known tenants only. \
                 A tenant becomes known by its first key. Nothing was changed.",
            ),
            PurchaseError::NoCatalogue => {
                not_configured("there is no catalogue; the settings need [[packages]]")
            }
            PurchaseError::NoGateway => {
                not_configured("STRIPE_SECRET_KEY is not set, and sessions are made with it")
            }
            PurchaseError::UnknownPackage => Self::new(
                ProblemKind::PackageUnknown,
                "There is no such package; GET /api/credits/packages lists them. Nothing was charged.",
            ),
            PurchaseError::KeyReused => key_reused(),
            PurchaseError::OtherPrice(purchase) => other_price(&purchase),
            PurchaseError::Refused(words) => Self::new(
                ProblemKind::StripeRefused,
                format!(
                    "Stripe refused to open a checkout: {words} Nothing was charged. When that is fixed, \
                     send this again; the Idempotency-Key is still free."
                ),
            ),
            PurchaseError::Unreachable => unreachable(
                "Stripe did not answer. Nothing was charged; retry with the same Idempotency-Key.",
            ),
            PurchaseError::RequestInterrupted => unreachable(
                "The request to Stripe was interrupted. Nothing was charged; send this again with the same \
                 Idempotency-Key.",
            ),
            PurchaseError::TooMany => Self::new(
                ProblemKind::Unavailable,
                "Too many purchases wait for Stripe's answer. Nothing was charged; send this again in a \
                 moment with the same Idempotency-Key.",
            ),
            PurchaseError::Interrupted => Self::new(
                ProblemKind::Internal,
                "The purchase was interrupted; the log says why. Nothing was charged; retry with the same \
                 Idempotency-Key.",
            ),
            PurchaseError::Store(error) => error.into(),
        }
    }
}

/// A setting of the service is missing.
fn not_configured(what: &str) -> Problem {
    let message = format!("Nothing can be bought here: {what}. Nothing was charged.");
    Problem::new(ProblemKind::PurchasesNotConfigured, message)
}

fn other_price(purchase: &PurchaseRow) -> Problem {
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
pub(crate) struct OpenCheckoutView {
    purchase_id: String,
    /// The URL of the payment page.
    checkout_url: String,
    /// The session id at Stripe; `GET /api/payments/{id}` also accepts it.
    session_id: String,
    package: String,
    credits: i64,
    /// When the checkout expires.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl OpenCheckoutView {
    fn of(opened: OpenPurchase) -> Self {
        let OpenPurchase { purchase, session, .. } = opened;
        Self {
            purchase_id: purchase.order.id,
            checkout_url: session.url,
            session_id: session.id,
            package: purchase.order.package,
            credits: purchase.order.credits.0,
            expires_at: rfc3339(session.expires_at),
        }
    }
}
