//! Access control in one table: every operation of the API description × every kind of caller × every
//! position of an id. An operation without a row fails, and so does a row without an operation.

use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};
use web::Limits;
use web::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR};

use crate::TENANT;
use crate::answer::Answer;
use crate::document::{document, operations};
use crate::matrix::Expected::{Everyone, Operators, Spenders, Tenants};
use crate::matrix::Object::{Action, Endpoint, Event, Hold, Item, Key, Nothing, Payment, Person, Tenant};
use crate::tenant_client::TenantClient;

/// A UUID that no tenant has.
const UNKNOWN_TENANT: &str = "750e8400-e29b-41d4-a716-446655440000";

/// The kind of object that `{id}` in a path names. It belongs to the tenant and is new for each request, so
/// that no request depends on the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    Nothing,
    Payment,
    Hold,
    Event,
    Item,
    Tenant,
    Action,
    Person,
    Key,
    Endpoint,
}

/// The expected status by caller.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// The same for every caller, with or without a key.
    Everyone(u16),
    /// In this order: another tenant; the tenant itself; a service or an operator that names the tenant,
    /// where it can be named; one that names none. Without a valid key 401, without the permission 403.
    Tenants([u16; 4]),
    /// As `Tenants`, but 403 for operators.
    Spenders([u16; 4]),
    /// For operators only; to tenants and services the route does not exist.
    Operators(u16),
}

