//! Opens a checkout for a package. The request to Stripe is stored, sent with an idempotency key of this
//! purchase, and Stripe's response is stored. If this is interrupted at any point, repeating the request
//! continues from there and returns the same session. The credits are granted by Stripe's events, not here.

mod in_flight;
mod order;

use std::sync::Arc;

use ledger::{Policy, TenantId, Timestamp};
use store::{
    BegunPurchase, IdempotencyKey, PurchaseOrder, PurchaseRow, PurchaseSession, Scope, Store, StoreError,
};
use stripe::checkout::OpenSession;

use crate::entropy;
use crate::shop::{CheckoutFault, Shop};
use in_flight::InFlight;

/// Opens checkouts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Purchases {
    store: Store,
    shop: Arc<Shop>,
    policy: Arc<Policy>,
    in_flight: Arc<InFlight>,
}

/// A request for a checkout.
#[derive(Clone, Debug)]
pub struct PurchaseRequest {
    /// The tenant that buys.
    pub tenant: TenantId,
    /// The `Idempotency-Key` and the fingerprint of the request.
    pub idempotency_key: IdempotencyKey,
    /// The package's name in the catalogue.
    pub package: String,
    /// Where the customer is redirected after paying.
    pub success_url: String,
    /// Where the customer is redirected without paying.
    pub cancel_url: Option<String>,
    /// Prefilled on the payment page.
    pub customer_email: Option<String>,
}

/// An open checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPurchase {
    /// The stored purchase.
    pub purchase: PurchaseRow,
    /// Its session at Stripe.
    pub session: PurchaseSession,
    /// Whether an earlier request with the same key opened it.
    pub replayed: bool,
}

