//! A deployment in a temporary folder, which is removed with it, and helpers that send requests to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response};
use emulator::scenario::{Sale, metadata};
use engine::Next;
use engine::clock::Machine;
use engine::{Applier, Clock, CommandQueue, DeploymentScope, MetadataKeys, Shop, read};
use ledger::{Policy, TenantId, Timestamp};
use rusqlite::Connection;
use serde_json::Value;
use store::{Access, KeyHolder, KeyRow, Mode, PersonRow, Store};
use stripe::retry::Schedule;
use stripe::write::ApiVersion;
use stripe::{Secret, signature};
use tower::ServiceExt as _;
use web::app::OPERATOR_LIMITS;
use web::auth::{new_person, new_secret};
use web::{App, AppParts, Limits, router};

use crate::TENANT;
use crate::answer::Answer;

/// The webhook's signing secret.
pub(crate) const SECRET: &str = "whsec_5e7f1c0ffee5e7f1c0ffee5e7f1c0ffe";
/// The Unix time at which every test starts, shortly after the guide's sample was created.
pub(crate) const NOW: i64 = 1_708_425_700;

pub(crate) struct Deployment {
    pub(crate) app: App,
    pub(crate) parts: AppParts,
    /// The operator key of Grace, the first registered person.
    pub(crate) operator: String,
    applier: Applier,
    router: Router,
    /// The time since the machine's start, and the error of its wall clock, in microseconds.
    passed: Arc<AtomicI64>,
    wrong: Arc<AtomicI64>,
    folder: PathBuf,
}

impl Deployment {
    pub(crate) async fn new() -> Self {
        Self::with(Mode::Live, Policy::default(), Limits::default()).await
    }

    pub(crate) async fn with(mode: Mode, policy: Policy, limits: Limits) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("faireplace-web-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open_sqlite(&folder.join("test.db"), mode).unwrap();
        let (passed, wrong) = (Arc::<AtomicI64>::default(), Arc::<AtomicI64>::default());
        let (wall, error, boot) = (passed.clone(), wrong.clone(), passed.clone());
        let machine = Machine::new(
            move || {
                let passed = wall.load(Ordering::Relaxed) + error.load(Ordering::Relaxed);
                Timestamp(Timestamp::from_seconds(NOW).0 + passed)
            },
            move || Duration::from_micros(boot.load(Ordering::Relaxed).unsigned_abs()),
            Some("this boot".to_owned()),
        );
        let clock = Clock::watched(machine, &store.clock_record().await.unwrap());
        let policy = Arc::new(policy);
        let applier = Applier {
            store: store.clone(),
            policy: policy.clone(),
            scope: Arc::new(DeploymentScope { mode, account: None, metadata: MetadataKeys::default() }),
            schedule: Schedule::default(),
            reader: read,
        };
        let (commands, worker) = CommandQueue::new(store.clone());
        let worker_clock = clock.clone();
        tokio::spawn(async move { worker.run(&worker_clock, std::future::pending()).await });
        let parts = AppParts {
            store,
            commands,
            clock,
            mode,
            policy,
            operator_limits: OPERATOR_LIMITS,
            shop: Arc::default(),
            secrets: vec![Secret::parse(SECRET).unwrap()],
            destinations: Arc::default(),
            limits,
            log_lines_dropped: Arc::default(),
        };
        let app = App::new(parts.clone());
        let mut deployment = Self {
            router: router(app.clone()),
            operator: String::new(),
            app,
            parts,
            applier,
            passed,
            wrong,
            folder,
        };
        let grace =
            PersonRow { id: "person_grace".to_owned(), ..new_person("Grace".to_owned(), deployment.now()) };
        deployment.app.store.register_first(grace.clone()).await.unwrap();
        deployment.operator = deployment.key_of(KeyHolder::Person(grace.id), None).await.1;
        deployment
    }

    /// The same deployment with this shop.
    pub(crate) fn selling(mut self, shop: Shop) -> Self {
        self.parts = AppParts { shop: Arc::new(shop), ..self.parts.clone() };
        self.app = App::new(self.parts.clone());
        self.router = router(self.app.clone());
        self
    }

    /// Creates a tenant's key directly in the store; returns its id and its secret.
    pub(crate) async fn key(
        &self,
        tenant: &str,
        access: Access,
        expires_at: Option<Timestamp>,
    ) -> (String, String) {
        let tenant = TenantId::parse(tenant).unwrap();
        self.key_of(KeyHolder::Tenant { tenant, access }, expires_at).await
    }

