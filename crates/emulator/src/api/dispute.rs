//! Disputes (docs.stripe.com/api/disputes): listing, submitting evidence, closing.
//!
//! Not here: the effect of the evidence (`act::dispute`).

use std::collections::BTreeMap;

use serde_json::Value;
use stripe::write::Dispute;

use super::call::Call;
use crate::act::dispute;
use crate::wire::StripeError;

const NOUN: &str = "dispute";

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

/// Submits the evidence at once unless `submit=false`, as Stripe does.
pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let evidence = params.nested("evidence", |evidence| {
        evidence.refuse(&["enhanced_evidence"])?;
        let texts: BTreeMap<String, String> = evidence.all_texts()?.into_iter().collect();
        match texts.keys().find(|name| !stripe::write::EVIDENCE.contains(&name.as_str())) {
            Some(name) => Err(StripeError::unknown_parameter(&evidence.name(name))),
            None => Ok(texts),
        }
    })?;
    let submit = params.boolean("submit")?.unwrap_or(evidence.is_some());
    let change = params.metadata()?;
    params.finish()?;
    let mut metadata = call.named(&call.world.disputes, NOUN)?.metadata.clone();
    change.apply(&mut metadata)?;
    let evidence = evidence.unwrap_or_default();
    if !dispute::answer(call.world, &call.id, evidence, |now| *now = metadata, submit) {
        return Err(StripeError::invalid("This dispute is already closed and accepts no more evidence."));
    }
    show(call)
}

pub(super) fn close(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    call.named(&call.world.disputes, NOUN)?;
    if !dispute::close(call.world, &call.id) {
        return Err(StripeError::invalid("This dispute is already closed."));
    }
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let (charge, intent) = (params.text("charge")?, params.text("payment_intent")?);
    let keep = |dispute: &Dispute| {
        charge.as_ref().is_none_or(|charge| dispute.charge == *charge)
            && (intent.is_none() || dispute.payment_intent == intent)
    };
    let (disputes, version) = (&call.world.disputes, call.version);
    let render = |dispute: &Dispute| dispute.render(version);
    Call::list(&mut call.params, (NOUN, "/v1/disputes"), disputes, |dispute| dispute.created, keep, render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.disputes, NOUN).map(|dispute| dispute.render(call.version))
}
