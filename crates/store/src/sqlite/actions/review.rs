//! Decisions about quarantine items, singly or in bulk. A decision about a payment is one more fact, and the
//! ledger posts the difference; an event is applied again, or left as it is.

use std::collections::BTreeMap;

use ledger::knowledge::{Grant, Knowledge, ReviewedFacts, Ruling, Verdict};
use ledger::{Credits, EventId, Now, PaymentId, Policy, Rounding, TenantId, rule};
use rusqlite::{Connection, OptionalExtension};

use super::consequences::Tally;
use super::plan::{ActionPlan, Attribution, DecidedReview, Work};
use crate::error::StoreError;
use crate::model::{
    ActionRefusal, ActionRequest, ActionResult, GrantTerms, Items, MAX_BULK_ITEMS, PageRequest,
};
use crate::sqlite::write_set::WriteSet;
use crate::sqlite::{book, decisions, ingest, quarantine};

impl DecidedReview {
    /// Writes the decision and returns the first transaction that it posts.
    pub(super) fn write(
        mut self,
        c: &Connection,
        policy: &Policy,
        now: Now,
    ) -> Result<Option<i64>, StoreError> {
        let (by, note) = &self.attribution;
        for event in &self.events {
            quarantine::close_event_item(c, event, self.resolution, by, note, now.at)?;
        }
        if self.resolution == RESOLVED {
            ingest::replay(c, &self.events, now.at)?;
        }
        let mut first = None;
        for (payment, decision) in &self.rulings {
            quarantine::close_payment_item(c, *payment, self.resolution, by, note, now.at)?;
            decisions::write(c, &mut self.write_set, decision, policy, now)?;
            let posted = decision.changes.transactions.iter().map(|entry| entry.seq).min();
            first = first.or(posted);
        }
        self.write_set.finish(c)?;
        Ok(first)
    }
}

const RESOLVED: &str = "resolved";
const DISMISSED: &str = "dismissed";

/// An open item.
struct OpenItem {
    id: i64,
    event: Option<EventId>,
    payment: Option<PaymentId>,
}

