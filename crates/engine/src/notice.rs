//! A notice on the wire: its body, and its signature after Standard Webhooks 1.0.0 (standardwebhooks.com):
//! `v1`, HMAC-SHA256 over `id.timestamp.body`, secrets as `whsec_` and base64. Pure.
//! Not here: when it is sent (`notify`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use store::{NoticeRow, SigningSecret};

/// The prefix of every secret, by which leaked secrets are recognised.
const SECRET_PREFIX: &str = "whsec_";

/// The body of a notice: the same in every attempt, and in the live stream.
///
/// # Errors
/// In words, when the stored notice cannot be read: the file is damaged. Then nothing is sent, because an
/// empty body must not get a valid signature.
pub fn render(notice: &NoticeRow) -> Result<String, &'static str> {
    let unreadable = "this notice cannot be read where it is kept";
    let mut data: Map<String, Value> = serde_json::from_str(&notice.data).map_err(|_| unreadable)?;
    let at = jiff::Timestamp::from_microsecond(notice.at.0).map_err(|_| unreadable)?;
    data.insert("sequence".to_owned(), notice.seq.into());
    Ok(json!({ "type": notice.kind, "timestamp": at.to_string(), "data": data }).to_string())
}

/// The value of `webhook-signature`: one signature for each secret, so that a receiver that knows any of them
/// can verify it. `timestamp` is the attempt's, in Unix seconds.
///
/// # Errors
/// In words, when a secret is not one that we made.
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &str) -> Result<String, &'static str> {
    let signatures = secrets.iter().map(|secret| signature(secret, id, timestamp, body));
    Ok(signatures.collect::<Result<Vec<_>, _>>()?.join(" "))
}

fn signature(secret: &SigningSecret, id: &str, timestamp: i64, body: &str) -> Result<String, &'static str> {
    let text = secret.expose();
    let key = STANDARD
        .decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
        .map_err(|_| "the secret of this endpoint cannot be read: rotate it")?;
    // HMAC takes keys of every length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// A secret made of random bytes.
pub fn new_secret(entropy: [u8; 32]) -> SigningSecret {
    SigningSecret(format!("{SECRET_PREFIX}{}", STANDARD.encode(entropy)))
}

#[cfg(test)]
mod tests;