/// Why there is no checkout. Nothing was charged.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PurchaseError {
    /// The tenant is not known, and this deployment accepts payments of known tenants only.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// No packages are configured.
    #[error("there is no catalogue")]
    NoCatalogue,
    /// No Stripe key is configured.
    #[error("there is no Stripe key")]
    NoGateway,
    /// The catalogue has no such package.
    #[error("there is no such package")]
    UnknownPackage,
    /// The `Idempotency-Key` was used for another command.
    #[error("this Idempotency-Key was used for another command")]
    KeyReused,
    /// Stripe would charge another price than the catalogue's. The key can be used again.
    #[error("Stripe would charge another price for {} than the catalogue's", .0.order.package)]
    OtherPrice(Box<PurchaseRow>),
    /// Stripe refused with this message. The key can be used again.
    #[error("Stripe refused: {0}")]
    Refused(String),
    /// Stripe sent no usable response.
    #[error("Stripe sent no usable response")]
    Unreachable,
    /// The request to Stripe that this one waited for was interrupted.
    #[error("the request to Stripe was interrupted")]
    RequestInterrupted,
    /// Too many purchases wait for Stripe.
    #[error("too many purchases wait for Stripe")]
    TooMany,
    /// It was interrupted by a bug.
    #[error("the purchase was interrupted")]
    Interrupted,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Purchases {
    /// Sells the packages of `shop` and stores purchases in `store`.
    pub fn new(store: Store, shop: Arc<Shop>, policy: Arc<Policy>) -> Self {
        Self { store, shop, policy, in_flight: Arc::default() }
    }

    /// Opens a checkout, or returns the one that the same request opened before. The work runs in its own
    /// task, so that a disconnected client does not cancel it.
    ///
    /// # Errors
    /// [`PurchaseError`]. The same request with the same key continues where it was interrupted.
    pub async fn open(
        &self,
        request: PurchaseRequest,
        now: Timestamp,
    ) -> Result<OpenPurchase, PurchaseError> {
        let purchases = self.clone();
        let work = tokio::spawn(async move { purchases.begin(request, now).await });
        let (purchase, replayed) = work.await.unwrap_or(Err(PurchaseError::Interrupted))?;
        let session = purchase.session.clone().ok_or(PurchaseError::Interrupted)?;
        Ok(OpenPurchase { purchase, session, replayed })
    }

    /// Returns the purchase with its session, and whether it had one before.
    async fn begin(
        &self,
        request: PurchaseRequest,
        now: Timestamp,
    ) -> Result<(PurchaseRow, bool), PurchaseError> {
        let id = format!("purchase_{}", entropy::unique_id(now).simple());
        // A package that cannot be sold now may have been sold before: the key still returns that purchase.
        let (new, refused) = match self.is_unwanted(&request).await? {
            true => (None, Some(PurchaseError::UnknownTenant)),
            false => match order::new(&request, &self.shop, id) {
                Ok(new) => (Some(new), None),
                Err(error) => (None, Some(error)),
            },
        };
        let order = PurchaseOrder { tenant: request.tenant, idempotency_key: request.idempotency_key, new };
        match self.store.begin_purchase(order, now).await? {
            BegunPurchase::KeyReused => Err(PurchaseError::KeyReused),
            BegunPurchase::NotFound => Err(refused.unwrap_or(PurchaseError::Interrupted)),
            BegunPurchase::Purchase(purchase) if purchase.session.is_some() => Ok((purchase, true)),
            BegunPurchase::Purchase(purchase) => {
                let opening = self.open_session(&purchase);
                Ok((self.in_flight.once(&purchase.order.id, opening).await?, false))
            }
        }
    }

    /// Whether a service names an unknown tenant, whose payment would be quarantined. A tenant's own key
    /// makes the tenant known.
    async fn is_unwanted(&self, request: &PurchaseRequest) -> Result<bool, PurchaseError> {
        let may_be = request.idempotency_key.scope == Scope::Service && self.policy.known_tenants_only;
        Ok(may_be && self.store.tenant(request.tenant).await?.is_none())
    }

    /// Sends the stored request to Stripe, and stores the session.
    async fn open_session(&self, purchase: &PurchaseRow) -> Result<PurchaseRow, PurchaseError> {
        let order = &purchase.order;
        let gateway = self.shop.gateway.as_ref().ok_or(PurchaseError::NoGateway)?;
        let session = match gateway.open(&order.form, &format!("faireplace-{}", order.id)).await {
            Ok(session)
                if (session.amount_subtotal, &session.currency) == (order.price.0, &order.currency) =>
            {
                session
            }
            Ok(session) => return Err(self.abandon_other_price(purchase, &session).await?),
            Err(CheckoutFault::Refused(words)) => {
                tracing::warn!(package = order.package, words, "Stripe refused to open a checkout");
                self.store.abandon_purchase(order.id.clone()).await?;
                return Err(PurchaseError::Refused(words));
            }
            Err(CheckoutFault::Unreachable(reason)) => {
                tracing::warn!(reason, "Stripe sent no usable response to a purchase");
                return Err(PurchaseError::Unreachable);
            }
        };
        let session = PurchaseSession {
            id: session.id,
            url: session.url,
            expires_at: Timestamp::from_seconds(session.expires_at),
        };
        // `None`: Stripe refused another request with the same key meanwhile, which removed the purchase.
        self.store.finish_purchase(order.id.clone(), session).await?.ok_or(PurchaseError::Unreachable)
    }

    async fn abandon_other_price(
        &self,
        purchase: &PurchaseRow,
        session: &OpenSession,
    ) -> Result<PurchaseError, StoreError> {
        let order = &purchase.order;
        tracing::error!(
            package = order.package,
            at_stripe = format!("{} {}", session.amount_subtotal, session.currency),
            in_the_catalogue = format!("{} {}", order.price.0, order.currency),
            "Stripe would charge another price than the catalogue's, so nothing is sold"
        );
        self.store.abandon_purchase(order.id.clone()).await?;
        Ok(PurchaseError::OtherPrice(Box::new(purchase.clone())))
    }
}
