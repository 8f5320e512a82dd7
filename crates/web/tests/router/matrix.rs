//! Who may do what: every operation of the API's description × everyone who may ask × every place where an id
//! can stand, from one table. An operation without a row fails, and so does a row without an operation.
//! Not here: what the operations do.

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

/// Nobody has this UUID.
const NOBODY: &str = "750e8400-e29b-41d4-a716-446655440000";

/// What `{id}` in a path names. It is the tenant's, and a new one for each request, so that no request
/// depends on the one before.
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

/// The status for whoever asks.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Whatever key they have, if any.
    Everyone(u16),
    /// In this order: another tenant; the tenant itself; a service or an operator that names the tenant,
    /// where it can be named; one that names none. Without a key that works 401, without the permission 403.
    Tenants([u16; 4]),
    /// As above, without operators: to them it is 403.
    Spenders([u16; 4]),
    /// To a tenant and to a service the route does not exist.
    Operators(u16),
}

/// An operation; what its path names; its body, in which `{tenant}` is the tenant; what is answered.
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

/// A deployment with two tenants, and everyone who may ask.
struct Place {
    client: TenantClient,
    revoked: String,
    expired: String,
    /// The tenant's, without the permission to write, and without the one to read.
    reader: String,
    writer: String,
    other: String,
    /// For what a second person must have asked for.
    colleague: String,
    service: String,
    /// One of the tenant's.
    notice: String,
}

