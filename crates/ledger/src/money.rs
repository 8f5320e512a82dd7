//! Credits and minor units: integers only (design section 3). Nothing here divides by 100, because
//! currencies with no and with three decimals exist, and nothing here is a float, because floats are
//! already wrong on FairePlace's own price list.

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
            /// None at all.
            pub const ZERO: Self = Self(0);

            /// `self − other`, or nothing where that would be negative.
            #[must_use]
            pub fn less(self, other: Self) -> Self {
                Self($sub(self.0, other.0).max(0))
            }

            /// Whether this is exactly nothing; lets stored knowledge leave it out.
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
    /// Whole credits. One credit is one lease signature. A sum that does not fit is a defect, and panics.
    Credits, Add::add, Sub::sub
}
amount! {
    /// An amount of money in the currency's minor unit, as Stripe writes it. A sum that does not fit is as
    /// large as can be: it is only ever compared with what was paid.
    Minor, i64::saturating_add, i64::saturating_sub
}

/// The most credits that one payment may claim; more is refused as a mistake.
pub const MAX_CREDITS_PER_PAYMENT: i64 = 1_000_000_000;

/// Which way a fraction of a credit goes when part of a payment is taken back. Floor by default: a
/// merchant who wants a credit back refunds its price, while a ceiling would turn a goodwill refund of one
/// cent into a lost signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Revoke only whole credits that were paid back in full.
    #[default]
    Floor,
    /// Revoke every credit of which any part was paid back.
    Ceil,
}

/// `credits × part / whole`, rounded once, in 128-bit integers; all of `credits` when `part ≥ whole`, and
/// none when nothing was due (`whole` = 0).
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
    // part < whole, so the share is below `credits` and fits; if that is ever wrong, no more than all goes.
    Credits(i64::try_from(share).unwrap_or(credits.0))
}

#[cfg(test)]
mod tests;
