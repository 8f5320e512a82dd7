//! What `trigger` delivers, and in which order.

use emulator::scenario::{Sale, Scenario, event};
use engine::MetadataKeys;
use ledger::Timestamp;
use stripe::write::{ApiVersion, WrittenEvent};

use super::{Trigger, expected};
use crate::config::{Config, published};
use crate::failure::Failure;
use crate::terminal::shown;

/// Deliveries, in order.
pub(super) struct Plan {
    pub(super) deliveries: Vec<WrittenEvent>,
    /// The sale that they are about.
    pub(super) sale: Sale,
    pub(super) scenario: Option<Scenario>,
    /// The spendable credits that the payment leaves at the end of the scenario.
    pub(super) expected: Option<i64>,
    /// The seed of the order, if it is shuffled.
    pub(super) seed: Option<u64>,
}

impl Plan {
    /// Makes the deliveries. `random` stands in for the options that were left out.
    pub(super) fn make(
        options: &Trigger,
        config: &Config,
        now: Timestamp,
        random: u64,
    ) -> Result<Self, Failure> {
        let reference = options.payment.clone().unwrap_or_else(|| format!("r{:08x}", random >> 32));
        if reference.is_empty() || !reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Failure::failed("--payment takes letters, digits and underscores, such as r1"));
        }
        let sale = sale_of(options, config, reference, now)?;
        let (events, scenario, expected) = match (&options.story, &options.event) {
            (Some(name), _) => {
                let scenario = Scenario::from_name(name).ok_or_else(|| unknown_story(name))?;
                let events = ending_at(now, scenario, &sale);
                let expected = expected::spendable(
                    &events,
                    &sale,
                    &config.scope.metadata,
                    config.policy.refund_rounding,
                );
                (events, Some(scenario), Some(expected))
            }
            (None, Some(name)) => {
                let nonce = format!("{:08x}", random & 0xffff_ffff);
                let event = event(name, &sale, &nonce, options.amount);
                (vec![event.map_err(|fault| Failure::failed(fault.to_string()))?], None, None)
            }
            (None, None) => (Vec::new(), None, None),
        };
        let copies = |event: &WrittenEvent| vec![event.clone(); options.times as usize];
        let mut deliveries: Vec<_> = events.iter().flat_map(copies).collect();
        let seed = options.shuffle.then(|| options.seed.unwrap_or(random));
        if let Some(seed) = seed {
            shuffle(&mut deliveries, seed);
        }
        Ok(Self { deliveries, sale, scenario, expected, seed })
    }
}

/// The package that the options name, bought by their tenant.
fn sale_of(options: &Trigger, config: &Config, reference: String, now: Timestamp) -> Result<Sale, Failure> {
    let name = options.package.as_str();
    let listed = if config.packages.is_empty() { published() } else { config.packages.clone() };
    let Some(package) = listed.iter().find(|package| package.name == name) else {
        let names: Vec<_> = listed.iter().map(|package| package.name.as_str()).collect();
        let text = format!("there is no package `{}`; there are {}", shown(name), names.join(", "));
        return Err(Failure::failed(text));
    };
    let MetadataKeys { tenant, package: package_key, credits } = &config.scope.metadata;
    let terms = [
        (tenant, options.tenant.to_string()),
        (package_key, package.name.clone()),
        (credits, package.credits.0.to_string()),
    ];
    Ok(Sale {
        reference,
        metadata: terms.into_iter().map(|(key, value)| (key.clone(), value)).collect(),
        description: package.name.replace('_', " "),
        amount: package.price.0,
        currency: package.currency.clone(),
        created: now.seconds(),
        livemode: options.live,
        api_version: ApiVersion::default(),
    })
}

/// The scenario's events, the last of them created now: some scenarios take days, and no event may come from
/// the future.
fn ending_at(now: Timestamp, scenario: Scenario, sale: &Sale) -> Vec<WrittenEvent> {
    let last = scenario.events(sale).iter().map(|event| event.created).max().unwrap_or(sale.created);
    let created = sale.created - (last - now.seconds()).max(0);
    scenario.events(&Sale { created, ..sale.clone() })
}

fn unknown_story(name: &str) -> Failure {
    let names: Vec<_> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
    Failure::failed(format!("there is no story `{}`; there are {}", shown(name), names.join(", ")))
}

/// Fisher-Yates, driven by SplitMix64: the same seed gives the same order on every machine.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The bias of the remainder does not matter for so few items.
        items.swap(last, usize::try_from(mixed % (last as u64 + 1)).unwrap_or(last));
    }
}
