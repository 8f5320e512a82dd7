//! What a notice looks like outside: its body, and its signature after Standard Webhooks 1.0.0
//! (standardwebhooks.com): `v1`, HMAC-SHA256 over `id.timestamp.body`, secrets as `whsec_` and base64. Pure.
//! Not here: when it is sent (`deliver`), and over what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use store::{NoticeRow, SigningSecret};

/// Opens every secret, so that it is known for one wherever it turns up.
const SECRET_PREFIX: &str = "whsec_";

/// The body of a notice: the same in every attempt, and in the live stream.
pub fn render(notice: &NoticeRow) -> String {
    // What is stored is an object; whatever else may stand there one day is told as it is.
    let mut data = match serde_json::from_str(&notice.data) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => Map::from_iter([("value".to_owned(), other)]),
        Err(_) => Map::new(),
    };
    data.insert("sequence".to_owned(), notice.seq.into());
    json!({ "type": notice.kind, "timestamp": rfc3339(notice), "data": data }).to_string()
}

fn rfc3339(notice: &NoticeRow) -> String {
    // Moments beyond the year 9999 cannot be written; none is stored.
    jiff::Timestamp::from_microsecond(notice.at.0).map(|at| at.to_string()).unwrap_or_default()
}

/// The value of `webhook-signature`: one signature for each secret, so that a receiver that knows either can
/// verify it. `timestamp` is the attempt's, in Unix seconds.
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &str) -> String {
    let signatures: Vec<_> = secrets.iter().map(|secret| signature(secret, id, timestamp, body)).collect();
    signatures.join(" ")
}

fn signature(secret: &SigningSecret, id: &str, timestamp: i64, body: &str) -> String {
    let text = secret.expose();
    // Ours are all readable. One that is not signs with its own text, which no receiver takes for genuine.
    let key = STANDARD
        .decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
        .unwrap_or_else(|_| text.as_bytes().to_vec());
    // HMAC takes keys of every length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// A secret made of unguessable bytes.
pub fn new_secret(entropy: [u8; 32]) -> SigningSecret {
    SigningSecret(format!("{SECRET_PREFIX}{}", STANDARD.encode(entropy)))
}

#[cfg(test)]
mod tests;
