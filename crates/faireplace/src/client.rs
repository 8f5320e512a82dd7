//! How commands reach the books: over the API of the running service, or, when none runs, over the same API
//! inside this process. So a command has one way of doing its work, and both do the same.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use engine::Clock;
use engine::apply::Next;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use store::{Store, sqlite};
use tower::ServiceExt;

use crate::config::{Config, Database};
use crate::failure::Failure;
use crate::{operator_key, service};

/// The most of an answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How long a running service may take. Only an audit may take longer: it reads the whole journal.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to the API, with an operator's key.
pub(crate) struct Client {
    key: String,
    /// Where the key is kept.
    key_file: PathBuf,
    way: Way,
}

enum Way {
    /// A service runs; it is reached at this address.
    Service { url: String, http: Http<HttpConnector, Full<Bytes>> },
    /// None runs: the database is ours for as long as the command takes.
    Here { router: Router, applier: Box<engine::Applier>, clock: Clock },
}

/// The address of the service that has this database, if one runs.
pub(crate) fn running(database: &Database) -> Option<String> {
    let holder: Value = serde_json::from_str(&sqlite::holder(&database.path)?).ok()?;
    holder["url"].as_str().map(str::to_owned)
}

/// Whatever else a database file may be, it must hold a ledger before a command looks into it or copies it:
/// opening it would make a fresh one.
pub(crate) fn require_ledger(database: &Database) -> Result<(), Failure> {
    let path = database.path.display();
    match std::fs::File::open(&database.path) {
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

/// Text as one segment of a path or one value of a query: only what RFC 3986 leaves unreserved stays itself.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
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
        let key_file = operator_key::path(database);
        if let Some(url) = running(database) {
            let key = operator_key::read(database).ok_or_else(|| {
                Failure::failed(format!("a service runs at {url}, but its operator key cannot be read"))
            })?;
            return Ok(Self { key, key_file, way: Way::Service { url, http: http() } });
        }
        require_ledger(database)?;
        let store = Store::open_sqlite(&database.path, config.mode)?;
        let clock = Clock::system();
        let key = operator_key::ensure(database, &store, &clock).await?;
        let (app, applier) = service::assemble(config, store, Vec::new(), clock.clone());
        let way = Way::Here { router: web::router(app), applier: Box::new(applier), clock };
        Ok(Self { key, key_file, way })
    }

    /// Asks; answers the whole body.
    ///
    /// # Errors
    /// The API's own message, or why it cannot be reached.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None, Some(PATIENCE)).await
    }

    /// Has the whole journal checked, however long that takes.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn audit(&self) -> Result<Value, Failure> {
        self.call(Method::GET, "/api/admin/audit", None, None).await
    }

    /// Asks for something that may not be there.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let (status, body) = self.send(Method::GET, path, None, Some(PATIENCE)).await?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { self.accepted(status, body).map(Some) }
    }

    /// Tells it to do something.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.call(Method::POST, path, Some(body), Some(PATIENCE)).await?;
        if let Way::Here { applier, clock, .. } = &self.way {
            // No service applies what became due, so this does.
            while applier.step(clock.now()).await? == Next::Now {}
        }
        Ok(answer)
    }

    /// Waits until nothing is left to apply, ten seconds at most.
    pub(crate) async fn settled(&self) -> Result<(), Failure> {
        for _ in 0..1000 {
            let health = self.get("/api/health").await?;
            if health["data"]["pending"] == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Failure::failed("events still wait to be applied: see `faireplace events list --pending`"))
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
        let bytes = Bytes::from(body.map(ToString::to_string).unwrap_or_default());
        let uri = match &self.way {
            Way::Service { url, .. } => format!("{url}{path}"),
            Way::Here { .. } => path.to_owned(),
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(bytes))
            .map_err(|error| Failure::failed(format!("`{path}` cannot be asked for: {error}")))?;
        let (status, bytes) = match (&self.way, patience) {
            (Way::Service { url, http }, Some(patience)) => {
                tokio::time::timeout(patience, over_network(http, url, request)).await.map_err(|_| {
                    let seconds = patience.as_secs();
                    Failure::failed(format!("the service at {url} gave no answer within {seconds} seconds"))
                })??
            }
            (Way::Service { url, http }, None) => over_network(http, url, request).await?,
            (Way::Here { router, .. }, _) => here(router.clone(), request).await?,
        };
        let body = serde_json::from_slice(&bytes).map_err(|_| {
            Failure::failed(format!("the service answered {status} with something that is no JSON"))
        })?;
        Ok((status, body))
    }

    fn accepted(&self, status: StatusCode, body: Value) -> Result<Value, Failure> {
        if status.is_success() {
            return Ok(body);
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(Failure::failed(format!(
                "the operator key in {} does not work any more; restart the service, and it makes a new one",
                self.key_file.display()
            )));
        }
        Err(Failure::failed(body["error"]["message"].as_str().unwrap_or("the service refused")))
    }
}

async fn over_network(
    http: &Http<HttpConnector, Full<Bytes>>,
    url: &str,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Failure> {
    let unreachable = |error| Failure::failed(format!("cannot reach the service at {url}: {error}"));
    let answer = http.request(request).await.map_err(unreachable)?;
    let status = answer.status();
    let body = http_body_util::Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| Failure::failed(format!("the answer broke off: {error}")))?;
    Ok((status, body.to_bytes()))
}

async fn here(router: Router, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
    let answer = match router.oneshot(request.map(Body::new)).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await;
    Ok((status, body.map_err(|error| Failure::failed(format!("the answer broke off: {error}")))?))
}
