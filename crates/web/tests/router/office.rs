//! Two registered people, and helpers for the actions that need both.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::TENANT;
use crate::answer::Answer;
use crate::tenant_client::TenantClient;

/// Grace, registered first, and Bob. The tenant has ten credits.
pub(crate) struct Office {
    pub(crate) client: TenantClient,
    pub(crate) grace: String,
    pub(crate) bob: String,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let client = TenantClient::new().await;
        let (grace, bob) = (client.deployment.operator.clone(), client.deployment.colleague("Bob").await);
        Self { client, grace, bob }
    }

    pub(crate) async fn post(&self, key: &str, path: &str, name: &str, body: &Value) -> Answer {
        let request = Request::post(format!("/api/admin/{path}"))
            .header("authorization", format!("Bearer {key}"))
            .header("idempotency-key", name.replace(' ', "-"));
        self.client.deployment.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// An adjustment requested by Grace.
    pub(crate) async fn adjust(&self, name: &str, credits: i64) -> Answer {
        let body = json!({ "tenant_id": TENANT, "credits": credits, "reason": "because" });
        self.post(&self.grace, "adjustments", name, &body).await
    }

    /// The id of an adjustment by Grace that waits for a second person.
    pub(crate) async fn waiting(&self, name: &str, credits: i64) -> String {
        waits(&self.adjust(name, credits).await)
    }

    pub(crate) async fn decide(&self, key: &str, id: &str, verdict: &str) -> Answer {
        self.post(key, &format!("actions/{id}/{verdict}"), "unused", &json!({ "reason": "no" })).await
    }

    pub(crate) async fn state(&self, id: &str) -> String {
        let shown = self.client.deployment.look(&format!("/api/admin/actions/{id}")).await;
        shown["state"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn lines(&self) -> usize {
        self.client.get("transactions?per_page=100").await.as_array().unwrap().len()
    }
}

/// The id of the action in a response, which must be waiting.
pub(crate) fn waits(answer: &Answer) -> String {
    let data = answer.data();
    let action = if data["action"].is_object() { &data["action"] } else { &data };
    assert_eq!((answer.status, action["state"].as_str()), (202, Some("waiting")), "{}", answer.text);
    action["id"].as_str().unwrap().to_owned()
}

/// The error type of a response.
pub(crate) fn problem(answer: &Answer) -> String {
    answer.json()["error"]["type"].as_str().unwrap_or_default().to_owned()
}
