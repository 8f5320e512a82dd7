//! A tenant with credits and a key of its own, and the ways to spend them.

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
    /// With ten credits, bought in one go.
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

    /// Ten more credits.
    pub(crate) async fn buy(&self, reference: &str) {
        let purchase = Sale { reference: reference.into(), ..ten_credits() };
        let sold = event("checkout.session.completed", &purchase, "buy", None).unwrap();
        self.deployment.learn(sold.body).await;
    }

    /// The first purchase's money goes back.
    pub(crate) async fn refund(&self) {
        let refunded = event("charge.refunded", &ten_credits(), "refund", None).unwrap();
        self.deployment.learn(refunded.body).await;
    }

    /// A key of somebody else's, who has nothing.
    pub(crate) async fn stranger(&self) -> String {
        self.deployment.key(OTHER, store::Access::Full, None).await.1
    }

    /// `POST /api/credits/…`, as it comes.
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

    /// With somebody's key, under this `Idempotency-Key`.
    pub(crate) async fn post_as(&self, who: &str, path: &str, name: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {who}");
        let fields = [("authorization", bearer.as_bytes()), ("idempotency-key", name.as_bytes())];
        self.post_raw(path, &fields, body.to_owned()).await
    }

    /// As the tenant, under this `Idempotency-Key`.
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

    /// A new hold's name.
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

/// Whether it was answered from memory.
pub(crate) fn replayed(answer: &Answer) -> bool {
    match answer.header("idempotency-replayed") {
        "" => false,
        "true" => true,
        other => panic!("{other}"),
    }
}

/// All at once; the answers in their order.
pub(crate) async fn together<T: Send + 'static>(
    works: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let begun: Vec<_> = works.map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for work in begun {
        answers.push(work.await.unwrap());
    }
    answers
}
