//! One `faireplace serve` with tenants that have more credits than a run can spend. Operators grant the
//! credits, which is faster than purchases and creates the same kind of lot.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use serde_json::{Value, json};

use crate::load::{Sender, connect, get, now, send};
use crate::{peers, process};

/// Credits granted to every tenant.
const CREDITS: i64 = 1_000_000_000;

/// A running service.
pub(super) struct Service {
    child: Child,
    /// Its address.
    pub(super) address: SocketAddr,
    /// One API key per tenant.
    pub(super) keys: Vec<String>,
    operator: String,
}

impl Service {
    /// Starts the service on an empty database with `tenants` tenants and, first in `keys`, the hot one.
    pub(super) async fn start(program: &Path, tenants: u32) -> anyhow::Result<Self> {
        let data = peers::tools().join("spending");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        fs::create_dir_all(&data)?;
        let database = data.join("bench.db");
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let log = File::create(data.join("log"))?;
        let child = Command::new(program)
            .arg("serve")
            .env("FAIREPLACE_LISTEN", address.to_string())
            .env("FAIREPLACE_MODE", "test")
            .env("FAIREPLACE_REQUESTS_PER_HOUR", "0")
            .env("FAIREPLACE_ADJUSTMENT_LIMIT", CREDITS.to_string())
            .env("FAIREPLACE_ADJUSTMENT_LIMIT_TOTAL", "1000000000000000")
            .env("STRIPE_WEBHOOK_SECRET", "whsec_nobody_sends_anything_here")
            .env("DATABASE_URL", format!("sqlite:{}", database.display()))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut service = Self { child, address, keys: Vec::new(), operator: String::new() };
        service.wait_until_ready().await?;
        let mut key_file: PathBuf = database;
        key_file.as_mut_os_string().push(".operator-key");
        fs::read_to_string(key_file)?.trim().clone_into(&mut service.operator);
        let mut sender = connect(address).await?;
        for number in 0..=tenants {
            service.seed(&mut sender, number).await?;
        }
        Ok(service)
    }

    /// CPU time used so far, in microseconds.
    pub(super) fn cpu_micros(&self) -> anyhow::Result<u64> {
        Ok(process::cpu_micros(self.child.id())?)
    }

    /// Resident memory in KiB.
    pub(super) fn resident_kib(&self) -> anyhow::Result<u64> {
        Ok(process::resident_kib(self.child.id())?)
    }

    async fn seed(&mut self, sender: &mut Sender, number: u32) -> anyhow::Result<()> {
        let tenant = format!("00000000-0000-4000-8000-{number:012}");
        let key = json!({
            "name": "bench", "tenant_id": tenant, "permissions": ["credits:read", "credits:write"],
        });
        let created = self.post(sender, "/api/admin/keys", &key, "").await?;
        let secret = created["data"]["secret"].as_str().context("no secret")?;
        self.keys.push(secret.to_owned());
        let grant = json!({ "tenant_id": tenant, "credits": CREDITS, "reason": "bench" });
        let done = self.post(sender, "/api/admin/adjustments", &grant, &tenant).await?;
        ensure!(done["error"].is_null(), "{done}");
        Ok(())
    }

    async fn post(
        &self,
        sender: &mut Sender,
        path: &str,
        body: &Value,
        idempotency_key: &str,
    ) -> anyhow::Result<Value> {
        let request = Request::post(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", idempotency_key)
            .body(Full::new(Bytes::from(body.to_string())))?;
        Ok(serde_json::from_slice(&send(sender, request).await?.1)?)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = now() + Duration::from_secs(30);
        while get(self.address, "/api/health").await.ok().flatten().is_none() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the service ended before it was ready: {status}");
            }
            ensure!(now() < deadline, "the service was not ready within 30 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Audits the journal, so that a round with wrong bookings does not count.
    pub(super) async fn check_books(&self) -> anyhow::Result<()> {
        let mut sender = connect(self.address).await?;
        let request = Request::get("/api/admin/audit")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator))
            .body(Full::new(Bytes::new()))?;
        let audit: Value = serde_json::from_slice(&send(&mut sender, request).await?.1)?;
        ensure!(audit["data"]["ok"] == true, "the audit failed: {audit}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