/// An operation; the object in its path; its body, where `{tenant}` stands for the tenant; the status.
type Row = (&'static str, Object, &'static str, Expected);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("GET /api/health", Nothing, "", Everyone(200)),
    ("GET /openapi.json", Nothing, "", Everyone(200)),
    ("GET /docs", Nothing, "", Everyone(200)),
    ("POST /webhooks/stripe", Nothing, "{}", Everyone(400)),
    ("GET /api/credits/balance", Nothing, "", Tenants([200, 200, 200, 422])),
    ("GET /api/credits/transactions", Nothing, "", Tenants([200, 200, 200, 422])),
    ("GET /api/credits/lots", Nothing, "", Tenants([200, 200, 200, 422])),
    ("POST /api/credits/spend", Nothing, r#"{"credits":1}"#, Spenders([422, 200, 200, 422])),
    ("GET /api/credits/holds", Nothing, "", Tenants([200, 200, 200, 422])),
    ("POST /api/credits/holds", Nothing, r#"{"credits":1}"#, Spenders([422, 201, 201, 422])),
    ("GET /api/credits/holds/{id}", Hold, "", Tenants([404, 200, 200, 422])),
    ("POST /api/credits/holds/{id}/capture", Hold, "", Spenders([404, 200, 200, 422])),
    ("POST /api/credits/holds/{id}/release", Hold, "", Spenders([404, 200, 200, 422])),
    ("GET /api/credits/statement", Nothing, "", Tenants([200, 200, 200, 422])),
    ("GET /api/credits/packages", Nothing, "", Tenants([200, 200, 200, 200])),
    ("POST /api/credits/purchase", Nothing, r#"{"package":"10_credits","success_url":"https://shop.example/"}"#,
        Spenders([503, 503, 503, 422])),
    ("GET /api/payments", Nothing, "", Tenants([200, 200, 200, 200])),
    ("GET /api/payments/{id}", Payment, "", Tenants([404, 200, 200, 200])),
    ("GET /api/stream", Nothing, "", Tenants([422, 422, 422, 422])),
    ("GET /api/webhook-endpoints", Nothing, "", Tenants([200, 200, 200, 200])),
    ("POST /api/webhook-endpoints", Nothing, r#"{"url":"https://example.com/"}"#, Tenants([201, 201, 201, 201])),
    ("GET /api/webhook-endpoints/{id}", Endpoint, "", Tenants([404, 200, 200, 200])),
    ("DELETE /api/webhook-endpoints/{id}", Endpoint, "", Tenants([404, 200, 200, 200])),
    ("POST /api/webhook-endpoints/{id}/rotate", Endpoint, "", Tenants([404, 200, 200, 200])),
    ("POST /api/webhook-endpoints/{id}/enable", Endpoint, "", Tenants([404, 200, 200, 200])),
    ("GET /api/webhook-endpoints/{id}/deliveries", Endpoint, "", Tenants([404, 200, 200, 200])),
    ("POST /api/webhook-endpoints/{id}/deliveries/{notice_id}/resend", Endpoint, "", Tenants([404, 200, 200, 200])),
    ("GET /api/admin/status", Nothing, "", Operators(200)),
    ("GET /api/admin/audit", Nothing, "", Operators(200)),
    ("GET /api/admin/clock", Nothing, "", Operators(200)),
    ("POST /api/admin/clock/confirm", Nothing, r#"{"time":"wall","reason":"r"}"#, Operators(409)),
    ("GET /api/admin/restore", Nothing, "", Operators(200)),
    ("POST /api/admin/restore/confirm", Nothing, r#"{"expected_keys":0,"reason":"r"}"#, Operators(409)),
    ("GET /api/admin/events", Nothing, "", Operators(200)),
    ("GET /api/admin/events/{id}", Event, "", Operators(200)),
    ("POST /api/admin/events/{id}/replay", Event, "", Operators(200)),
    ("GET /api/admin/quarantine", Nothing, "", Operators(200)),
    ("GET /api/admin/quarantine/{id}", Item, "", Operators(200)),
    ("POST /api/admin/quarantine/{id}/resolve", Item, r#"{"reason":"read again"}"#, Operators(200)),
    ("POST /api/admin/quarantine/{id}/dismiss", Item, r#"{"reason":"nothing in it"}"#, Operators(200)),
    ("GET /api/admin/tenants", Nothing, "", Operators(200)),
    ("GET /api/admin/tenants/{id}", Tenant, "", Operators(200)),
    ("POST /api/admin/tenants/{id}", Tenant, r#"{"name":"Acme"}"#, Operators(200)),
    ("POST /api/admin/quarantine/resolve", Nothing, r#"{"filter":{},"reason":"r"}"#, Operators(200)),
    ("POST /api/admin/quarantine/dismiss", Nothing, r#"{"filter":{},"reason":"r"}"#, Operators(200)),
    ("GET /api/admin/actions", Nothing, "", Operators(200)),
    ("GET /api/admin/actions/{id}", Action, "", Operators(200)),
    ("POST /api/admin/actions/{id}/approve", Action, "", Operators(200)),
    ("POST /api/admin/actions/{id}/reject", Action, r#"{"reason":"r"}"#, Operators(200)),
    ("GET /api/admin/people", Nothing, "", Operators(200)),
    ("POST /api/admin/people", Nothing, r#"{"name":"{unique}","reason":"r"}"#, Operators(202)),
    ("POST /api/admin/people/{id}/remove", Person, r#"{"reason":"r"}"#, Operators(202)),
    ("POST /api/admin/adjustments", Nothing, r#"{"tenant_id":"{tenant}","credits":1,"reason":"r"}"#, Operators(200)),
    ("POST /api/admin/write-offs", Nothing, r#"{"tenant_id":"{tenant}","reason":"r"}"#, Operators(422)),
    ("GET /api/admin/reports/liability", Nothing, "", Operators(200)),
    ("GET /api/admin/reports/unrelated", Nothing, "", Operators(200)),
    ("GET /api/admin/reports/actions", Nothing, "", Operators(200)),
    ("GET /api/admin/keys", Nothing, "", Operators(200)),
    ("POST /api/admin/keys", Nothing, r#"{"name":"n","tenant_id":"{tenant}"}"#, Operators(201)),
    ("POST /api/admin/keys/{id}/revoke", Key, "", Operators(200)),
    ("POST /api/admin/keys/{id}/rotate", Key, "", Operators(201)),
];

/// A deployment with two tenants, and a key of every kind of caller.
struct Fixture {
    client: TenantClient,
    revoked: String,
    expired: String,
    /// The tenant's keys without the permission to write, and without the permission to read.
    reader: String,
    writer: String,
    other: String,
    /// A second operator, whose requests the first one may approve.
    colleague: String,
    service: String,
    /// The id of a notice of the tenant.
    notice: String,
}

impl Fixture {
    async fn new() -> Self {
        // No rate limit: its headers would differ between the compared responses.
        let client = TenantClient::with(Limits { requests_per_hour: 0, ..Limits::default() }).await;
        for number in 0..4 {
            client.buy(&format!("more{number}")).await;
        }
        let deployment = &client.deployment;
        let (id, revoked) = deployment.key(TENANT, store::Access::Full, None).await;
        deployment.revoke(&id).await;
        let now = Some(deployment.now());
        let (_, expired) = deployment.key(TENANT, store::Access::Full, now).await;
        let (_, reader) = deployment.key(TENANT, store::Access::Read, None).await;
        let (_, writer) = deployment.key(TENANT, store::Access::Write, None).await;
        let colleague = deployment.colleague("Ann").await;
        let service = deployment.service().await;
        let other = client.stranger().await;
        let tenant = ledger::TenantId::parse(TENANT);
        let notice = client.deployment.app.store.notices(tenant, 0, 1).await.unwrap().remove(0).id;
        Self { client, revoked, expired, reader, writer, other, colleague, service, notice }
    }

    /// The id of an object of this kind: a new one, where it can be created.
    async fn make(&self, object: Object) -> String {
        let deployment = &self.client.deployment;
        let first = async |path: &str| deployment.look(path).await[0]["id"].as_str().unwrap().to_owned();
        match object {
            Nothing => String::new(),
            Payment => first(&format!("/api/payments?tenant_id={TENANT}")).await,
            Event => first("/api/admin/events").await,
            Tenant => TENANT.to_owned(),
            Hold => self.client.hold(&unique("hold"), 1).await,
            Key => deployment.key(TENANT, store::Access::Read, None).await.0,
            Item => {
                deployment.learn(format!("{{ {}", unique("broken"))).await;
                let items = deployment.look("/api/admin/quarantine?per_page=100").await;
                items
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|item| item["id"].as_i64())
                    .max()
                    .unwrap()
                    .to_string()
            }
            Endpoint => self.endpoint(&self.client.key).await,
            Person => {
                let name = unique("person");
                deployment.colleague(&name).await;
                format!("person_{name}")
            }
            Action => {
                let body = json!({ "tenant_id": TENANT, "credits": 101, "reason": "r" });
                let path = "/api/admin/adjustments";
                let answer = self
                    .request(&("POST ".to_owned() + path), Some(&self.colleague), &body.to_string())
                    .await;
                answer.data()["id"].as_str().unwrap().to_owned()
            }
        }
    }

    /// The id of a new webhook endpoint, created with this key.
    async fn endpoint(&self, key: &str) -> String {
        let (route, body) = ("POST /api/webhook-endpoints", r#"{"url":"https://example.com/"}"#);
        let made = self.request(route, Some(key), body).await.data();
        made["endpoint"]["id"].as_str().unwrap().to_owned()
    }

    async fn request_raw(&self, route: &str, key: Option<&str>, body: &str) -> Response<Body> {
        let (method, path) = route.split_once(' ').unwrap();
        // An open stream would not end, so its start is invalid: a caller that may open one gets 422.
        let wrong = if path.contains('?') { "&last_event_id=x" } else { "?last_event_id=x" };
        let path = if path.starts_with("/api/stream") { path.to_owned() + wrong } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(path).header("idempotency-key", unique("k"));
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.client.deployment.send_raw(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn request(&self, route: &str, key: Option<&str>, body: &str) -> Answer {
        Answer::of(self.request_raw(route, key, body).await).await
    }

    /// The status of a request for a new object of the tenant.
    async fn status(&self, row: &Row, query: &str, key: Option<&str>) -> u16 {
        if row.1 == Endpoint {
            // A tenant may have 50 endpoints, and this test needs more.
            self.client.deployment.backdoor().execute("DELETE FROM endpoints", []).unwrap();
        }
        let id = self.make(row.1).await;
        let route = row.0.replace("{id}", &id).replace("{notice_id}", &self.notice) + query;
        let body = row.2.replace("{tenant}", TENANT).replace("{unique}", &unique("name"));
        self.request_raw(&route, key, &body).await.status().as_u16()
    }
}

/// A name that is unique within this process.
fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An id of this kind that does not exist.
fn missing(object: Object) -> &'static str {
    match object {
        Nothing => "",
        Payment => "cs_missing",
        Hold => "hold_00000000000070008000000000000000",
        Event => "evt_missing",
        Item => "999999",
        Tenant => UNKNOWN_TENANT,
        Action => "act_00000000000070008000000000000000",
        Person => "person_missing",
        Key => "key_missing",
        Endpoint => "ep_00000000000070008000000000000000",
    }
}

/// Whether the operation says that it takes `?tenant_id=`.
fn names_tenant(operation: &Value) -> bool {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.any(|one| one["name"] == "tenant_id" && one["in"] == "query")
}

#[test]
fn every_operation_has_exactly_one_row() {
    let document = document();
    let mut described: Vec<_> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let mut rows: Vec<_> = ROWS.iter().map(|row| row.0).collect();
    described.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, described);
    for (operation, object, ..) in ROWS {
        assert_eq!(operation.contains("{id}"), *object != Nothing, "{operation}");
    }
}

#[tokio::test]
async fn every_caller_gets_the_expected_status() {
    let fixture = Fixture::new().await;
    let document = document();
    for (name, operation) in operations(&document) {
        let row = ROWS.iter().find(|row| row.0 == name).unwrap();
        let permission = operation["security"][0]["key"][0].as_str();
        let lacking = if permission == Some(CREDITS_READ) { &fixture.writer } else { &fixture.reader };
        let named = if names_tenant(operation) { format!("?tenant_id={TENANT}") } else { String::new() };
        let operator = &fixture.client.deployment.operator;
        let (refused, others) = match (row.3, permission) {
            (Everyone(status), None) => (status, [status; 7]),
            (Tenants([other, own, named, alone]), Some(CREDITS_READ | CREDITS_WRITE)) => {
                (401, [403, other, own, named, alone, named, alone])
            }
            (Spenders([other, own, named, alone]), Some(CREDITS_WRITE)) => {
                (401, [403, other, own, named, alone, 403, 403])
            }
            (Operators(status), Some(OPERATOR)) => (401, [404, 404, 404, 404, 404, status, status]),
            (expected, permission) => {
                panic!("{name}: expected {expected:?}, but described for {permission:?}")
            }
        };
        for (caller, key) in [("no key", ""), ("revoked", &fixture.revoked), ("expired", &fixture.expired)] {
            let key = Some(key).filter(|key| !key.is_empty());
            assert_eq!(fixture.status(row, "", key).await, refused, "{name}: {caller}");
        }
        let callers = [
            ("lacking", lacking, ""),
            ("other", &fixture.other, ""),
            ("own", &fixture.client.key, ""),
            ("service, naming the tenant", &fixture.service, &named),
            ("service, naming none", &fixture.service, ""),
            ("operator, naming the tenant", operator, &named),
            ("operator, naming none", operator, ""),
        ];
        for ((caller, key, query), expected) in callers.into_iter().zip(others) {
            assert_eq!(fixture.status(row, query, Some(key)).await, expected, "{name}: {caller}");
        }
    }
    fixture.client.deployment.check_books().await;
}

/// Two responses differ only in their request id and timestamp.
fn assert_alike(one: &Answer, another: &Answer, context: &str) {
    assert_eq!(one.stable(), another.stable(), "{context}");
    assert_eq!(one.text.len(), another.text.len(), "{context}");
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id");
        headers
    };
    assert_eq!(headers(one), headers(another), "{context}");
}

/// An object of another tenant looks exactly like one that does not exist, wherever its id stands.
#[tokio::test]
async fn no_response_distinguishes_hidden_from_missing() {
    let fixture = Fixture::new().await;
    let document = document();
    for (name, operation) in operations(&document) {
        let &(_, object, body, expected) = ROWS.iter().find(|row| row.0 == name).unwrap();
        if matches!(expected, Everyone(_)) {
            continue;
        }
        let existing = fixture.make(object).await;
        let unknown = missing(object);
        // In a path with two ids, the inner one is also tried below an object of the caller's own.
        let nested = name.contains("{notice_id}");
        let own = if nested { fixture.endpoint(&fixture.other).await } else { unknown.to_owned() };
        // Path, query, body: with the tenant's id, and with one that does not exist.
        let tenant = |id| if names_tenant(operation) { format!("?tenant_id={id}") } else { String::new() };
        let positions = [
            ([existing.as_str(), unknown], [String::new(), String::new()], [TENANT, TENANT]),
            ([unknown, unknown], [tenant(TENANT), tenant(UNKNOWN_TENANT)], [TENANT, TENANT]),
            (
                [existing.as_str(), existing.as_str()],
                [tenant(TENANT), tenant(UNKNOWN_TENANT)],
                [TENANT, TENANT],
            ),
            ([unknown, unknown], [String::new(), String::new()], [TENANT, UNKNOWN_TENANT]),
            ([own.as_str(), own.as_str()], [String::new(), String::new()], [TENANT, TENANT]),
        ];
        for (number, (ids, queries, tenants)) in positions.iter().enumerate() {
            let request = async |index: usize, key: &str| {
                let notice = [&fixture.notice, "msg_missing"][index];
                let route = name.replace("{id}", ids[index]).replace("{notice_id}", notice) + &queries[index];
                fixture.request(&route, Some(key), &body.replace("{tenant}", tenants[index])).await
            };
            let in_body = tenants[0] != tenants[1] && body.contains("{tenant}");
            let in_path = ids[0] != ids[1] || nested && ids[0] != unknown;
            if !in_path && queries[0] == queries[1] && !in_body {
                continue; // The operation takes no id in this position.
            }
            let hidden = request(0, &fixture.other).await;
            assert_alike(&hidden, &request(1, &fixture.other).await, &format!("{name}, position {number}"));
            let secret = object != Nothing || !queries[0].is_empty() || matches!(expected, Operators(_));
            assert!(!secret || hidden.status == 404, "{name}, position {number}: {hidden:?}");
            if matches!(expected, Operators(_)) {
                let (method, _) = name.split_once(' ').unwrap();
                let nothing =
                    fixture.request(&format!("{method} /api/nothing"), Some(&fixture.other), body).await;
                assert_alike(&hidden, &nothing, &format!("{name} is visible to a tenant"));
            }
        }
    }
    let listed: Value = fixture.client.deployment.get("/api/payments", &fixture.other).await.data();
    assert_eq!(listed, Value::Array(vec![]), "a list shows nothing of other tenants");
}
