//! The events of a run: one realistic `checkout.session.completed`, each with ids of its own and freshly
//! signed.
//!
//! What is deliberately not here: other types of event, and duplicates. Every event buys credits for one of
//! 1,000 tenants, which is the most that one event can ask of its receiver.

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

/// Makes deliveries, no two alike.
pub(crate) struct Deliveries {
    template: Vec<u8>,
    ids: Vec<Range<usize>>,
    tenants: Vec<Range<usize>>,
    secret: [Secret; 1],
    made: AtomicU64,
}

/// What one POST carries.
pub(crate) struct Delivery {
    /// The bytes that are signed.
    pub(crate) body: Bytes,
    /// The value of `Stripe-Signature`.
    pub(crate) signature: String,
}

impl Deliveries {
    /// Events created now.
    pub(crate) fn new() -> Result<Self, SecretFault> {
        let template = TEMPLATE.replace("1111111111", &format!("{:010}", unix_seconds()));
        Ok(Self {
            ids: holes(&template, "##########"),
            tenants: holes(&template, "@@@@"),
            template: template.into_bytes(),
            secret: [Secret::parse(SECRET)?],
            made: AtomicU64::new(0),
        })
    }

    /// The secret that every target is told.
    pub(crate) fn secret(&self) -> &str {
        self.secret[0].expose()
    }

    /// Bytes of every body.
    pub(crate) fn body_len(&self) -> usize {
        self.template.len()
    }

    /// The next event, signed now.
    pub(crate) fn next(&self) -> Delivery {
        let number = self.made.fetch_add(1, Relaxed);
        let mut body = self.template.clone();
        for hole in &self.ids {
            write_digits(&mut body[hole.clone()], number);
        }
        for hole in &self.tenants {
            write_digits(&mut body[hole.clone()], number % TENANTS);
        }
        let signature = signature::sign(&body, unix_seconds(), &self.secret);
        Delivery { body: body.into(), signature }
    }
}

fn holes(template: &str, mark: &str) -> Vec<Range<usize>> {
    template.match_indices(mark).map(|(at, _)| at..at + mark.len()).collect()
}

/// Fills the hole with the number's last digits.
fn write_digits(hole: &mut [u8], mut number: u64) {
    for digit in hole.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

/// The machine's clock.
pub(crate) fn unix_seconds() -> i64 {
    unix_millis().div_euclid(1_000)
}

/// The machine's clock, in milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature carries the time; a measurement has only the real one"
)]
pub(crate) fn unix_millis() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
