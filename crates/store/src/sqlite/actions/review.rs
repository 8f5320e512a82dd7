//! Quarantine items, decided one by one or many at once. About a payment, a person's word is one more fact,
//! and the ledger posts the difference; an event is read again, or left as it is.
//! Not here: what a payment is worth (`ledger`), and applying events (`settle`).

use std::collections::BTreeMap;

use ledger::knowledge::{Grant, Knowledge, ReviewedFacts, Ruling, Verdict};
use ledger::{Credits, Decision, EventId, Now, PaymentId, Policy, Rounding, TenantId, rule};
use rusqlite::{Connection, OptionalExtension};

use super::consequences::Tally;
use super::plan::{Plan, Words, Work};
use crate::error::StoreError;
use crate::model::{ActionRefusal, ActionRequest, ActionResult, GrantTerms, Items, MAX_BULK_ITEMS, Page};
use crate::sqlite::record::Record;
use crate::sqlite::{apply, book, ingest, quarantine};

/// What was decided about some items.
pub(super) struct Decided {
    resolution: &'static str,
    words: (String, String),
    events: Vec<EventId>,
    record: Record,
    rulings: Vec<(PaymentId, Decision)>,
}

impl Decided {
    /// Writes it. Answers the first transaction that it posts.
    pub(super) fn write(
        mut self,
        c: &Connection,
        policy: &Policy,
        now: Now,
    ) -> Result<Option<i64>, StoreError> {
        let (by, note) = &self.words;
        for event in &self.events {
            quarantine::answer_event(c, event, self.resolution, by, note, now.at)?;
        }
        if self.resolution == RESOLVED {
            ingest::replay(c, &self.events, now.at)?;
        }
        let mut first = None;
        for (payment, decision) in &self.rulings {
            quarantine::answer(c, *payment, self.resolution, by, note, now.at)?;
            apply::add(c, &mut self.record, decision, policy, now)?;
            let posted = decision.changes.transactions.iter().map(|entry| entry.seq).min();
            first = first.or(posted);
        }
        self.record.finish(c)?;
        Ok(first)
    }
}

const RESOLVED: &str = "resolved";
const DISMISSED: &str = "dismissed";

/// An item that is open.
struct Open {
    id: i64,
    event: Option<EventId>,
    payment: Option<PaymentId>,
}

