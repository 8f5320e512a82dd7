//! Operators' actions. A request is looked up by its idempotency key, checked against the limits, and either
//! executed or stored as waiting for a second person. All of this is one write job, so that two concurrent
//! requests cannot exceed a limit together. An approval and the execution of the approved action share one
//! commit.

mod access;
mod consequences;
mod credits;
mod dispatch;
mod plan;
mod review;
mod rows;

use ledger::{Credits, Now, Policy, TenantId, Timestamp};
use rusqlite::Connection;

use super::people::{self, ActingPerson};
use super::unconfirmed;
use crate::error::StoreError;
use crate::model::{
    ActionRefusal, ActionRequest, ActionRow, ActionState, ActionVerdict, Actor, Consequences, DecidedAction,
    Items, KeyRow, NewAction, OperatorLimits, PersonRow, Preview, Recovery, RequestedAction,
};
use plan::{ActionPlan, Attribution};
pub(super) use rows::{find, list, totals};

/// The period to which the limits apply, in seconds.
const LIMIT_SECONDS: i64 = 24 * 3600;

/// Executes a requested action, or stores it as waiting.
pub(super) fn request(
    c: &Connection,
    new: &NewAction,
    limits: OperatorLimits,
    policy: &Policy,
    now: Now,
) -> Result<RequestedAction, StoreError> {
    if new.request.moves_credits() {
        unconfirmed::ensure_none(c)?;
    }
    if let Some((id, fingerprint)) = rows::find_by_idempotency_key(c, new)? {
        let same = new.idempotency_key.as_ref().is_some_and(|key| key.1 == fingerprint);
        return Ok(match same {
            true => RequestedAction::Recorded { action: Box::new(rows::get(c, &id)?), replayed: true },
            false => RequestedAction::Refused(ActionRefusal::IdempotencyKeyReused),
        });
    }
    let Some(acting) = people::acting_person(c, &new.key, now.at)? else {
        return Ok(RequestedAction::Refused(ActionRefusal::NoRegisteredPerson));
    };
    let others_registered = people::registered(c)?.len() > 1;
    if new.alone && others_registered {
        return Ok(RequestedAction::Refused(ActionRefusal::NotAlone));
    }
    if let ActionRequest::QuarantineResolve { items: Items::Matching { expected: None, .. }, .. }
    | ActionRequest::QuarantineDismiss { items: Items::Matching { expected: None, .. } } = new.request
    {
        return Err(StoreError::Refused(
            "a bulk decision must state the expected number of items".to_owned(),
        ));
    }
    if grant_expired(&new.request, now.at) {
        return Ok(RequestedAction::Refused(ActionRefusal::GrantExpired));
    }
    let attribution = Attribution { by: display_name(&acting.actor()), reason: new.reason.clone() };
    let (request, plan) = match dispatch::plan(c, &new.request, &acting.person.id, &attribution, policy, now)?
    {
        Ok(planned) => planned,
        Err(refusal) => return Ok(RequestedAction::Refused(refusal)),
    };
    let second_person = plan.second_person || exceeds_limits(c, &acting, &plan, limits, now.at)?;
    let refused = plan.result.refusal.is_some();
    let (state, alone) = match () {
        // A refused action does not wait for approval.
        () if refused => (ActionState::Refused, false),
        () if second_person && others_registered => (ActionState::Waiting, false),
        () if second_person && !new.alone => {
            return Ok(RequestedAction::Refused(ActionRefusal::SecondPersonMissing));
        }
        () => (ActionState::Done, second_person),
    };
    rows::insert(c, new, &request, &acting, &plan, state, alone, now.at)?;
    if state != ActionState::Waiting {
        let plan = dispatch::write(c, plan, &acting.person.id, policy, now)?;
        if state == ActionState::Done {
            rows::count_usage(c, &new.id, &acting.person.id, &plan, now.at)?;
        }
        let note = plan.result.refusal.map(|refusal| refusal.to_string());
        rows::close(c, &new.id, state, note.as_deref(), &plan, now.at)?;
    }
    Ok(RequestedAction::Recorded { action: Box::new(rows::get(c, &new.id)?), replayed: false })
}

