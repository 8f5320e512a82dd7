//! A deployment with data: `dev` with its emulator, two people, and a tenant with credits and a key. It uses
//! nothing outside this machine.

use std::cell::Cell;

use e2e::deployment::{Deployment, SECRET};
use e2e::http::{Answer, Request};
use e2e::sale::sale;
use e2e::service::Service;
use emulator::scenario::{Sale, Scenario};
use serde_json::{Value, json};

/// The tenant of `dev`, and of the document's examples.
pub(crate) const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The deployment; stopped on drop.
pub(crate) struct World {
    pub(crate) deployment: Deployment,
    pub(crate) service: Service,
    /// A key of [`TENANT`] with read and write permission.
    pub(crate) tenant_key: String,
    /// The operator key of the first person, who requests everything here.
    pub(crate) first: String,
    /// The operator key of the second person, who may approve it.
    pub(crate) second: String,
    keys_used: Cell<u32>,
}

impl World {
    /// Starts `dev`. The tenant has 210 credits: ten bought, 200 granted by an operator.
    pub(crate) fn start() -> Self {
        let deployment = Deployment::empty()
            .with("FAIREPLACE_LISTEN", "127.0.0.1:0")
            .with("STRIPE_WEBHOOK_SECRET", SECRET)
            .with("FAIREPLACE_REQUESTS_PER_HOUR", "0")
            .with("FAIREPLACE_ADJUSTMENT_LIMIT", "400")
            .with("FAIREPLACE_NOTICE_HOSTS", "127.0.0.1");
        let service = deployment.dev();
        let (tenant_key, first, second) = (String::new(), service.operator_key.clone(), String::new());
        let mut world = Self { deployment, service, tenant_key, first, second, keys_used: Cell::new(0) };
        let own = json!({ "name": "laptop", "kind": "operator", "reason": "my own", "alone": true });
        world.first = world.key(&own);
        let second = json!({ "name": "a second person", "reason": "it takes two", "alone": true });
        world.second = text(&world.post("/api/admin/people", &second)["secret"]);
        world.tenant_key = world.key(&json!({
            "name": "shop", "tenant_id": TENANT, "permissions": ["credits:read", "credits:write"],
        }));
        for _ in 0..2 {
            world.adjust(100);
        }
        world
    }

    /// Creates an API key; returns its secret.
    pub(crate) fn key(&self, body: &Value) -> String {
        text(&self.post("/api/admin/keys", body)["secret"])
    }

    /// Registers another person; returns the id.
    pub(crate) fn person(&self) -> String {
        let body = json!({ "name": self.fresh(), "reason": "for the tests" });
        let added = self.post("/api/admin/people", &body);
        let path = format!("/api/admin/actions/{}/approve", text(&added["action"]["id"]));
        self.succeed(&path, &self.second, &json!({}));
        text(&added["person"]["id"])
    }

    /// Gives or takes credits; returns the action.
    pub(crate) fn adjust(&self, credits: i64) -> Value {
        let body = json!({ "tenant_id": TENANT, "credits": credits, "reason": "for the tests" });
        self.post("/api/admin/adjustments", &body)
    }

    /// Delivers the events of a scenario about ten credits, and waits until they are applied.
    pub(crate) fn deliver(&self, reference: &str, tenant: &str, cents: i64, scenario: Scenario) {
        let sale = Sale { created: e2e::now(), ..sale(reference, tenant, 10, cents) };
        for event in scenario.events(&sale) {
            assert_eq!(self.service.deliver(&event.body), 200, "{}", event.id);
        }
        self.service.settle();
    }

    /// Spends all credits, and then refunds half of a purchase, for a debt of five credits.
    pub(crate) fn create_debt(&self) {
        self.deliver("owed", TENANT, 25_000, Scenario::Purchase);
        let credits = self.service.balance(TENANT)["available"].clone();
        self.tenant_post("/api/credits/spend", &json!({ "credits": credits }));
        self.deliver("owed", TENANT, 25_000, Scenario::PartialRefund);
        assert_eq!(self.service.balance(TENANT)["debt"], 5);
    }

    /// Creates a hold; returns its id.
    pub(crate) fn hold(&self) -> String {
        text(&self.tenant_post("/api/credits/holds", &json!({ "credits": 2 }))["id"])
    }

    /// Creates a webhook endpoint of the tenant; returns its id and secret.
    pub(crate) fn endpoint(&self, url: &str) -> (String, String) {
        let made = self.tenant_post("/api/webhook-endpoints", &json!({ "url": url }));
        (text(&made["endpoint"]["id"]), text(&made["secret"]))
    }

    /// Posts a request as the first operator; returns the data of the answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.succeed(path, &self.first, body)
    }

    /// Like [`World::post`], as the tenant.
    pub(crate) fn tenant_post(&self, path: &str, body: &Value) -> Value {
        self.succeed(path, &self.tenant_key, body)
    }

    /// Sends a request with a key and additional header fields.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {key}");
        let fields = [&[("content-type", "application/json"), ("authorization", &bearer)], more].concat();
        let request = Request { method, path, fields: &fields, body: body.as_bytes() };
        self.service.send(request)
    }

    /// An unused `Idempotency-Key`.
    pub(crate) fn fresh(&self) -> String {
        self.keys_used.set(self.keys_used.get() + 1);
        format!("order-{}", self.keys_used.get())
    }

    /// Checks that the audit succeeds, and that the log has no panics and errors.
    pub(crate) fn assert_sound(&self) {
        let audit = self.deployment.done("audit verify");
        assert!(audit.contains("the books add up"), "{audit}");
        let log = self.service.log();
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    }

    fn succeed(&self, path: &str, key: &str, body: &Value) -> Value {
        let fresh = self.fresh();
        let answer = self.send("POST", path, key, &[("idempotency-key", &fresh)], &body.to_string());
        assert!((200..300).contains(&answer.status), "POST {path} {body}: {answer:?}");
        answer.json()["data"].take()
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string")).to_owned()
}
