//! The commands' API client: it calls the running service, or, if none runs, the same API inside this
//! process. Either way a command does the same.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use engine::Clock;
use engine::Next;
use http_body_util::Full;
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use store::{Store, sqlite};
pub(crate) use stripe::form::encoded;
use tower::ServiceExt;

use crate::config::{Config, Database};
use crate::failure::Failure;
use crate::outgoing::{ExchangeError, ResponseLimits, exchange};
use crate::{operator_key, service};

/// The largest response that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Time limit of a response. An audit may take longer, because it reads the whole journal.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the API, with an operator key.
pub(crate) struct Client {
    key: String,
    /// Where the key came from.
    key_from: String,
    way: Way,
}

enum Way {
    /// A service runs at this address.
    Service { url: String, http: Http<HttpConnector, Full<Bytes>> },
    /// No service runs; this process holds the database while the command runs.
    Here { router: Router, applier: Box<engine::Applier>, clock: Clock },
}

/// The address of the service that holds this database, if one runs.
pub(crate) fn running(database: &Database) -> Option<String> {
    let holder: Value = serde_json::from_str(&sqlite::holder(&database.path)?).ok()?;
    holder["url"].as_str().map(str::to_owned)
}

/// Whatever else a database file may be, it must hold a ledger before a command looks into it or copies it:
/// opening it would make a fresh one.
pub(crate) fn require_ledger(database: &Database) -> Result<(), Failure> {
    let path = database.path.display();
    // Never opened here: closing it would drop the locks of a service in this process.
    match std::fs::metadata(&database.path) {
        Ok(_) if sqlite::mode_of(&database.path).is_some() => Ok(()),
        Ok(_) => Err(Failure::failed(format!(
            "{path} holds no ledger; was its -wal file left behind? Nothing was changed"
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::failed(format!(
            "there is no database at {path}. Start with `faireplace dev` or `faireplace serve`"
        ))),
        Err(error) => Err(Failure::failed(format!("cannot open {path}: {error}"))),
    }
}

/// Talks HTTP, without TLS: to this machine.
pub(crate) fn http() -> Http<HttpConnector, Full<Bytes>> {
    Http::builder(TokioExecutor::new()).build_http()
}

impl Client {
    /// Finds the running service, or opens the database.
    ///
    /// # Errors
    /// When there is no database yet, or it cannot be opened.
    pub(crate) async fn connect(config: &Config) -> Result<Self, Failure> {
        let database = &config.database;
        let brought = config.operator_key.as_ref().map(|key| key.expose().to_owned());
        let key_from = match brought {
            Some(_) => "FAIREPLACE_OPERATOR_KEY".to_owned(),
            None => format!("in {}", operator_key::path(database).display()),
        };
        if let Some(url) = running(database) {
            let key = brought.or_else(|| operator_key::read(database)).ok_or_else(|| {
                Failure::failed(format!("a service runs at {url}, but its operator key cannot be read"))
            })?;
            return Ok(Self { key, key_from, way: Way::Service { url, http: http() } });
        }
        require_ledger(database)?;
        let store = Store::open_sqlite(&database.path, config.mode)?;
        let clock = service::clock(&store).await?;
        let own = operator_key::ensure(config, &store, &clock).await?;
        let key = brought.unwrap_or(own);
        let applier = Box::new(service::applier(config, store.clone()));
        let (parts, worker) =
            service::parts(config, store, Vec::new(), clock.clone(), service::limits(config));
        let worker_clock = clock.clone();
        // Until the router, which holds the queue, is gone.
        tokio::spawn(async move { worker.run(&worker_clock, std::future::pending()).await });
        let way = Way::Here { router: web::router(web::App::new(parts)), applier, clock };
        Ok(Self { key, key_from, way })
    }

    /// Asks; answers the whole body.
    ///
    /// # Errors
    /// The API's own message, or why it cannot be reached.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None, Some(PATIENCE)).await
    }

    /// Runs an audit, without a time limit.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn audit(&self) -> Result<Value, Failure> {
        self.call(Method::GET, "/api/admin/audit", None, None).await
    }

    /// Sends a GET request; 404 is `None`.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let (status, body) = self.send(Method::GET, path, None, Some(PATIENCE)).await?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { self.accepted(status, body).map(Some) }
    }

    /// Sends a GET request for text, such as CSV.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn text(&self, path: &str) -> Result<String, Failure> {
        let (status, bytes) = self.send_raw(Method::GET, path, None, None, None).await?;
        if status.is_success() {
            return String::from_utf8(bytes.to_vec())
                .map_err(|_| Failure::failed("the service's response is not text"));
        }
        self.accepted(status, json(status, &bytes)?).map(|_| String::new())
    }

    /// Sends a POST request with this idempotency key.
    ///
    /// # Errors
    /// As [`Client::get`]. If the request may have been executed, the message names the option that repeats
    /// it safely, because the key may have been generated.
    pub(crate) async fn post_named(&self, path: &str, name: &str, body: &Value) -> Result<Value, Failure> {
        let unsure = |failure: Failure| {
            failure.and(&format!(
                "It may have been done. Repeat the command with `--once {name}`, and it is done only once."
            ))
        };
        let sent = self.send_raw(Method::POST, path, Some(name), Some(body), Some(PATIENCE)).await;
        let (status, bytes) = sent.map_err(unsure)?;
        let answer = json(status, &bytes).map_err(unsure)?;
        let accepted = self.accepted(status, answer);
        if status.is_server_error() { accepted.map_err(unsure) } else { accepted }
    }

    /// Sends a POST request.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.call(Method::POST, path, Some(body), Some(PATIENCE)).await?;
        if let Way::Here { applier, clock, .. } = &self.way {
            // No service runs, so apply due events here.
            while applier.step(clock.reading()).await? == Next::Now {}
        }
        Ok(answer)
    }

    /// Waits until all events are applied, at most ten seconds.
    pub(crate) async fn settled(&self) -> Result<(), Failure> {
        for _ in 0..1000 {
            let health = self.get("/api/health").await?;
            if health["data"]["pending"] == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Failure::failed("some events are not applied yet: see `faireplace events list --pending`"))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Option<Duration>,
    ) -> Result<Value, Failure> {
        let (status, body) = self.send(method, path, body, patience).await?;
        self.accepted(status, body)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Option<Duration>,
    ) -> Result<(StatusCode, Value), Failure> {
        let (status, bytes) = self.send_raw(method, path, None, body, patience).await?;
        Ok((status, json(status, &bytes)?))
    }

    async fn send_raw(
        &self,
        method: Method,
        path: &str,
        name: Option<&str>,
        body: Option<&Value>,
        patience: Option<Duration>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let bytes = Bytes::from(body.map(ToString::to_string).unwrap_or_default());
        let uri = match &self.way {
            Way::Service { url, .. } => format!("{url}{path}"),
            Way::Here { .. } => path.to_owned(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(name) = name {
            request = request.header("idempotency-key", name);
        }
        let request = request
            .body(Full::new(bytes))
            .map_err(|error| Failure::failed(format!("`{path}` cannot be asked for: {error}")))?;
        Ok(match &self.way {
            Way::Service { url, http } => over_network(http, url, request, patience).await?,
            Way::Here { router, .. } => here(router.clone(), request).await?,
        })
    }

    fn accepted(&self, status: StatusCode, body: Value) -> Result<Value, Failure> {
        if status.is_success() {
            return Ok(body);
        }
        if status == StatusCode::UNAUTHORIZED {
            let key_from = &self.key_from;
            let advice = match key_from.strip_prefix("in ") {
                Some(_) => "; restart the service, and it makes a new one",
                None => "",
            };
            return Err(Failure::failed(format!("the operator key {key_from} is no longer valid{advice}")));
        }
        Err(Failure::failed(body["error"]["message"].as_str().unwrap_or("the service refused")))
    }
}

fn json(status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|_| Failure::failed(format!("the service answered {status}, and its response is not JSON")))
}

async fn over_network(
    http: &Http<HttpConnector, Full<Bytes>>,
    url: &str,
    request: Request<Full<Bytes>>,
    patience: Option<Duration>,
) -> Result<(StatusCode, Bytes), Failure> {
    let limits = ResponseLimits { bytes: MAX_ANSWER_BYTES, time: patience.unwrap_or(Duration::MAX) };
    match exchange(http, request, limits).await {
        Ok(answer) => Ok((answer.status(), answer.into_body())),
        Err(ExchangeError::Request(error)) => {
            Err(Failure::failed(format!("cannot reach the service at {url}: {error}")))
        }
        Err(ExchangeError::Body(error)) => Err(Failure::failed(format!("the response was cut off: {error}"))),
        Err(ExchangeError::Timeout(time)) => {
            let seconds = time.as_secs();
            Err(Failure::failed(format!("the service at {url} gave no answer within {seconds} seconds")))
        }
    }
}

async fn here(router: Router, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
    let answer = match router.oneshot(request.map(Body::new)).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), MAX_ANSWER_BYTES).await;
    Ok((status, body.map_err(|error| Failure::failed(format!("the response was cut off: {error}")))?))
}

#[cfg(test)]
mod tests;
