//! One `faireplace serve` with tenants that have more credits than a run can spend.
//!
//! What is deliberately not here: purchases. An operator's grant is a lot like any other, and sooner made.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, header};
use serde_json::{Value, json};

use crate::load::{Sender, connect, get, now};
use crate::{peers, process};

/// What every tenant is granted.
const CREDITS: i64 = 1_000_000_000;

/// A running service.
pub(super) struct Service {
    child: Child,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// One API key for each tenant.
    pub(super) keys: Vec<String>,
    operator: String,
}

impl Service {
    /// Starts it on an empty database, with one tenant more than asked for: the first is the hot one.
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

    /// CPU time that it has used so far, in microseconds.
    pub(super) fn cpu_micros(&self) -> anyhow::Result<u64> {
        Ok(process::cpu_micros(self.child.id())?)
    }

    /// Memory that it holds, in KiB.
    pub(super) fn resident_kib(&self) -> anyhow::Result<u64> {
        Ok(process::resident_kib(self.child.id())?)
    }

    async fn seed(&mut self, sender: &mut Sender, number: u32) -> anyhow::Result<()> {
        let tenant = format!("00000000-0000-4000-8000-{number:012}");
        let key = json!({
            "name": "bench", "tenant_id": tenant, "permissions": ["credits:read", "credits:write"],
        });
        let made = self.ask(sender, "/api/admin/keys", &key, "").await?;
        let secret = made["data"]["secret"].as_str().context("no secret")?;
        self.keys.push(secret.to_owned());
        let grant = json!({ "tenant_id": tenant, "credits": CREDITS, "reason": "bench" });
        let done = self.ask(sender, "/api/admin/adjustments", &grant, &tenant).await?;
        ensure!(done["error"].is_null(), "{done}");
        Ok(())
    }

    async fn ask(
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
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        Ok(serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = now() + Duration::from_secs(30);
        while get(self.address, "/api/health").await.ok().flatten().is_none() {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended before it was ready: {status}");
            }
            ensure!(now() < deadline, "not ready in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// What was measured must have been done: the journal adds up, and nothing was spent twice or unseen.
    pub(super) async fn check_books(&self) -> anyhow::Result<()> {
        let mut sender = connect(self.address).await?;
        let request = Request::get("/api/admin/audit")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator))
            .body(Full::new(Bytes::new()))?;
        let answer = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
        let audit: Value = serde_json::from_slice(&answer)?;
        ensure!(audit["data"]["ok"] == true, "the books do not add up: {audit}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Of a process that has already ended, both say so, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
