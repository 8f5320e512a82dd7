//! Early fraud warnings (docs.stripe.com/disputes/prevention/early-fraud-warnings).

use stripe::write::EarlyFraudWarning;

use crate::world::World;

/// Issues an early fraud warning. No money moves. Returns its id; `None`, and nothing happens, when the
/// charge took no money.
pub fn issue(world: &mut World, charge: &str) -> Option<String> {
    let of = world.charges.get(charge).filter(|charge| charge.paid)?;
    let payment_intent = of.payment_intent.clone();
    let warning = EarlyFraudWarning {
        id: world.id("issfr"),
        created: world.now(),
        livemode: false,
        charge: charge.to_owned(),
        payment_intent,
        actionable: true,
        fraud_type: "made_with_stolen_card".to_owned(),
    };
    let id = warning.id.clone();
    world.create(warning, "radar.early_fraud_warning.created");
    Some(id)
}

/// A warning about a charge that was disputed or refunded in full is no longer actionable
/// (docs.stripe.com/api/radar/early_fraud_warnings/object).
pub(super) fn resolve(world: &mut World, charge: &str) {
    let of_charge = world.warnings.iter().filter(|warning| warning.charge == charge);
    for id in of_charge.map(|warning| warning.id.clone()).collect::<Vec<_>>() {
        world.change::<EarlyFraudWarning>(&id, "radar.early_fraud_warning.updated", |warning| {
            warning.actionable = false;
        });
    }
}
