//! A response, and the checks that every response of the service must pass.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let answer = Self { status: head.status.as_u16(), headers: head.headers, text };
        answer.check();
        answer
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// `data` of a successful response.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, self.text);
        self.json()["data"].clone()
    }

    /// Status, error type and message, such as `403 FORBIDDEN This key …`; of a success only the status.
    pub(crate) fn summary(&self) -> String {
        let error = &self.json()["error"];
        match error["type"].as_str() {
            Some(kind) => format!("{} {kind} {}", self.status, error["message"].as_str().unwrap()),
            None => self.status.to_string(),
        }
    }

    /// The body without `meta`, which differs between any two requests.
    pub(crate) fn stable(&self) -> Value {
        let mut body = self.json();
        body["meta"] = Value::Null;
        body
    }

    /// Every response forbids caching, sniffing, framing and scripts, and has a request id; a response of the
    /// API has the envelope.
    fn check(&self) {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(self.header(name), value, "{name} of {self:?}");
        }
        assert_eq!(self.header("x-request-id").len(), 36, "{self:?}");
        let body = self.json();
        if body["received"] == true {
            return;
        }
        let Some(meta) = body["meta"].as_object() else {
            // The webhook's fixed responses, which carry no request id in the body.
            assert_eq!(body["error"]["code"], self.status, "{self:?}");
            return;
        };
        assert_eq!(meta["request_id"], self.header("x-request-id"), "{self:?}");
        assert!(meta["timestamp"].as_str().unwrap().ends_with('Z'), "{self:?}");
        if self.status < 300 {
            assert!(body.get("data").is_some() && body.get("error").is_none(), "{self:?}");
        } else {
            let error = body["error"].as_object().unwrap();
            assert_eq!(error["code"], self.status, "{self:?}");
            assert!(error["type"].is_string() && error.contains_key("details"), "{self:?}");
            let message = error["message"].as_str().unwrap();
            assert!(
                message.ends_with('.') || message.ends_with('`'),
                "the message is not a sentence: {message}"
            );
            assert!(body.get("data").is_none(), "{self:?}");
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            assert_eq!(self.header("www-authenticate"), "Bearer", "RFC 9110, section 15.5.2: {self:?}");
        }
    }
}
