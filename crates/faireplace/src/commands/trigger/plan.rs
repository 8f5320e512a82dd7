//! What `trigger` is going to deliver, and in which order.

use ledger::Timestamp;
use stripe::story::Story;
use stripe::write::{ApiVersion, Purchase, WrittenEvent, event};

use super::Trigger;
use crate::config::{Config, published};
use crate::failure::Failure;
use crate::terminal::shown;

/// Deliveries, in order.
pub(super) struct Plan {
    pub(super) deliveries: Vec<WrittenEvent>,
    /// What they are about.
    pub(super) purchase: Purchase,
    /// The story that they tell, if it is one.
    pub(super) story: Option<Story>,
    /// How many spendable credits the payment is worth at the end of a story.
    pub(super) expected: Option<i64>,
    /// Of the order, where it is shuffled.
    pub(super) seed: Option<u64>,
}

impl Plan {
    /// Works out what to deliver. `random` names what nobody named.
    pub(super) fn make(
        asked: &Trigger,
        config: &Config,
        now: Timestamp,
        random: u64,
    ) -> Result<Self, Failure> {
        let reference = asked.payment.clone().unwrap_or_else(|| format!("r{:08x}", random >> 32));
        if reference.is_empty() || !reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Failure::failed("--payment takes letters, digits and underscores, such as r1"));
        }
        let purchase = purchase(asked, config, reference, now)?;
        let (events, story, expected) = match (&asked.story, &asked.event) {
            (Some(name), _) => {
                let story = Story::from_name(name).ok_or_else(|| unknown_story(name))?;
                let told = told(story, &purchase, now);
                (told, Some(story), Some(i64::from(story.expected_credits(&purchase))))
            }
            (None, Some(name)) => {
                let nonce = format!("{:08x}", random & 0xffff_ffff);
                let written = event(name, &purchase, &nonce, asked.amount);
                (vec![written.map_err(|error| Failure::failed(error.to_string()))?], None, None)
            }
            (None, None) => (Vec::new(), None, None),
        };
        let copies = |event: &WrittenEvent| vec![event.clone(); asked.times as usize];
        let mut deliveries: Vec<_> = events.iter().flat_map(copies).collect();
        let seed = asked.shuffle.then(|| asked.seed.unwrap_or(random));
        if let Some(seed) = seed {
            shuffle(&mut deliveries, seed);
        }
        Ok(Self { deliveries, purchase, story, expected, seed })
    }

    /// The checkout session of what was written.
    pub(super) fn session(&self) -> String {
        let kind = if self.purchase.livemode { "live" } else { "test" };
        format!("cs_{kind}_{}", self.purchase.reference)
    }

    /// The payment intent of what was written.
    pub(super) fn payment_intent(&self) -> String {
        format!("pi_{}", self.purchase.reference)
    }
}

fn purchase(
    asked: &Trigger,
    config: &Config,
    reference: String,
    now: Timestamp,
) -> Result<Purchase, Failure> {
    let name = asked.package.as_str();
    let listed = if config.packages.is_empty() { published() } else { config.packages.clone() };
    let Some(package) = listed.iter().find(|package| package.name == name) else {
        let names: Vec<_> = listed.iter().map(|package| package.name.as_str()).collect();
        let text = format!("there is no package `{}`; there are {}", shown(name), names.join(", "));
        return Err(Failure::failed(text));
    };
    let credits = u32::try_from(package.credits.0).map_err(|_| Failure::failed("too many credits"))?;
    Ok(Purchase {
        reference,
        tenant_id: asked.tenant.to_string(),
        package: name.to_owned(),
        credits,
        amount_total: package.price.0,
        currency: package.currency.clone(),
        created: now.seconds(),
        livemode: asked.live,
        api_version: ApiVersion::default(),
    })
}

/// The events of a story that ends now: some take weeks, and none may come from the future.
fn told(story: Story, purchase: &Purchase, now: Timestamp) -> Vec<WrittenEvent> {
    let last = story.events(purchase).iter().map(|event| event.created).max().unwrap_or(purchase.created);
    let created = purchase.created - (last - now.seconds()).max(0);
    story.events(&Purchase { created, ..purchase.clone() })
}

fn unknown_story(name: &str) -> Failure {
    let names: Vec<_> = Story::ALL.iter().map(|story| story.name()).collect();
    Failure::failed(format!("there is no story `{}`; there are {}", shown(name), names.join(", ")))
}

/// Fisher and Yates, driven by SplitMix64: the same seed, the same order, on every machine.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The bias of a remainder over a handful of items is nothing here.
        items.swap(last, usize::try_from(mixed % (last as u64 + 1)).unwrap_or(last));
    }
}