impl Place {
    async fn new() -> Self {
        // Without a limit, which would count the requests that are compared.
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

    /// The id of a new one.
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
                let asked = json!({ "tenant_id": TENANT, "credits": 101, "reason": "r" });
                let path = "/api/admin/adjustments";
                let answer =
                    self.ask(&("POST ".to_owned() + path), Some(&self.colleague), &asked.to_string()).await;
                answer.data()["id"].as_str().unwrap().to_owned()
            }
        }
    }

    /// The id of a new endpoint of whoever has this key.
    async fn endpoint(&self, key: &str) -> String {
        let (route, body) = ("POST /api/webhook-endpoints", r#"{"url":"https://example.com/"}"#);
        let made = self.ask(route, Some(key), body).await.data();
        made["endpoint"]["id"].as_str().unwrap().to_owned()
    }

    async fn ask_raw(&self, route: &str, key: Option<&str>, body: &str) -> Response<Body> {
        let (method, path) = route.split_once(' ').unwrap();
        // A stream that began would not end: whoever may have one is told that this is no place to begin at.
        let wrong = if path.contains('?') { "&last_event_id=x" } else { "?last_event_id=x" };
        let path = if path.starts_with("/api/stream") { path.to_owned() + wrong } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(path).header("idempotency-key", unique("k"));
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.client.deployment.send_raw(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn ask(&self, route: &str, key: Option<&str>, body: &str) -> Answer {
        Answer::of(self.ask_raw(route, key, body).await).await
    }

    /// Asks for a new object of the tenant's.
    async fn status(&self, row: &Row, query: &str, key: Option<&str>) -> u16 {
        if row.1 == Endpoint {
            // There may be 50 of a tenant's, and more than that ask.
            self.client.deployment.backdoor().execute("DELETE FROM endpoints", []).unwrap();
        }
        let id = self.make(row.1).await;
        let route = row.0.replace("{id}", &id).replace("{notice_id}", &self.notice) + query;
        let body = row.2.replace("{tenant}", TENANT).replace("{unique}", &unique("name"));
        self.ask_raw(&route, key, &body).await.status().as_u16()
    }
}

/// A name that no other request of these tests has.
fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What nobody has.
fn missing(object: Object) -> &'static str {
    match object {
        Nothing => "",
        Payment => "cs_missing",
        Hold => "hold_00000000000070008000000000000000",
        Event => "evt_missing",
        Item => "999999",
        Tenant => NOBODY,
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
fn every_operation_has_its_row_and_every_row_its_operation() {
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
async fn everyone_at_every_operation() {
    let place = Place::new().await;
    let document = document();
    for (name, operation) in operations(&document) {
        let row = ROWS.iter().find(|row| row.0 == name).unwrap();
        let permission = operation["security"][0]["key"][0].as_str();
        let lacking = if permission == Some(CREDITS_READ) { &place.writer } else { &place.reader };
        let named = if names_tenant(operation) { format!("?tenant_id={TENANT}") } else { String::new() };
        let operator = &place.client.deployment.operator;
        let (refused, others) = match (row.3, permission) {
            (Everyone(status), None) => (status, [status; 7]),
            (Tenants([other, own, named, alone]), Some(CREDITS_READ | CREDITS_WRITE)) => {
                (401, [403, other, own, named, alone, named, alone])
            }
            (Spenders([other, own, named, alone]), Some(CREDITS_WRITE)) => {
                (401, [403, other, own, named, alone, 403, 403])
            }
            (Operators(status), Some(OPERATOR)) => (401, [404, 404, 404, 404, 404, status, status]),
            (expected, permission) => panic!("{name}: {expected:?}, and it is described for {permission:?}"),
        };
        for (who, key) in [("nobody", ""), ("revoked", &place.revoked), ("expired", &place.expired)] {
            let key = Some(key).filter(|key| !key.is_empty());
            assert_eq!(place.status(row, "", key).await, refused, "{name}: {who}");
        }
        let askers = [
            ("lacking", lacking, ""),
            ("other", &place.other, ""),
            ("own", &place.client.key, ""),
            ("service, naming the tenant", &place.service, &named),
            ("service, naming none", &place.service, ""),
            ("operator, naming the tenant", operator, &named),
            ("operator, naming none", operator, ""),
        ];
        for ((who, key, query), expected) in askers.into_iter().zip(others) {
            assert_eq!(place.status(row, query, Some(key)).await, expected, "{name}: {who}");
        }
    }
    place.client.deployment.check_books().await;
}

/// Two answers are alike but for what differs between any two.
fn alike(one: &Answer, another: &Answer, what: &str) {
    assert_eq!(one.stable(), another.stable(), "{what}");
    assert_eq!(one.text.len(), another.text.len(), "{what}");
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id");
        headers
    };
    assert_eq!(headers(one), headers(another), "{what}");
}

/// What belongs to somebody else looks exactly like what does not exist, wherever its id stands.
#[tokio::test]
async fn no_answer_tells_hidden_from_missing() {
    let place = Place::new().await;
    let document = document();
    for (name, operation) in operations(&document) {
        let &(_, object, body, expected) = ROWS.iter().find(|row| row.0 == name).unwrap();
        if matches!(expected, Everyone(_)) {
            continue;
        }
        let ours = place.make(object).await;
        let theirs = missing(object);
        // Where two ids stand, the inner one is also looked for below what is the asker's own.
        let nested = name.contains("{notice_id}");
        let own = if nested { place.endpoint(&place.other).await } else { theirs.to_owned() };
        // Path, query, body: with the tenant's id, and with nobody's.
        let tenant = |who| if names_tenant(operation) { format!("?tenant_id={who}") } else { String::new() };
        let places = [
            ([ours.as_str(), theirs], [String::new(), String::new()], [TENANT, TENANT]),
            ([theirs, theirs], [tenant(TENANT), tenant(NOBODY)], [TENANT, TENANT]),
            ([ours.as_str(), ours.as_str()], [tenant(TENANT), tenant(NOBODY)], [TENANT, TENANT]),
            ([theirs, theirs], [String::new(), String::new()], [TENANT, NOBODY]),
            ([own.as_str(), own.as_str()], [String::new(), String::new()], [TENANT, TENANT]),
        ];
        for (number, (ids, queries, tenants)) in places.iter().enumerate() {
            let ask = async |index: usize, key: &str| {
                let notice = [&place.notice, "msg_missing"][index];
                let route = name.replace("{id}", ids[index]).replace("{notice_id}", notice) + &queries[index];
                place.ask(&route, Some(key), &body.replace("{tenant}", tenants[index])).await
            };
            let in_body = tenants[0] != tenants[1] && body.contains("{tenant}");
            let in_path = ids[0] != ids[1] || nested && ids[0] != theirs;
            if !in_path && queries[0] == queries[1] && !in_body {
                continue; // No id stands there.
            }
            let hidden = ask(0, &place.other).await;
            alike(&hidden, &ask(1, &place.other).await, &format!("{name}, place {number}"));
            let secret = object != Nothing || !queries[0].is_empty() || matches!(expected, Operators(_));
            assert!(!secret || hidden.status == 404, "{name}, place {number}: {hidden:?}");
            if matches!(expected, Operators(_)) {
                let (method, _) = name.split_once(' ').unwrap();
                let nothing = place.ask(&format!("{method} /api/nothing"), Some(&place.other), body).await;
                alike(&hidden, &nothing, &format!("{name} is there for a tenant"));
            }
        }
    }
    let listed: Value = place.client.deployment.get("/api/payments", &place.other).await.data();
    assert_eq!(listed, Value::Array(vec![]), "a listing shows nothing of others");
}
