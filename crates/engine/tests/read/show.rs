//! Writes a reading as one line: `pi_1 cs_1; paid; session terms …`. Missing values are left out.

use ledger::claim::ClaimSource;
use ledger::knowledge::{ChargeFacts, DisputeFacts, RefundFacts};
use ledger::{ClaimedTerms, Fact};
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
        Reading::Partial { fact, detail } => {
            assert!(detail.contains("The rest was applied"), "{detail:?} does not say what it means");
            let code = detail.split(['(', ')']).nth(1).unwrap_or_default();
            format!("{}; partial {code}", show_fact(fact))
        }
    }
}

fn show_fact(fact: &Fact) -> String {
    let known = &fact.knowledge;
    let invoices = known.invoices.iter().chain(&known.subscriptions);
    let ids = known.payment_intents.iter().chain(&known.sessions).chain(&known.warnings).chain(invoices);
    let mut parts = vec![ids.map(ToString::to_string).collect::<Vec<_>>().join(" ")];
    for (name, flag) in [
        ("paid", known.paid),
        ("completed", known.completed),
        ("expired", known.expired),
        ("async_failed", known.async_failed),
        ("invoice paid", known.invoice_paid),
        ("status unknown", known.status_unknown),
    ] {
        parts.extend(flag.then(|| name.to_owned()));
    }
    parts.extend(known.received.iter().map(|(id, amount)| format!("{id} received {amount}")));
    parts.extend((!known.tax.is_zero()).then(|| format!("tax {}", known.tax)));
    parts.extend(known.charges.iter().map(|(id, charge)| format!("{id}{}", show_charge(charge))));
    parts.extend(known.refunds.iter().map(|(id, refund)| format!("{id} {}", show_refund(refund))));
    parts.extend(known.disputes.iter().map(|(id, dispute)| format!("{id} {}", show_dispute(dispute))));
    parts.extend(fact.claimed.as_ref().filter(|terms| !terms.is_empty()).map(show_terms));
    parts.retain(|part| !part.is_empty());
    assert!(known.claims.is_empty() && known.ruling.is_none(), "a reading contains a decision");
    parts.join("; ")
}

fn show_charge(charge: &ChargeFacts) -> String {
    let amounts = [("captured", charge.captured), ("refunded", charge.refunded)];
    let amounts = amounts.iter().filter(|(_, amount)| !amount.is_zero());
    let mut text: String = amounts.map(|(name, amount)| format!(" {name} {}", amount.0)).collect();
    for (name, flag) in [("succeeded", charge.succeeded), ("failed", charge.failed)] {
        text.extend(flag.then(|| format!(" {name}")));
    }
    text
}

fn show_refund(refund: &RefundFacts) -> String {
    format!("{} {:?}", refund.amount.0, refund.rank).to_lowercase()
}

fn show_dispute(dispute: &DisputeFacts) -> String {
    let mut text = format!("{} {:?}", dispute.amount.0, dispute.outcome).to_lowercase();
    text.extend(dispute.withdrawn.then_some(" withdrawn"));
    if !dispute.reinstated.is_zero() {
        text.push_str(&format!(" reinstated {}", dispute.reinstated.0));
    }
    text
}

fn show_terms(terms: &ClaimedTerms) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let amount = |amount: Option<ledger::Minor>| amount.map_or_else(|| "-".to_owned(), |a| a.0.to_string());
    let source = match terms.source {
        ClaimSource::Session => "session",
        ClaimSource::PaymentIntent => "payment intent",
        ClaimSource::Charge => "charge",
        ClaimSource::Invoice => "invoice",
    };
    let mut shown = format!(
        "{source} terms {} {} {} {} {} {}",
        text(&terms.tenant),
        text(&terms.package),
        text(&terms.credits),
        text(&terms.currency),
        amount(terms.amount),
        amount(terms.subtotal),
    );
    shown.extend(terms.recurring.then_some(" recurring"));
    shown.extend(terms.unreadable.then_some(" unreadable"));
    shown
}
