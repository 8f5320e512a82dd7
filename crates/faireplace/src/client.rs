//! How commands reach the books: over the API of the running service, or, when none runs, over the same API
//! inside this process. So a command has one way of doing its work, and both do the same.

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

/// A way to the API, with an operator's key.
pub(crate) struct Client {
    key: String,
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
        if let Some(url) = running(database) {
            let key = operator_key::read(database).ok_or_else(|| {
                Failure::failed(format!("a service runs at {url}, but its operator key cannot be read"))
            })?;
            return Ok(Self { key, way: Way::Service { url, http: http() } });
        }
        if !database.path.exists() {
            return Err(Failure::failed(format!(
                "there is no database at {}. Start with `faireplace dev` or `faireplace serve`",
                database.path.display()
            )));
        }
        let store = Store::open_sqlite(&database.path, config.mode)?;
        let clock = Clock::system();
        let key = operator_key::ensure(database, &store, &clock).await?;
        let (app, applier) = service::assemble(config, store, Vec::new(), clock.clone());
        let way = Way::Here { router: web::router(app), applier: Box::new(applier), clock };
        Ok(Self { key, way })
    }

    /// Asks; answers the whole body.
    ///
    /// # Errors
    /// The API's own message, or why it cannot be reached.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    /// Asks for something that may not be there.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let (status, body) = self.send(Method::GET, path, None).await?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { accepted(status, body).map(Some) }
    }

    /// Tells it to do something.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.call(Method::POST, path, Some(body)).await?;
        if let Way::Here { applier, clock, .. } = &self.way {
            // No service applies what became due, so this does.
            while applier.step(clock.now()).await? == Next::Now {}
        }
        Ok(answer)
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let (status, body) = self.send(method, path, body).await?;
        accepted(status, body)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
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
            .header(header::CONTENT_TYPE, "application/json");
        let bad =
            |_| Failure::failed(format!("`{path}` cannot be asked for: an id has characters that no id has"));
        let (status, bytes) = match &self.way {
            Way::Service { url, http } => {
                let request = request.body(Full::new(bytes)).map_err(bad)?;
                let unreachable =
                    |error| Failure::failed(format!("cannot reach the service at {url}: {error}"));
                let answer = http.request(request).await.map_err(unreachable)?;
                let status = answer.status();
                let body = http_body_util::Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
                (
                    status,
                    body.map_err(|error| Failure::failed(format!("the answer broke off: {error}")))?
                        .to_bytes(),
                )
            }
            Way::Here { router, .. } => {
                let request = request.body(Body::from(bytes)).map_err(bad)?;
                let answer = match router.clone().oneshot(request).await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                };
                let status = answer.status();
                let body = axum::body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await;
                (status, body.map_err(|error| Failure::failed(error.to_string()))?)
            }
        };
        let body = serde_json::from_slice(&bytes).map_err(|_| {
            Failure::failed(format!("the service answered {status} with something that is no JSON"))
        })?;
        Ok((status, body))
    }
}

fn accepted(status: StatusCode, body: Value) -> Result<Value, Failure> {
    if status.is_success() {
        return Ok(body);
    }
    let message = body["error"]["message"].as_str().unwrap_or("the service refused");
    Err(Failure::failed(message))
}
