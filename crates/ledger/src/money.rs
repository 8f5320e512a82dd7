//! Credits and minor units, as integers (design section 3). Nothing here divides by 100, because some
//! currencies have no decimals or three. Nothing here is a float, because floats give wrong results even for
//! FairePlace's own price list.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $add:path, $sub:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// `self − other`, or zero if that would be negative.
            #[must_use]
            pub fn less(self, other: Self) -> Self {
                Self($sub(self.0, other.0).max(0))
            }

            /// Whether this is zero. Stored knowledge leaves such figures out.
            pub fn is_zero(&self) -> bool {
                self.0 == 0
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self($add(self.0, other.0))
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self($sub(self.0, other.0))
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

amount! {
    /// Whole credits. One credit is one lease signature. A sum that overflows is a bug, and panics.
    Credits, Add::add, Sub::sub
}
amount! {
    /// An amount of money in the currency's minor unit, as Stripe writes it. Sums saturate, because they are
    /// only ever compared with what was paid.
    Minor, i64::saturating_add, i64::saturating_sub
}

/// The most credits that one payment can grant. A larger number is refused as a mistake.
pub const MAX_CREDITS_PER_PAYMENT: i64 = 1_000_000_000;

impl Credits {
    /// Whether one payment can grant this many: 1 to [`MAX_CREDITS_PER_PAYMENT`].
    pub fn is_valid_purchase(self) -> bool {
        (1..=MAX_CREDITS_PER_PAYMENT).contains(&self.0)
    }
}

/// How a fraction of a credit is rounded when part of a payment goes back. Floor by default: a merchant who
/// wants a credit back refunds its whole price, whereas with a ceiling a goodwill refund of one cent would
/// cost the customer a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Revoke only credits whose price was refunded in full.
    #[default]
    Floor,
    /// Revoke every credit of whose price any part was refunded.
    Ceil,
}

/// `credits × part / whole`, rounded once, in 128-bit integers; all of `credits` if `part ≥ whole`, and zero
/// if nothing was due (`whole` = 0).
pub fn prorate(credits: Credits, part: Minor, whole: Minor, rounding: Rounding) -> Credits {
    if whole.0 <= 0 || part.0 <= 0 || credits.0 <= 0 {
        return Credits::ZERO;
    }
    if part >= whole {
        return credits;
    }
    let product = i128::from(credits.0) * i128::from(part.0);
    let whole = i128::from(whole.0);
    let share = match rounding {
        Rounding::Floor => product / whole,
        Rounding::Ceil => (product + whole - 1) / whole,
    };
    // part < whole, so the share is below `credits` and fits.
    Credits(i64::try_from(share).unwrap_or(credits.0))
}

#[cfg(test)]
mod tests;
