//! The `Stripe-Signature` header, both ways: `t=<unix seconds>,v1=<64 hex digits>[,v1=…]`.
//!
//! A signature is HMAC-SHA256 over `t`, a full stop, and the body's raw bytes, with the whole secret text
//! as key (docs.stripe.com/webhooks#verify-manually). Where the official SDKs disagree with each other this
//! verifier takes a side; every such case is a row of `tests/vectors`. Not here: the clock, the header map,
//! any reading of the body.

use crate::secret::Secret;
use hmac::Mac;
use std::fmt::{self, Write};
use subtle::{Choice, ConstantTimeEq};

/// How far `t` may be from now, in seconds, in either direction: Stripe's default.
pub const TOLERANCE_SECONDS: i64 = 300;

/// The longest header that is read, in bytes. Stripe's own is about 150.
const LONGEST_HEADER: usize = 4096;
/// How many `v1` parts are compared; Stripe sends one for each secret that is valid at the time.
const MOST_V1: usize = 16;
/// How many digits `t` may have: enough for the year 33658.
const LONGEST_T: usize = 12;

/// What a good signature proves: which secret signed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The moment of this delivery attempt, in Unix seconds.
    pub timestamp: i64,
    /// Which of the secrets handed in signed it, the first if several did.
    pub secret_index: usize,
}

/// Checks that Stripe signed this body just now: the signature first, then its age.
///
/// `header` is the value of `Stripe-Signature` as received; any of its `v1` may match any of `secrets`. Every
/// pair is compared, in constant time. Without secrets nothing is ever accepted.
///
/// # Errors
/// The first fault in the order of [`SignatureFault`]. Answer every one of them alike.
pub fn verify(
    body: &[u8],
    header: Option<&[u8]>,
    secrets: &[Secret],
    now_seconds: i64,
    tolerance_seconds: i64,
) -> Result<Verified, SignatureFault> {
    let header = Header::parse(header.unwrap_or_default())?;
    let secret_index = header.signed_by(body, secrets).ok_or(SignatureFault::Mismatch)?;
    let timestamp = header.timestamp;
    if now_seconds.saturating_sub(timestamp) > tolerance_seconds {
        return Err(SignatureFault::Stale);
    }
    if timestamp.saturating_sub(now_seconds) > tolerance_seconds {
        return Err(SignatureFault::Future);
    }
    Ok(Verified { timestamp, secret_index })
}

/// The header that Stripe would send with this body at this moment: `t=…`, then one `v1=…` for each secret.
pub fn sign(body: &[u8], timestamp_seconds: i64, secrets: &[Secret]) -> String {
    let t = timestamp_seconds.to_string();
    let mut header = format!("t={t}");
    for secret in secrets {
        header.push_str(",v1=");
        for byte in signature(body, t.as_bytes(), secret) {
            // Writing to a String cannot fail.
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}

/// Why a delivery is not Stripe's, in the order in which faults are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureFault {
    /// No header, or an empty one.
    Missing,
    /// Longer than 4096 bytes, or without exactly one `t` of 1 to 12 digits.
    Malformed,
    /// No part that begins with `v1=`.
    NoV1,
    /// No `v1` fits the body under any secret.
    Mismatch,
    /// Signed longer ago than the tolerance.
    Stale,
    /// Signed further ahead than the tolerance.
    Future,
}

impl SignatureFault {
    /// A stable word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            SignatureFault::Missing => "missing",
            SignatureFault::Malformed => "malformed",
            SignatureFault::NoV1 => "no_v1",
            SignatureFault::Mismatch => "mismatch",
            SignatureFault::Stale => "stale",
            SignatureFault::Future => "future",
        }
    }
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            SignatureFault::Missing => {
                "no Stripe-Signature header: check who sent this, and that no proxy removes it"
            }
            SignatureFault::Malformed => {
                "unreadable Stripe-Signature header: check that no proxy rewrites it (expected t=…,v1=…)"
            }
            SignatureFault::NoV1 => {
                "no v1 in the Stripe-Signature header: check who sent this, Stripe always signs with v1"
            }
            SignatureFault::Mismatch => {
                "no signature fits the body: check that the secret is this endpoint's (each endpoint, each \
                 mode and `stripe listen` have their own), and that nothing changes the body on its way here"
            }
            SignatureFault::Stale => {
                "the signature is too old: check this machine's clock, and whether old requests are repeated"
            }
            SignatureFault::Future => "the signature is from the future: check this machine's clock",
        })
    }
}

impl std::error::Error for SignatureFault {}

/// What is read of a header: its one `t`, as text and as number, and its well-formed `v1` values.
struct Header<'a> {
    t: &'a [u8],
    timestamp: i64,
    v1: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    fn parse(header: &'a [u8]) -> Result<Header<'a>, SignatureFault> {
        if header.trim_ascii().is_empty() {
            return Err(SignatureFault::Missing);
        }
        if header.len() > LONGEST_HEADER {
            return Err(SignatureFault::Malformed);
        }
        let mut only_t = None;
        let mut candidates = Vec::new();
        // Proxies join repeated headers and put blanks after commas; unknown keys and broken parts mean
        // nothing.
        for part in header.split(|byte| *byte == b',').map(trim_blanks) {
            if let Some(t) = part.strip_prefix(b"t=") {
                if only_t.is_some_and(|other| other != t) {
                    return Err(SignatureFault::Malformed);
                }
                only_t = Some(t);
            } else if let Some(v1) = part.strip_prefix(b"v1=") {
                candidates.push(v1);
            }
        }
        let t = only_t.ok_or(SignatureFault::Malformed)?;
        let timestamp = decimal(t).ok_or(SignatureFault::Malformed)?;
        if candidates.is_empty() {
            return Err(SignatureFault::NoV1);
        }
        let v1 = candidates.into_iter().take(MOST_V1).filter_map(hex32).collect();
        Ok(Header { t, timestamp, v1 })
    }

    /// Which secret made one of the signatures. The time taken does not depend on which, nor on how nearly.
    fn signed_by(&self, body: &[u8], secrets: &[Secret]) -> Option<usize> {
        let matches: Vec<Choice> = secrets
            .iter()
            .map(|secret| {
                let expected = signature(body, self.t, secret);
                self.v1.iter().fold(Choice::from(0), |found, v1| found | v1.ct_eq(&expected))
            })
            .collect();
        matches.into_iter().position(bool::from)
    }
}

/// The signature proper. `t` is hashed as it was received, leading zeros included.
fn signature(body: &[u8], t: &[u8], secret: &Secret) -> [u8; 32] {
    let mut hmac = secret.hmac();
    hmac.update(t);
    hmac.update(b".");
    hmac.update(body);
    hmac.finalize().into_bytes().into()
}

fn trim_blanks(mut part: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = part {
        part = rest;
    }
    part
}

/// 1 to 12 ASCII digits. No sign, blank, point or exponent: the SDKs differ on each of those.
fn decimal(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > LONGEST_T {
        return None;
    }
    text.iter().try_fold(0, |number: i64, byte| match byte {
        b'0'..=b'9' => Some(number * 10 + i64::from(byte - b'0')),
        _ => None,
    })
}

/// 64 lower-case hexadecimal digits, the only form that Stripe sends.
fn hex32(text: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
