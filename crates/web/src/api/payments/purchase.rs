//! The checkout that a payment began with, if this service opened it: shown with the payment, and in its
//! place until Stripe sends an event about the payment. `credits::purchase` opens it.

use ledger::{PaymentStatus, TenantId, Timestamp};
use serde::Serialize;
use store::{PaymentRow, PurchaseRow, Store};
use utoipa::ToSchema;

use super::{CreditsView, PaymentDetail, PaymentView, timeline};
use crate::answer::{Problem, rfc3339};

/// The checkout that a payment began with.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentPurchase)]
pub(super) struct PaymentPurchaseView {
    id: String,
    session_id: String,
    package: String,
    /// Credits in the package.
    credits: i64,
    /// Before tax, in minor units.
    price: i64,
    /// Three letters, in lower case.
    currency: String,
    /// The URL of the payment page; null once it is paid or expired.
    checkout_url: Option<String>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl PaymentPurchaseView {
    /// `status` is the status of the payment, as far as Stripe reported it.
    pub(super) fn of(purchase: &PurchaseRow, status: PaymentStatus, now: Timestamp) -> Self {
        let (order, session) = (&purchase.order, purchase.session.as_ref());
        let payable = session.filter(|session| status == PaymentStatus::Pending && session.expires_at > now);
        Self {
            id: order.id.clone(),
            session_id: session.map(|session| session.id.clone()).unwrap_or_default(),
            package: order.package.clone(),
            credits: order.credits.0,
            price: order.price.0,
            currency: order.currency.clone(),
            checkout_url: payable.map(|session| session.url.clone()),
            expires_at: session.map(|session| rfc3339(session.expires_at)),
        }
    }
}

/// A payment, a purchase without a payment, or a payment and the purchase that it began with.
pub(super) enum Found {
    Payment(Box<PaymentRow>, Option<PurchaseRow>),
    Purchase(PurchaseRow),
}

/// Finds the payment or purchase with this id.
pub(super) async fn find(store: &Store, name: String) -> Result<Option<Found>, Problem> {
    if let Some(row) = store.payment(name.clone()).await? {
        for session in &row.knowledge.sessions {
            if let Some(purchase) = store.purchase(session.to_string()).await? {
                return Ok(Some(Found::Payment(Box::new(row), Some(purchase))));
            }
        }
        return Ok(Some(Found::Payment(Box::new(row), None)));
    }
    // A purchase without a session cannot be paid.
    let Some(purchase) = store.purchase(name).await?.filter(|found| found.session.is_some()) else {
        return Ok(None);
    };
    let session = purchase.session.as_ref().map(|session| session.id.clone()).unwrap_or_default();
    Ok(Some(match store.payment(session).await? {
        Some(row) => Found::Payment(Box::new(row), Some(purchase)),
        None => Found::Purchase(purchase),
    }))
}

impl Found {
    /// The tenant, if it is known.
    pub(super) fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Payment(row, purchase) => row.tenant.or_else(|| Some(purchase.as_ref()?.tenant)),
            Self::Purchase(purchase) => Some(purchase.tenant),
        }
    }
}

/// A checkout that nobody has paid, as far as Stripe reported.
pub(super) fn unpaid(purchase: &PurchaseRow, now: Timestamp) -> PaymentDetail {
    let status = PaymentStatus::Pending;
    let began = PaymentPurchaseView::of(purchase, status, now);
    let over = began.checkout_url.is_none();
    PaymentDetail {
        payment: PaymentView {
            id: began.session_id.clone(),
            tenant_id: Some(purchase.tenant),
            status: status.as_str(),
            is_final: false,
            review_reason: None,
            package: Some(began.package.clone()),
            currency: Some(began.currency.clone()),
            amount_paid: 0,
            refunds_by_hand: false,
            amount_lost: 0,
            amount_pending: 0,
            credits: CreditsView { granted: 0, revoked: 0, frozen: 0 },
            refunds: Vec::new(),
            disputes: Vec::new(),
            early_fraud_warning: false,
            created_at: rfc3339(purchase.created_at),
            updated_at: rfc3339(purchase.created_at),
        },
        summary: if over {
            "Nothing has been paid, and the checkout has expired.".to_owned()
        } else {
            "Nothing has been paid; the checkout is open.".to_owned()
        },
        objects: vec![began.session_id.clone()],
        timeline: vec![timeline::opened(purchase)],
        purchase: Some(began),
    }
}
