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
///
/// # Errors
/// In words, when what is kept is no notice: the file is damaged. Then nothing is told, rather than nothing
/// under a valid signature.
pub fn render(notice: &NoticeRow) -> Result<String, &'static str> {
    let unreadable = "this notice cannot be read where it is kept";
    let mut data: Map<String, Value> = serde_json::from_str(&notice.data).map_err(|_| unreadable)?;
    let at = jiff::Timestamp::from_microsecond(notice.at.0).map_err(|_| unreadable)?;
    data.insert("sequence".to_owned(), notice.seq.into());
    Ok(json!({ "type": notice.kind, "timestamp": at.to_string(), "data": data }).to_string())
}

/// The value of `webhook-signature`: one signature for each secret, so that a receiver that knows either can
/// verify it. `timestamp` is the attempt's, in Unix seconds.
///
/// # Errors
/// In words, when a secret is none that we made.
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &str) -> Result<String, &'static str> {
    let signatures = secrets.iter().map(|secret| signature(secret, id, timestamp, body));
    Ok(signatures.collect::<Result<Vec<_>, _>>()?.join(" "))
}

fn signature(secret: &SigningSecret, id: &str, timestamp: i64, body: &str) -> Result<String, &'static str> {
    let text = secret.expose();
    let key = STANDARD
        .decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
        .map_err(|_| "the secret of this endpoint cannot be read: roll it")?;
    // HMAC takes keys of every length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// A secret made of unguessable bytes.
pub fn new_secret(entropy: [u8; 32]) -> SigningSecret {
    SigningSecret(format!("{SECRET_PREFIX}{}", STANDARD.encode(entropy)))
}

#[cfg(test)]
mod tests;
