//! What a scenario should come to, by the ledger's own rules.
//!
//! Not here: a formula. The events are read as the service reads them, and `ledger` says what they are worth.

use emulator::scenario::Sale;
use engine::{DeploymentScope, read};
use ledger::{Knowledge, Policy, entitlement, judge};
use store::{Mode, Reading};
use stripe::write::WrittenEvent;

use crate::config::Config;

/// The spendable credits that the payment leaves after all of `events`, if the deployment accepts the sale:
/// its catalogue is not asked, its rounding of refunds is.
pub(super) fn spendable(events: &[WrittenEvent], sale: &Sale, config: &Config) -> i64 {
    let mode = if sale.livemode { Mode::Live } else { Mode::Test };
    let scope = DeploymentScope { mode, account: None, metadata: config.scope.metadata.clone() };
    let policy = Policy { refund_rounding: config.policy.refund_rounding, ..Policy::default() };
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
