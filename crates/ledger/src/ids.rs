//! Ids and timestamps, one type each, so that the compiler rejects one in place of another. Stripe's ids are
//! opaque: their syntax may change (docs.stripe.com/upgrades).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A tenant, the owner of credits. A UUID, as in FairePlace's guide; anything else is quarantined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub Uuid);

impl TenantId {
    /// Parses the hyphenated form of a UUID, in either case. Other forms are refused, so that one tenant is
    /// not written in several ways.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A hold. The API returns this id when the hold is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HoldId(pub Uuid);

impl HoldId {
    /// Parses `hold_` and 32 lower-case hex digits; no other form is valid.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text.strip_prefix("hold_")?).ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hold_{}", self.0.simple())
    }
}

impl From<HoldId> for String {
    fn from(id: HoldId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for HoldId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a hold id is `hold_` and 32 lower-case hex digits")
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A Stripe event (`evt_…`), or the id that we assigned to a body whose event id could not be read.
    EventId
}
text_id! {
    /// A Stripe object: session, payment intent, charge, refund, dispute or early fraud warning.
    ObjectId
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id! {
    /// A payment in the store. The API uses any of its Stripe ids instead.
    PaymentId
}
number_id! {
    /// A lot in the store: the credits that one payment, or one operator's grant, gave to one tenant.
    LotId
}
number_id! {
    /// A point in time: microseconds since 1970-01-01 UTC, by our clock.
    Timestamp
}

/// A Stripe event and its time. Ordered by time, then id: of two contradicting claims the one with the
/// smaller reference counts, regardless of which arrived first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventRef {
    /// Seconds since 1970-01-01 UTC, from the event's `created`.
    pub created: i64,
    /// The event.
    pub id: EventId,
}

impl Timestamp {
    /// The time `seconds` after 1970-01-01 UTC.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The duration until `later`; zero if that is not later.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_micros(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or_default())
    }

    /// This time plus `seconds`.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}