/// What an action would do. Nothing is written.
pub(super) fn preview(
    c: &Connection,
    new: &NewAction,
    limits: OperatorLimits,
    policy: &Policy,
    now: Now,
) -> Result<Result<Preview, ActionRefusal>, StoreError> {
    let acting = people::acting_person(c, &new.key, now.at)?;
    if grant_expired(&new.request, now.at) {
        return Ok(Err(ActionRefusal::GrantExpired));
    }
    let by = acting.as_ref().map(|acting| display_name(&acting.actor())).unwrap_or_default();
    let person = acting.as_ref().map(|acting| acting.person.id.as_str()).unwrap_or_default();
    let attribution = Attribution { by, reason: new.reason.clone() };
    let (_, plan) = match dispatch::plan(c, &new.request, person, &attribution, policy, now)? {
        Ok(planned) => planned,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let above_limits = match &acting {
        Some(acting) => exceeds_limits(c, acting, &plan, limits, now.at)?,
        None => true,
    };
    let second_person = plan.second_person || above_limits;
    Ok(Ok(Preview { credits: plan.total(), second_person, result: plan.result }))
}

/// Records a second person's decision, and executes an approved action.
pub(super) fn decide(
    c: &Connection,
    id: &str,
    verdict: &ActionVerdict,
    key: &str,
    policy: &Policy,
    now: Now,
) -> Result<Option<DecidedAction>, StoreError> {
    let Some(row) = rows::find(c, id)? else { return Ok(None) };
    let Some(acting) = people::acting_person(c, key, now.at)? else {
        return Ok(Some(DecidedAction::NoRegisteredPerson));
    };
    let waited = row.state == ActionState::Waiting || row.decided_by.is_some();
    if waited && row.asked_by.person == acting.person.id {
        return Ok(Some(DecidedAction::SamePerson));
    }
    if row.state != ActionState::Waiting {
        return Ok(Some(DecidedAction::AlreadyDecided(Box::new(row))));
    }
    if acting.person.created_at > row.asked_at || acting.key.created_at > row.asked_at {
        return Ok(Some(DecidedAction::TooNew));
    }
    match verdict {
        ActionVerdict::Reject { reason } => {
            let plan = ActionPlan::nothing(row.result);
            rows::close(c, id, ActionState::Rejected, Some(reason), &plan, now.at)?;
        }
        ActionVerdict::Approve if row.request.moves_credits() && unconfirmed::exists(c)? => {
            return Err(StoreError::RestoreUnconfirmed);
        }
        ActionVerdict::Approve if grant_expired(&row.request, now.at) => {
            return Ok(Some(DecidedAction::GrantExpired));
        }
        ActionVerdict::Approve => approve(c, &row, &acting, policy, now)?,
    }
    rows::set_decider(c, id, &acting, now.at)?;
    Ok(Some(DecidedAction::Decided(Box::new(rows::get(c, id)?))))
}

/// Executes an approved action, if it can still be executed and moves no more than was requested.
fn approve(
    c: &Connection,
    row: &ActionRow,
    second: &ActingPerson,
    policy: &Policy,
    now: Now,
) -> Result<(), StoreError> {
    let by = format!("{}, approved by {}", display_name(&row.asked_by), display_name(&second.actor()));
    let attribution = Attribution { by, reason: row.reason.clone() };
    let planned = dispatch::plan(c, &row.request, &row.asked_by.person, &attribution, policy, now)?;
    let refused = |note: String| {
        let plan = ActionPlan::nothing(row.result.clone());
        rows::close(c, &row.id, ActionState::Refused, Some(&note), &plan, now.at)
    };
    match planned {
        Err(refusal) => refused(refusal.to_string()),
        Ok((_, plan)) if let Some(note) = excess_over_request(&plan, &row.result.consequences) => {
            refused(note)
        }
        Ok((_, plan)) => {
            let plan = dispatch::write(c, plan, &row.asked_by.person, policy, now)?;
            let note = plan.result.refusal.map(|refusal| refusal.to_string());
            let state = if note.is_some() { ActionState::Refused } else { ActionState::Done };
            rows::close(c, &row.id, state, note.as_deref(), &plan, now.at)
        }
    }
}

/// How executing the action would exceed what was requested, if it would.
fn excess_over_request(plan: &ActionPlan, requested: &Consequences) -> Option<String> {
    let requested_of = |tenant| requested.moved.get(tenant).copied().unwrap_or_default();
    let more = plan.credits.iter().find(|(tenant, credits)| **credits > requested_of(*tenant));
    if let Some((tenant, credits)) = more {
        let requested = requested_of(tenant);
        return Some(format!(
            "it would now move {credits} credits of tenant {tenant}, but {requested} were requested"
        ));
    }
    let (debt, shown) = (plan.result.consequences.debt_created, requested.debt_created);
    (debt > shown).then(|| format!("it would now create a debt of {debt}, but {shown} was shown"))
}

/// Replaces people who lost access. Whoever can do this controls the database file anyway; the action makes
/// it visible.
pub(super) fn recover(
    c: &Connection,
    recovery: &Recovery,
    now: Timestamp,
) -> Result<Result<ActionRow, ActionRefusal>, StoreError> {
    let registered = people::registered(c)?;
    let lost = match &recovery.lost {
        None => registered.clone(),
        Some(names) => {
            let is_lost = |name: &String| {
                registered.iter().find(|person| person.name.to_lowercase() == name.to_lowercase())
            };
            match names.iter().map(|name| is_lost(name).cloned()).collect::<Option<Vec<_>>>() {
                Some(lost) => lost,
                None => return Ok(Err(ActionRefusal::NoSuchPerson)),
            }
        }
    };
    let stays = |person: &PersonRow| !lost.iter().any(|lost| lost.id == person.id);
    let name = recovery.person.name.to_lowercase();
    if registered.iter().any(|person| stays(person) && person.name.to_lowercase() == name) {
        return Ok(Err(ActionRefusal::NameTaken));
    }
    lost.iter().try_for_each(|person| people::remove(c, &person.id, now))?;
    let created_at = access::creation_time(c, now)?;
    people::add(c, &PersonRow { created_at, ..recovery.person.clone() })?;
    super::keys::create(c, &KeyRow { created_at, ..recovery.key.clone() }, &recovery.hash)?;
    let removed = lost.into_iter().map(|person| person.id).collect();
    rows::insert_recovery(c, recovery, removed, now)?;
    Ok(Ok(rows::get(c, &recovery.id)?))
}

/// Whether the request would add credits that have already expired.
fn grant_expired(request: &ActionRequest, now: Timestamp) -> bool {
    matches!(request, ActionRequest::Adjustment { expires_at: Some(end), .. } if *end <= now)
}

/// Whether the action would exceed the person's limits.
fn exceeds_limits(
    c: &Connection,
    acting: &ActingPerson,
    plan: &ActionPlan,
    limits: OperatorLimits,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let since = now.plus_seconds(-LIMIT_SECONDS);
    let used = |tenant: Option<TenantId>| rows::used(c, &acting.person.id, tenant, since);
    let more = |used: Credits, credits: Credits| Credits(used.0.saturating_add(credits.0));
    if plan.total() > Credits::ZERO && more(used(None)?, plan.total()) > limits.total {
        return Ok(true);
    }
    for (tenant, credits) in &plan.credits {
        if more(used(Some(*tenant))?, *credits) > limits.per_tenant {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A person's name as it appears in the journal, in payments and in the quarantine.
fn display_name(actor: &Actor) -> String {
    // Names are free text. Without these characters, none can imitate "…), approved by …".
    let plain = |name: &str| name.replace(['(', ')', ','], "");
    match &actor.key_name {
        Some(key) => format!("{} (key {})", plain(&actor.name), plain(key)),
        None => plain(&actor.name),
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, display_name};

    #[test]
    fn a_name_cannot_imitate_an_approval() {
        let actor = Actor {
            person: "person_1".to_owned(),
            name: "Ann".to_owned(),
            key: Some("key_1".to_owned()),
            key_name: Some("laptop), approved by Bob (key main".to_owned()),
        };
        assert_eq!(display_name(&actor), "Ann (key laptop approved by Bob key main)");
    }
}
