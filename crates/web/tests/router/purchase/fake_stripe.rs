//! A shop with a fake Stripe that follows a test's script: it opens a session, refuses, is unreachable, hangs
//! or panics.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use engine::shop::{CheckoutFault, CheckoutGateway};
use engine::{Package, Shop};
use ledger::{Credits, Minor};
use stripe::checkout::OpenSession;
use tokio::sync::Semaphore;

use crate::TENANT;
use crate::answer::Answer;
use crate::deployment::Deployment;

/// The expiry of its sessions, in Unix seconds.
pub(crate) const EXPIRES_AT: i64 = 1_708_512_000;

/// The reaction to one request. Without a scripted one, Stripe opens a session.
pub(crate) enum Reaction {
    /// Opens this session.
    Open(&'static str),
    /// Opens a session at this price.
    OpenAt(i64),
    Refuse(&'static str),
    Unreachable,
    /// Opens a session once the test releases it.
    Hang,
    Panic,
}

/// Stripe as a purchase uses it. It keeps the session of each idempotency key.
pub(crate) struct FakeStripe {
    pub(crate) reactions: Mutex<VecDeque<Reaction>>,
    /// Every request: its form and its idempotency key.
    pub(crate) requests: Mutex<Vec<(String, String)>>,
    opened: Mutex<Vec<(String, String)>>,
    pub(crate) released: Semaphore,
}

impl FakeStripe {
    pub(crate) fn new(reactions: impl IntoIterator<Item = Reaction>) -> Arc<Self> {
        Arc::new(Self {
            reactions: Mutex::new(reactions.into_iter().collect()),
            requests: Mutex::default(),
            opened: Mutex::default(),
            released: Semaphore::new(0),
        })
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }

    /// The session of this idempotency key, opened if there is none.
    fn session(&self, key: &str, wanted: Option<&str>) -> OpenSession {
        let mut opened = self.opened.lock().unwrap();
        let known = opened.iter().find(|(known, _)| known == key).map(|(_, id)| id.clone());
        let id = known.unwrap_or_else(|| {
            let id = wanted.map_or_else(|| format!("cs_live_{}", opened.len() + 1), str::to_owned);
            opened.push((key.to_owned(), id.clone()));
            id
        });
        OpenSession {
            url: format!("https://checkout.example/{id}"),
            id,
            expires_at: EXPIRES_AT,
            amount_subtotal: 25_000,
            currency: "eur".to_owned(),
        }
    }
}

impl CheckoutGateway for FakeStripe {
    fn open<'a>(
        &'a self,
        form: &'a str,
        key: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<OpenSession, CheckoutFault>> + Send + 'a>> {
        self.requests.lock().unwrap().push((form.to_owned(), key.to_owned()));
        let reaction = self.reactions.lock().unwrap().pop_front();
        Box::pin(async move {
            match reaction {
                None => Ok(self.session(key, None)),
                Some(Reaction::Open(id)) => Ok(self.session(key, Some(id))),
                Some(Reaction::OpenAt(amount_subtotal)) => {
                    Ok(OpenSession { amount_subtotal, ..self.session(key, None) })
                }
                Some(Reaction::Refuse(words)) => Err(CheckoutFault::Refused(words.to_owned())),
                Some(Reaction::Unreachable) => Err(CheckoutFault::Unreachable("nobody there".to_owned())),
                Some(Reaction::Hang) => {
                    self.released.acquire().await.unwrap().forget();
                    Ok(self.session(key, None))
                }
                Some(Reaction::Panic) => panic!("on purpose"),
            }
        })
    }
}

/// Ten credits for 250.00 EUR, through this fake.
pub(crate) fn shop(gateway: Option<Arc<dyn CheckoutGateway>>) -> Shop {
    let ten = Package {
        name: "10_credits".to_owned(),
        title: "Ten credits".to_owned(),
        credits: Credits(10),
        price: Minor(25_000),
        currency: "eur".to_owned(),
        stripe_price: None,
    };
    Shop { packages: vec![ten], gateway, ..Shop::default() }
}

/// A deployment that sells through this fake, and a tenant's key that may buy.
pub(crate) async fn selling(fake: &Arc<FakeStripe>) -> (Deployment, String) {
    let deployment = Deployment::new().await.selling(shop(Some(fake.clone())));
    let key = deployment.key(TENANT, store::Access::Full, None).await.1;
    (deployment, key)
}

/// The request body for ten credits.
pub(crate) const TEN: &str = r#"{"package":"10_credits","success_url":"https://shop.example/done"}"#;

/// `POST /api/credits/purchase` under this `Idempotency-Key`.
pub(crate) async fn buy(deployment: &Deployment, key: &str, command: &str, body: &str) -> Answer {
    deployment.send(request(key, command, body)).await
}

pub(crate) fn request(key: &str, command: &str, body: &str) -> Request<Body> {
    Request::post("/api/credits/purchase")
        .header("authorization", format!("Bearer {key}"))
        .header("idempotency-key", command)
        .body(Body::from(body.to_owned()))
        .unwrap()
}
