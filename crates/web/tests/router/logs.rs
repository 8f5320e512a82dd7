//! No log line, at any level, holds a secret: not the webhook's, nor a key's, nor an invalid key.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::deployment::{Deployment, SECRET};
use crate::{GUIDE_SAMPLE, TENANT};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The subscriber is global, because the database runs on its own threads, so the log also holds the lines of
/// other tests.
#[tokio::test]
async fn secrets_stay_out_of_the_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let deployment = Deployment::new().await;
    let request = json!({ "name": "shop", "tenant_id": TENANT });
    let made = deployment.post("/api/admin/keys", &request).await.data();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let wrong = format!("fp_{}", "a1b2c3d4".repeat(8));
    deployment.learn(GUIDE_SAMPLE).await;
    deployment.learn("{").await;
    for signature in ["", "t=1", SECRET, &format!("t=1708425700,v1={SECRET}")] {
        assert_eq!(deployment.webhook(signature, GUIDE_SAMPLE).await.status, 400);
    }
    for key in [&secret, &wrong, &deployment.operator.clone()] {
        for path in ["/api/credits/balance", "/api/payments/x?key=y", "/api/admin/keys", "/api/admin/status"]
        {
            deployment.get(path, key).await;
            deployment.request(Method::DELETE, path, Some(key), key).await;
        }
        deployment.post(&format!("/api/admin/keys/{key}/revoke"), &Value::Null).await;
        deployment.post("/api/admin/keys", &json!({ "name": "x", "tenant_id": key })).await;
    }
    deployment.post("/api/admin/events/evt_1234567890/replay", &Value::Null).await;
    deployment.post("/api/admin/quarantine/1/dismiss", &json!({ "reason": "x" })).await;
    deployment.jump(86_400);
    let confirmed = json!({ "time": "kept", "reason": "compared with another clock" });
    deployment.post("/api/admin/clock/confirm", &confirmed).await.data();
    deployment.jump(-86_400);
    deployment.deliver(GUIDE_SAMPLE).await;
    deployment.backdoor().execute_batch("ALTER TABLE tenants RENAME TO gone").unwrap();
    deployment.get("/api/credits/balance", &secret).await;
    deployment.backdoor().execute_batch("ALTER TABLE events RENAME TO lost").unwrap();
    assert_eq!(deployment.deliver(GUIDE_SAMPLE).await.status, 503);
    let shown = format!("{:?}", deployment.parts.secrets);
    assert!(!shown.contains("5e7f1c0f"), "{shown}");

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "reason=\"mismatch\"",
        "method=\"GET\" route=\"/api/admin/keys\" status=404 key=\"shop\"",
        "an operator replays",
        "the clock is in doubt: the machine's clock jumped",
        "reason=\"compared with another clock\"",
        "the wall clock agrees again",
        "the database could not answer",
        "could not store",
    ] {
        assert!(log.contains(expected), "the log is not recorded: {expected:?} is missing in\n{log}");
    }
    for secret in [SECRET, &SECRET[6..20], "whsec_", "fp_", &secret[3..20], &wrong[3..20]] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "a secret is in the log");
    }
}