    /// Creates a key for any holder directly in the store; returns its id and its secret.
    pub(crate) async fn key_of(&self, holder: KeyHolder, expires_at: Option<Timestamp>) -> (String, String) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (secret, hash) = new_secret();
        let key = KeyRow {
            id: format!("key_{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            name: "a test's".to_owned(),
            holder,
            created_at: self.now(),
            expires_at,
            revoked_at: None,
        };
        self.app.store.create_key(key.clone(), hash).await.unwrap();
        (key.id, secret)
    }

    /// Creates a service key; returns its secret.
    pub(crate) async fn service(&self) -> String {
        self.key_of(KeyHolder::Service, None).await.1
    }

    /// Registers another person with this name; returns their operator key.
    pub(crate) async fn colleague(&self, name: &str) -> String {
        let sql = "INSERT INTO people (id, name, created_at) VALUES (?1, ?2, ?3)";
        let id = format!("person_{name}");
        self.backdoor().execute(sql, (&id, name, self.now().0)).unwrap();
        self.key_of(KeyHolder::Person(id), None).await.1
    }

    /// Revokes a key.
    pub(crate) async fn revoke(&self, id: &str) {
        let answer = self.post(&format!("/api/admin/keys/{id}/revoke"), &serde_json::json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Creates a tenant's key with read access; returns its secret.
    pub(crate) async fn reader(&self, tenant: &str) -> String {
        self.key(tenant, Access::Read, None).await.1
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.passed.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Sets the machine's wall clock forward by this much, or back if negative.
    pub(crate) fn jump(&self, seconds: i64) {
        self.wrong.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// A second connection to the database, for what the store has no function for.
    pub(crate) fn backdoor(&self) -> Connection {
        Connection::open(self.folder.join("test.db")).unwrap()
    }

    pub(crate) async fn send_raw(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.send_raw(request).await).await
    }

    pub(crate) async fn request(&self, method: Method, path: &str, key: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.request(Method::GET, path, Some(key), "").await
    }

    /// The data of a `GET` as the operator.
    pub(crate) async fn look(&self, path: &str) -> Value {
        self.get(path, &self.operator).await.data()
    }

    /// A `POST` as the operator.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path, Some(&self.operator), &body.to_string()).await
    }

    /// A delivery by Stripe, now.
    pub(crate) async fn deliver(&self, body: impl Into<Vec<u8>>) -> Answer {
        self.deliver_at(self.now(), body).await
    }

    /// A delivery by Stripe, signed at this time.
    pub(crate) async fn deliver_at(&self, signed: Timestamp, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let secrets = [Secret::parse(SECRET).unwrap()];
        let header = signature::sign(&body, signed.seconds(), &secrets);
        self.webhook(&header, body).await
    }

    pub(crate) async fn webhook(&self, signature: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post("/webhooks/stripe").header("stripe-signature", signature);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Applies every event that is due.
    pub(crate) async fn apply(&self) {
        while self.applier.step(self.app.clock.reading()).await.unwrap() == Next::Now {}
    }

    /// Delivers an event, which must be acknowledged, and applies it.
    pub(crate) async fn learn(&self, body: impl Into<Vec<u8>>) {
        assert_eq!(self.deliver(body).await.text, r#"{"received":true}"#);
        self.apply().await;
    }

    /// A tenant's available credits, read as the operator.
    pub(crate) async fn available(&self, tenant: &str) -> i64 {
        let balance = self.look(&format!("/api/credits/balance?tenant_id={tenant}")).await;
        balance["available"].as_i64().unwrap()
    }

    pub(crate) async fn check_books(&self) {
        let audit = self.look("/api/admin/audit").await;
        assert_eq!((&audit["ok"], &audit["faults"]), (&true.into(), &Value::Array(vec![])), "{audit}");
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // If this fails, the rest is still in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A purchase of ten credits by the tenant of the guide's sample, at the sample's time.
pub(crate) fn ten_credits() -> Sale {
    Sale {
        reference: "r".into(),
        metadata: terms(TENANT, 10),
        description: "10 credits".into(),
        amount: 25_000,
        currency: "eur".into(),
        created: 1_708_425_600,
        livemode: true,
        api_version: ApiVersion::default(),
    }
}

/// Session metadata for a sale of this many credits to this tenant.
pub(crate) fn terms(tenant: &str, credits: u32) -> BTreeMap<String, String> {
    metadata([("tenant_id", tenant), ("package", "10_credits"), ("credits", &credits.to_string())])
}
