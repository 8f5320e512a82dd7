//! The events of a run: copies of a realistic `checkout.session.completed`, each with its own ids and freshly
//! signed.
//!
//! There are no other types and no duplicates: a purchase by one of 1,000 tenants is the most expensive
//! event.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use stripe::{Secret, SecretFault, signature};

const TEMPLATE: &str = include_str!("checkout_session_completed.json");
const SECRET: &str = "whsec_5JqXo2v8Zt1RkLw9Yb3Nf7Hd4Gc6Ms0P";
const TENANTS: u64 = 1000;

/// Generates deliveries with unique ids.
pub(crate) struct Deliveries {
    template: Vec<u8>,
    ids: Vec<Range<usize>>,
    tenants: Vec<Range<usize>>,
    secret: [Secret; 1],
    made: AtomicU64,
}

/// The content of one POST.
pub(crate) struct Delivery {
    /// The bytes that are signed.
    pub(crate) body: Bytes,
    /// The value of `Stripe-Signature`.
    pub(crate) signature: String,
}

impl Deliveries {
    /// Events with the current time as their creation time.
    pub(crate) fn new() -> Result<Self, SecretFault> {
        let template = TEMPLATE.replace("1111111111", &format!("{:010}", unix_seconds()));
        Ok(Self {
            ids: placeholders(&template, "##########"),
            tenants: placeholders(&template, "@@@@"),
            template: template.into_bytes(),
            secret: [Secret::parse(SECRET)?],
            made: AtomicU64::new(0),
        })
    }

    /// The signing secret that every target is configured with.
    pub(crate) fn secret(&self) -> &str {
        self.secret[0].expose()
    }

    /// Length of every body in bytes.
    pub(crate) fn body_len(&self) -> usize {
        self.template.len()
    }

    /// The next event, signed with the current time.
    pub(crate) fn next(&self) -> Delivery {
        let number = self.made.fetch_add(1, Relaxed);
        let mut body = self.template.clone();
        for range in &self.ids {
            write_digits(&mut body[range.clone()], number);
        }
        for range in &self.tenants {
            write_digits(&mut body[range.clone()], number % TENANTS);
        }
        let signature = signature::sign(&body, unix_seconds(), &self.secret);
        Delivery { body: body.into(), signature }
    }
}

fn placeholders(template: &str, mark: &str) -> Vec<Range<usize>> {
    template.match_indices(mark).map(|(at, _)| at..at + mark.len()).collect()
}

/// Fills the placeholder with the last digits of the number.
fn write_digits(placeholder: &mut [u8], mut number: u64) {
    for digit in placeholder.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

/// The machine's clock.
pub(crate) fn unix_seconds() -> i64 {
    unix_millis().div_euclid(1_000)
}

/// The machine's clock, in milliseconds.
#[expect(clippy::disallowed_methods, reason = "signatures contain the current time")]
pub(crate) fn unix_millis() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