/// Decides a request about quarantine items.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    words: &Words,
    policy: &Policy,
    now: Now,
) -> Result<Result<(ActionRequest, Plan), ActionRefusal>, StoreError> {
    let (items, named) = match request {
        ActionRequest::QuarantineResolve { items, terms } => (items, Some(terms)),
        ActionRequest::QuarantineDismiss { items } => (items, None),
        _ => return Err(StoreError::Refused("that is about no quarantine item".to_owned())),
    };
    let open = match open(c, items)? {
        Ok(open) => open,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let ([Open { event: Some(_), .. }], Some(terms)) = (open.as_slice(), named)
        && *terms != GrantTerms::default()
    {
        return Ok(Err(ActionRefusal::AboutAnEvent));
    }
    let rulings = match rulings(c, &open, named, words, now)? {
        Ok(rulings) => rulings,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let decided = match decide(c, &open, rulings, named.is_some(), words, policy, now)? {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok((kept(request, items, &open, &decided.1), decided.0)))
}

/// The request with every figure named: the numbers of the items, and what a single one is granted.
fn kept(request: &ActionRequest, items: &Items, open: &[Open], granted: &GrantTerms) -> ActionRequest {
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

/// The items that are meant. All of them must be open.
fn open(c: &Connection, items: &Items) -> Result<Result<Vec<Open>, ActionRefusal>, StoreError> {
    let ids = match items {
        Items::One(id) => vec![*id],
        Items::Listed(ids) => ids.clone(),
        Items::Matching { filter, expected } => {
            let filter = crate::model::QuarantineFilter { all: false, ..filter.clone() };
            let size = u32::try_from(MAX_BULK_ITEMS).unwrap_or(u32::MAX);
            let found = quarantine::list(c, &filter, Page { number: 1, size, ascending: true })?;
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
                open.push(Open { id, event: event.map(EventId::from), payment: payment.map(PaymentId) });
            }
        }
    }
    Ok(Ok(open))
}

/// What is said about the payments among the items.
fn rulings(
    c: &Connection,
    open: &[Open],
    named: Option<&GrantTerms>,
    words: &Words,
    now: Now,
) -> Result<Result<Vec<(PaymentId, Ruling)>, ActionRefusal>, StoreError> {
    let (mut rulings, mut without) = (Vec::new(), Vec::new());
    for (item, payment) in open.iter().filter_map(|item| Some((item, item.payment?))) {
        let verdict = match named {
            None => Some(Verdict::Dismiss),
            Some(named) => grant(&book::knowledge(c, payment)?, named),
        };
        let (by, reason) = (words.by.clone(), words.reason.clone());
        match verdict {
            Some(verdict) => rulings.push((
                payment,
                Ruling { at: now.at, by, reason, verdict, answered: ReviewedFacts::default() },
            )),
            None => without.push(item.id),
        }
    }
    Ok(if without.is_empty() { Ok(rulings) } else { Err(ActionRefusal::NotGrantable(without)) })
}

/// What is to be granted: what the person says, and where they say nothing, what the claim says, whatever was
/// decided before.
fn grant(known: &Knowledge, named: &GrantTerms) -> Option<Verdict> {
    let claim = known.claim();
    Some(Verdict::Grant(Grant {
        tenant: named.tenant.or_else(|| claim?.tenant()).or_else(|| known.tenant())?,
        credits: named.credits.or_else(|| claim?.credits()).or_else(|| known.credits())?,
        amount: named.amount,
        currency: named.currency.clone(),
        payment_intent: named.payment_intent.clone(),
        refunds_by_hand: named.refunds_by_hand,
        // The policy's, which the ledger fills in.
        rounding: Rounding::default(),
    }))
}

/// Decides each payment in turn on one book, and adds up what that means.
fn decide(
    c: &Connection,
    open: &[Open],
    rulings: Vec<(PaymentId, Ruling)>,
    resolves: bool,
    words: &Words,
    policy: &Policy,
    now: Now,
) -> Result<Result<(Plan, GrantTerms), ActionRefusal>, StoreError> {
    let loaded = book::load_ruled(c, &rulings, now)?;
    let mut scratch = loaded.clone();
    let (mut tally, mut decided, mut named) = (Tally::default(), Vec::new(), GrantTerms::default());
    for (payment, ruling) in rulings {
        if let Verdict::Grant(grant) = &ruling.verdict {
            named = named_in(grant);
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
    let work = Decided {
        resolution: if resolves { RESOLVED } else { DISMISSED },
        words: (words.by.clone(), words.reason.clone()),
        events: open.iter().filter_map(|item| item.event.clone()).collect(),
        record: Record::new(loaded, now.at),
        rulings: decided,
    };
    let tenant = one_of(&credits);
    let work = Work::Review(Box::new(work));
    Ok(Ok((Plan { result, credits, tenant, second_person: false, work }, named)))
}

/// A grant as it is kept: with every figure.
fn named_in(grant: &Grant) -> GrantTerms {
    GrantTerms {
        tenant: Some(grant.tenant),
        credits: Some(grant.credits),
        amount: grant.amount,
        currency: grant.currency.clone(),
        payment_intent: grant.payment_intent.clone(),
        refunds_by_hand: grant.refunds_by_hand,
    }
}

/// The tenant whose credits move, where there is one.
fn one_of(credits: &BTreeMap<TenantId, Credits>) -> Option<TenantId> {
    let mut tenants = credits.keys();
    tenants.next().copied().filter(|_| tenants.next().is_none())
}
