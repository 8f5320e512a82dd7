//! HTTP client of a running emulator: Stripe's API with form parameters, and the emulator's control API.
//! Not here: running an emulator in this process (`emulation`).

use std::time::Duration;

use axum::http::{Method, Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;

use crate::config::Database;
use crate::dev_file::DevFile;
use crate::failure::Failure;
use crate::outgoing::{self, Certificates, Outgoing, ResponseLimits, exchange};
use crate::terminal::shown;

/// The emulator's default address, on stripe-mock's port.
pub(crate) const LISTEN: &str = "127.0.0.1:12111";

/// Limits of an answer. Advancing the clock by weeks takes long: it makes many deliveries on the way.
const LIMITS: ResponseLimits = ResponseLimits { bytes: 16 << 20, time: Duration::from_secs(600) };

/// A client of one emulator.
pub(crate) struct Account {
    pub(crate) url: String,
    key: String,
    http: Outgoing,
}

impl Account {
    /// A client of the emulator at `url`; sends nothing yet.
    ///
    /// # Errors
    /// When `url` is not a valid URL.
    pub(crate) fn at(url: &str, key: &str) -> Result<Self, Failure> {
        let url = url.trim_end_matches('/').to_owned();
        let no_address = || Failure::failed(format!("`{}` is no address of an emulator", shown(&url)));
        let uri: Uri = url.parse().map_err(|_| no_address())?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(no_address());
        }
        let http = outgoing::way_to(&uri, Certificates::Checked)?;
        Ok(Self { url, key: key.to_owned(), http })
    }

    /// Whether an emulator responds.
    pub(crate) async fn answers(&self) -> bool {
        self.read("/_emulator/state").await.is_ok_and(|state| state["seed"].is_u64())
    }

    /// Sends a GET request to Stripe's API or the control API.
    ///
    /// # Errors
    /// The emulator's error message, or why it cannot be reached.
    pub(crate) async fn read(&self, path: &str) -> Result<Value, Failure> {
        let (status, answer) = self.send(Method::GET, path, "application/json", String::new()).await?;
        accepted(status, answer)
    }

    /// Sends a POST request to Stripe's API, with form parameters such as `metadata[tenant_id]`.
    ///
    /// # Errors
    /// As [`Account::read`].
    pub(crate) async fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
        let form = stripe::form::of(parameters.iter().copied());
        let (status, answer) =
            self.send(Method::POST, path, "application/x-www-form-urlencoded", form).await?;
        accepted(status, answer)
    }

    /// Sends a POST request to the control API, `/_emulator/…`, with JSON.
    ///
    /// # Errors
    /// As [`Account::read`].
    pub(crate) async fn control(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let (path, body) = (format!("/_emulator/{path}"), body.to_string());
        let (status, answer) = self.send(Method::POST, &path, "application/json", body).await?;
        accepted(status, answer)
    }

    /// Pays a session with a test card number. A declined card is not an error here.
    ///
    /// # Errors
    /// As [`Account::read`].
    pub(crate) async fn pay(&self, session: &str, number: &str) -> Result<(), Failure> {
        let field = if number.starts_with(|first: char| first.is_ascii_digit()) { "card" } else { "iban" };
        let path = format!("/_emulator/sessions/{session}/pay");
        let body = serde_json::json!({ field: number }).to_string();
        let (status, answer) = self.send(Method::POST, &path, "application/json", body).await?;
        if status == StatusCode::PAYMENT_REQUIRED { Ok(()) } else { accepted(status, answer).map(drop) }
    }

    /// Waits until no delivery is due or in progress.
    ///
    /// # Errors
    /// As [`Account::read`].
    pub(crate) async fn settled(&self) -> Result<(), Failure> {
        self.read("/_emulator/settled").await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<(StatusCode, Value), Failure> {
        let broken = |error: &dyn std::fmt::Display| {
            Failure::failed(format!("the emulator at {} does not answer: {error}", self.url))
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, kind)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| broken(&error))?;
        let uri = request.uri().clone();
        let answer = exchange(&self.http, request, LIMITS).await;
        let answer = answer.map_err(|error| broken(&error.describe(&uri)))?;
        let body: Value = serde_json::from_slice(answer.body()).map_err(|error| broken(&error))?;
        Ok((answer.status(), body))
    }
}

fn accepted(status: StatusCode, body: Value) -> Result<Value, Failure> {
    if status.is_success() {
        return Ok(body);
    }
    let message = body["error"]["message"].as_str().unwrap_or("it refused");
    Err(Failure::failed(format!("the emulator answered {}: {}", status.as_u16(), shown(message))))
}

/// The emulator's URL: the given one (an option, else STRIPE_API_BASE), else that of the last `dev` on this
/// database, else the default.
pub(crate) fn nearest(said: Option<&str>, database: Option<&Database>) -> String {
    let of_dev = || DevFile::read(database?)?.emulator;
    said.map(str::to_owned).or_else(of_dev).unwrap_or_else(|| format!("http://{LISTEN}"))
}

/// The text of a field, or an empty string.
pub(crate) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap_or_default()
}
