//! Pseudo-random ids and draws from a seed. Ids follow each other; a draw depends only on the case that it is
//! for, so the order of draws does not matter.
//!
//! The results can be guessed from the seed, so this serves for test data only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Ids like Stripe's, one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IdGenerator {
    seed: u64,
    made: u64,
    /// In a scenario, whose world is never saved: the name that ids are made of.
    #[serde(skip)]
    named: Option<Named>,
}

#[derive(Clone, Debug)]
struct Named {
    name: String,
    /// How many ids there are of each prefix.
    made: BTreeMap<String, u64>,
}

/// How many characters follow the prefix, as in Stripe's ids.
const LENGTH: usize = 24;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl IdGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0, named: None }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// From now on, ids are `PREFIX_NAME`, then `PREFIX_NAME_2` and so on.
    pub(crate) fn name_after(&mut self, name: &str) {
        self.named = Some(Named { name: name.to_owned(), made: BTreeMap::new() });
    }

    /// A session's id, which is longer than others.
    pub(crate) fn next_session(&mut self) -> String {
        let id = self.next("cs_test");
        if self.named.is_some() { id } else { format!("{id}a1") }
    }

    /// `prefix`, an underscore, and 24 characters.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        if let Some(Named { name, made }) = &mut self.named {
            let number = made.entry(prefix.to_owned()).or_default();
            *number += 1;
            return if *number == 1 {
                format!("{prefix}_{name}")
            } else {
                format!("{prefix}_{name}_{number}")
            };
        }
        self.made += 1;
        format!("{prefix}_{}", text(mixed(self.seed, self.made), LENGTH))
    }
}

/// `length` letters and digits that follow from `seed`.
pub(crate) fn text(seed: u64, length: usize) -> String {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = mixed(state, 1);
            // The remainder is below 62.
            char::from(ALPHABET[usize::try_from(state % 62).unwrap_or_default()])
        })
        .collect()
}

/// Whether something that happens in `percent` of all cases happens in the case `about`. `knob` separates
/// different draws for the same case.
pub(crate) fn happens(seed: u64, about: u64, knob: u64, percent: u8) -> bool {
    below(seed, about, knob, 100) < u64::from(percent)
}

/// A number below `bound`; 0 when that is 0.
pub(crate) fn below(seed: u64, about: u64, knob: u64, bound: u64) -> u64 {
    mixed(mixed(seed, about), knob).checked_rem(bound).unwrap_or_default()
}

/// Mixes two numbers into one that looks random (SplitMix64).
fn mixed(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_add(b.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Shuffles `items` by a seed (Fisher–Yates).
pub(crate) fn shuffle<T>(items: &mut [T], seed: u64) {
    for last in (1..items.len()).rev() {
        let place = below(seed, last as u64, 0, last as u64 + 1);
        items.swap(last, usize::try_from(place).unwrap_or(last));
    }
}
