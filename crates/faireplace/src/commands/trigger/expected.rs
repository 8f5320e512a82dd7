//! The credits that a scenario should leave. There is no second formula: the events are read as the service
//! reads them, and `ledger` computes what they are worth.

#[cfg(test)]
mod tests;

use emulator::scenario::Sale;
use engine::{DeploymentScope, MetadataKeys, read};
use ledger::{Knowledge, Policy, Rounding, entitlement, judge};
use store::{Mode, Reading};
use stripe::write::WrittenEvent;

/// The spendable credits that the payment leaves after all of `events`, if the deployment accepts the sale.
/// Its catalogue is not consulted; its metadata keys and its rounding of refunds are.
pub(super) fn spendable(
    events: &[WrittenEvent],
    sale: &Sale,
    keys: &MetadataKeys,
    refund_rounding: Rounding,
) -> i64 {
    let mode = if sale.livemode { Mode::Live } else { Mode::Test };
    let scope = DeploymentScope { mode, account: None, metadata: keys.clone() };
    let policy = Policy { refund_rounding, ..Policy::default() };
    let mut known = Knowledge::default();
    for event in events {
        if let Reading::Fact(fact) = read(event.body.as_bytes(), &scope) {
            known.join(fact.knowledge.clone());
            judge::judge(&mut known, &fact, &policy, |_| true);
        }
    }
    let due = entitlement(&known);
    due.granted.0 - due.revoked.0 - due.frozen.0
}
