//! A reading in words, one line: `pi_1 cs_1; paid; offer …`. Only what is there is written.

use ledger::knowledge::{Charge, Dispute, Refund};
use ledger::{Fact, Offer};
use store::Reading;

pub(crate) fn show(reading: &Reading) -> String {
    match reading {
        Reading::Ignored => "ignored".to_owned(),
        Reading::Quarantined { reason, detail } => {
            assert!(
                detail.contains("Nothing was granted"),
                "{reason}: {detail:?} does not say what it means"
            );
            format!("quarantined {reason}")
        }
        Reading::Fact(fact) => show_fact(fact),
    }
}

fn show_fact(fact: &Fact) -> String {
    let known = &fact.knowledge;
    let ids = known.payment_intents.iter().chain(&known.sessions).chain(&known.warnings);
    let mut parts = vec![ids.map(ToString::to_string).collect::<Vec<_>>().join(" ")];
    for (name, flag) in [
        ("paid", known.paid),
        ("completed", known.completed),
        ("expired", known.expired),
        ("async_failed", known.async_failed),
    ] {
        parts.extend(flag.then(|| name.to_owned()));
    }
    parts.extend((!known.tax.is_zero()).then(|| format!("tax {}", known.tax)));
    parts.extend(known.charges.iter().map(|(id, charge)| format!("{id}{}", show_charge(charge))));
    parts.extend(known.refunds.iter().map(|(id, refund)| format!("{id} {}", show_refund(refund))));
    parts.extend(known.disputes.iter().map(|(id, dispute)| format!("{id} {}", show_dispute(dispute))));
    parts.extend(fact.offer.as_ref().map(show_offer));
    parts.retain(|part| !part.is_empty());
    assert!(known.claims.is_empty() && known.refused.is_empty() && known.ruling.is_none(), "reading judges");
    parts.join("; ")
}

fn show_charge(charge: &Charge) -> String {
    let amounts = [("captured", charge.captured), ("refunded", charge.refunded)];
    let amounts = amounts.iter().filter(|(_, amount)| !amount.is_zero());
    let mut text: String = amounts.map(|(name, amount)| format!(" {name} {}", amount.0)).collect();
    for (name, flag) in [("succeeded", charge.succeeded), ("failed", charge.failed)] {
        text.extend(flag.then(|| format!(" {name}")));
    }
    text
}

fn show_refund(refund: &Refund) -> String {
    format!("{} {:?}", refund.amount.0, refund.rank).to_lowercase()
}

fn show_dispute(dispute: &Dispute) -> String {
    let mut text = format!("{} {:?}", dispute.amount.0, dispute.outcome).to_lowercase();
    text.extend(dispute.withdrawn.then_some(" withdrawn"));
    if !dispute.reinstated.is_zero() {
        text.push_str(&format!(" reinstated {}", dispute.reinstated.0));
    }
    text
}

fn show_offer(offer: &Offer) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let amount = |amount: Option<ledger::Minor>| amount.map_or_else(|| "-".to_owned(), |a| a.0.to_string());
    let mut shown = format!(
        "offer {} {} {} {} {} {}",
        text(&offer.tenant),
        text(&offer.package),
        text(&offer.credits),
        text(&offer.currency),
        amount(offer.amount_total),
        amount(offer.amount_subtotal),
    );
    shown.extend(offer.status_unknown.then_some(" status unknown"));
    shown
}
