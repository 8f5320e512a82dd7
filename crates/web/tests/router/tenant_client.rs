//! A tenant with credits and an API key, and helpers that spend them.

use axum::body::Body;
use axum::http::Request;
use emulator::scenario::{Sale, event};
use serde_json::{Value, json};
use web::Limits;

use crate::answer::Answer;
use crate::deployment::{Deployment, ten_credits};
use crate::{OTHER, TENANT};

pub(crate) struct TenantClient {
    pub(crate) deployment: Deployment,
    /// The tenant's key, which may read and write.
    pub(crate) key: String,
}

impl TenantClient {
    /// A tenant with ten credits from one purchase.
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let deployment = Deployment::with(store::Mode::Live, ledger::Policy::default(), limits).await;
        let key = deployment.key(TENANT, store::Access::Full, None).await.1;
        let client = Self { deployment, key };
        client.buy("r").await;
        client
    }

    /// Buys ten more credits.
    pub(crate) async fn buy(&self, reference: &str) {
        let purchase = Sale { reference: reference.into(), ..ten_credits() };
        let sold = event("checkout.session.completed", &purchase, "buy", None).unwrap();
        self.deployment.learn(sold.body).await;
    }

    /// Refunds the first purchase in full.
    pub(crate) async fn refund(&self) {
        let refunded = event("charge.refunded", &ten_credits(), "refund", None).unwrap();
        self.deployment.learn(refunded.body).await;
    }

    /// A key of another tenant, which has no credits.
    pub(crate) async fn stranger(&self) -> String {
        self.deployment.key(OTHER, store::Access::Full, None).await.1
    }

    /// `POST /api/credits/…` with exactly these header fields and this body.
    pub(crate) async fn post_raw(
        &self,
        path: &str,
        fields: &[(&str, &[u8])],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::post(format!("/api/credits/{path}"));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        self.deployment.send(request.body(body.into()).unwrap()).await
    }

    /// With this API key and this `Idempotency-Key`.
    pub(crate) async fn post_as(&self, api_key: &str, path: &str, name: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {api_key}");
        let fields = [("authorization", bearer.as_bytes()), ("idempotency-key", name.as_bytes())];
        self.post_raw(path, &fields, body.to_owned()).await
    }

    /// As the tenant, with this `Idempotency-Key`.
    pub(crate) async fn post(&self, path: &str, name: &str, body: &str) -> Answer {
        self.post_as(&self.key, path, name, body).await
    }

    /// As the tenant, without an `Idempotency-Key`.
    pub(crate) async fn post_unnamed(&self, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        self.post_raw(path, &[("authorization", bearer.as_bytes())], body.to_owned()).await
    }

    pub(crate) async fn spend(&self, name: &str, credits: i64) -> Answer {
        self.post("spend", name, &json!({ "credits": credits }).to_string()).await
    }

    /// The id of a new hold.
    pub(crate) async fn hold(&self, name: &str, credits: i64) -> String {
        let answer = self.post("holds", name, &json!({ "credits": credits }).to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.data()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.deployment.get(&format!("/api/credits/{path}"), &self.key).await.data()
    }

    /// `available held frozen debt`.
    pub(crate) async fn balance(&self) -> [i64; 4] {
        let balance = self.get("balance").await;
        ["available", "held", "frozen", "debt"].map(|name| balance[name].as_i64().unwrap())
    }

    /// Everything that a command could have changed: balance, history, lots, holds.
    pub(crate) async fn books(&self) -> Value {
        let mut books = Vec::new();
        for path in ["balance", "transactions?per_page=100", "lots", "holds?per_page=100"] {
            books.push(self.get(path).await);
        }
        json!(books)
    }
}

/// Whether the response is a stored one, according to `Idempotency-Replayed`.
pub(crate) fn replayed(answer: &Answer) -> bool {
    match answer.header("idempotency-replayed") {
        "" => false,
        "true" => true,
        other => panic!("{other}"),
    }
}

/// Runs all futures concurrently; their results are in the order of the futures.
pub(crate) async fn together<T: Send + 'static>(
    futures: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