/// Decides a request about quarantine items.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    attribution: &Attribution,
    policy: &Policy,
    now: Now,
) -> Result<Result<(ActionRequest, ActionPlan), ActionRefusal>, StoreError> {
    let (items, terms) = match request {
        ActionRequest::QuarantineResolve { items, terms } => (items, Some(terms)),
        ActionRequest::QuarantineDismiss { items } => (items, None),
        _ => return Err(StoreError::Refused("the request is about no quarantine item".to_owned())),
    };
    let open = match load_open_items(c, items)? {
        Ok(open) => open,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let ([OpenItem { event: Some(_), .. }], Some(terms)) = (open.as_slice(), terms)
        && *terms != GrantTerms::default()
    {
        return Ok(Err(ActionRefusal::ItemIsEvent));
    }
    let rulings = match rulings(c, &open, terms, attribution, now)? {
        Ok(rulings) => rulings,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (plan, granted) = match decide(c, &open, rulings, terms.is_some(), attribution, policy, now)? {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok((with_figures(request, items, &open, &granted), plan)))
}

/// The request with every figure: the numbers of the items, and the terms of a single one.
fn with_figures(
    request: &ActionRequest,
    items: &Items,
    open: &[OpenItem],
    granted: &GrantTerms,
) -> ActionRequest {
    let items = match items {
        Items::One(id) => Items::One(*id),
        Items::Matching { .. } | Items::Listed(_) => Items::Listed(open.iter().map(|item| item.id).collect()),
    };
    match request {
        ActionRequest::QuarantineResolve { .. } => {
            let one = matches!(items, Items::One(_));
            let terms = if one { granted.clone() } else { GrantTerms::default() };
            ActionRequest::QuarantineResolve { items, terms }
        }
        _ => ActionRequest::QuarantineDismiss { items },
    }
}

/// The selected items. All of them must be open.
fn load_open_items(
    c: &Connection,
    items: &Items,
) -> Result<Result<Vec<OpenItem>, ActionRefusal>, StoreError> {
    let ids = match items {
        Items::One(id) => vec![*id],
        Items::Listed(ids) => ids.clone(),
        Items::Matching { filter, expected } => {
            let filter = crate::model::QuarantineFilter { all: false, ..filter.clone() };
            let size = u32::try_from(MAX_BULK_ITEMS).unwrap_or(u32::MAX);
            let found = quarantine::list(c, &filter, PageRequest { number: 1, size, ascending: true })?;
            match expected {
                Some(expected) if *expected != found.total => {
                    let (expected, found) = (*expected, found.total);
                    return Ok(Err(ActionRefusal::CountDiffers { expected, found }));
                }
                Some(_) | None if found.total > i64::from(size) => {
                    return Ok(Err(ActionRefusal::TooManyItems(found.total)));
                }
                Some(_) | None => found.rows.iter().map(|row| row.id).collect(),
            }
        }
    };
    let mut open = Vec::with_capacity(ids.len());
    for id in ids {
        let found: Option<(Option<String>, Option<i64>, Option<String>)> = c
            .prepare_cached("SELECT event, payment, resolution FROM quarantine WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match found {
            None => return Ok(Err(ActionRefusal::NoSuchItem)),
            Some((_, _, Some(resolution))) => return Ok(Err(ActionRefusal::ItemClosed(resolution))),
            Some((event, payment, None)) => {
                open.push(OpenItem { id, event: event.map(EventId::from), payment: payment.map(PaymentId) });
            }
        }
    }
    Ok(Ok(open))
}

/// The rulings about the payments among the items.
fn rulings(
    c: &Connection,
    open: &[OpenItem],
    terms: Option<&GrantTerms>,
    attribution: &Attribution,
    now: Now,
) -> Result<Result<Vec<(PaymentId, Ruling)>, ActionRefusal>, StoreError> {
    let (mut rulings, mut not_grantable) = (Vec::new(), Vec::new());
    for (item, payment) in open.iter().filter_map(|item| Some((item, item.payment?))) {
        let verdict = match terms {
            None => Some(Verdict::Dismiss),
            Some(terms) => grant(&book::knowledge(c, payment)?, terms),
        };
        let (by, reason) = (attribution.by.clone(), attribution.reason.clone());
        match verdict {
            Some(verdict) => rulings.push((
                payment,
                Ruling { at: now.at, by, reason, verdict, answered: ReviewedFacts::default() },
            )),
            None => not_grantable.push(item.id),
        }
    }
    Ok(if not_grantable.is_empty() { Ok(rulings) } else { Err(ActionRefusal::NotGrantable(not_grantable)) })
}

/// The terms of the grant: those that the operator set, and otherwise those of the claim, whatever was
/// decided before.
fn grant(known: &Knowledge, terms: &GrantTerms) -> Option<Verdict> {
    let claim = known.claim();
    Some(Verdict::Grant(Grant {
        tenant: terms.tenant.or_else(|| claim?.tenant()).or_else(|| known.tenant())?,
        credits: terms.credits.or_else(|| claim?.credits()).or_else(|| known.credits())?,
        amount: terms.amount,
        currency: terms.currency.clone(),
        payment_intent: terms.payment_intent.clone(),
        refunds_by_hand: terms.refunds_by_hand,
        // The ledger fills in the policy's rounding.
        rounding: Rounding::default(),
    }))
}

/// Decides the payments one after another on one book, and sums the effects.
fn decide(
    c: &Connection,
    open: &[OpenItem],
    rulings: Vec<(PaymentId, Ruling)>,
    resolves: bool,
    attribution: &Attribution,
    policy: &Policy,
    now: Now,
) -> Result<Result<(ActionPlan, GrantTerms), ActionRefusal>, StoreError> {
    let loaded = book::load_for_rulings(c, &rulings, now)?;
    let mut scratch = loaded.clone();
    let (mut tally, mut decided, mut terms) = (Tally::default(), Vec::new(), GrantTerms::default());
    for (payment, ruling) in rulings {
        if let Verdict::Grant(grant) = &ruling.verdict {
            terms = terms_of(grant);
        }
        let decision = match rule(&scratch, payment, ruling, policy, now) {
            Ok(decision) => decision,
            Err(refused) if open.len() == 1 => return Ok(Err(ActionRefusal::Ruling(refused))),
            Err(_) => {
                let id = open.iter().find(|item| item.payment == Some(payment)).map(|item| item.id);
                return Ok(Err(ActionRefusal::NotGrantable(id.into_iter().collect())));
            }
        };
        tally.add(&scratch, payment, &decision.changes.transactions);
        scratch.apply(&decision.changes);
        decided.push((payment, decision));
    }
    let single = open.len() == 1;
    let (consequences, credits) = tally.finish(&scratch, open.len() as i64, single);
    let one = decided.first().filter(|_| single);
    let key = one.map(|(payment, _)| loaded.payments[payment].knowledge.key().map(ToString::to_string));
    let result = ActionResult {
        consequences,
        payment: key.flatten(),
        outcome: one.map(|(_, decision)| decision.outcome),
        ..ActionResult::default()
    };
    let work = DecidedReview {
        resolution: if resolves { RESOLVED } else { DISMISSED },
        attribution: (attribution.by.clone(), attribution.reason.clone()),
        events: open.iter().filter_map(|item| item.event.clone()).collect(),
        write_set: WriteSet::new(loaded, now.at),
        rulings: decided,
    };
    let tenant = only_tenant(&credits);
    let work = Work::Review(Box::new(work));
    Ok(Ok((ActionPlan { result, credits, tenant, second_person: false, work }, terms)))
}

/// The terms of a grant, with every figure.
fn terms_of(grant: &Grant) -> GrantTerms {
    GrantTerms {
        tenant: Some(grant.tenant),
        credits: Some(grant.credits),
        amount: grant.amount,
        currency: grant.currency.clone(),
        payment_intent: grant.payment_intent.clone(),
        refunds_by_hand: grant.refunds_by_hand,
    }
}

/// The tenant whose credits move, if there is exactly one.
fn only_tenant(credits: &BTreeMap<TenantId, Credits>) -> Option<TenantId> {
    let mut tenants = credits.keys();
    tenants.next().copied().filter(|_| tenants.next().is_none())
}
