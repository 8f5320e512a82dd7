//! What operators do: looked up under its name, weighed against the limits, and either done or kept waiting
//! for a second person, all in one write job, so that two requests at once cannot pass a limit together.
//! What a second person approves is done in the commit that takes the approval.
//! Not here: what a person may ask for at all, which is a matter of their key (`web`).

mod access;
mod consequences;
mod credits;
mod plan;
mod review;
mod rows;

use ledger::{Credits, Now, Policy, TenantId, Timestamp};
use rusqlite::Connection;

use super::people::{self, Acting};
use super::unconfirmed;
use crate::error::StoreError;
use crate::model::{
    ActionDecided, ActionRefusal, ActionRequest, ActionRow, ActionState, ActionVerdict, Actor, Asked,
    Consequences, Items, KeyRow, NewAction, OperatorLimits, PersonRow, Preview, Recovery,
};
use plan::{Plan, Words};
pub(super) use rows::{find, list, totals};

/// The time over which the limits count, in seconds.
const LIMIT_SECONDS: i64 = 24 * 3600;

/// Does what is asked for, or keeps it waiting.
pub(super) fn ask(
    c: &Connection,
    new: &NewAction,
    limits: OperatorLimits,
    policy: &Policy,
    now: Now,
) -> Result<Asked, StoreError> {
    if new.request.moves_credits() {
        unconfirmed::refuse(c)?;
    }
    if let Some((id, fingerprint)) = rows::under_name(c, new)? {
        let same = new.name.as_ref().is_some_and(|name| name.1 == fingerprint);
        return Ok(match same {
            true => Asked::Kept { action: Box::new(rows::kept(c, &id)?), replayed: true },
            false => Asked::Refused(ActionRefusal::NameReused),
        });
    }
    let Some(acting) = people::acting(c, &new.key, now.at)? else {
        return Ok(Asked::Refused(ActionRefusal::NobodyActs));
    };
    let others = people::registered(c)?.len() > 1;
    if new.alone && others {
        return Ok(Asked::Refused(ActionRefusal::NotAlone));
    }
    if let ActionRequest::QuarantineResolve { items: Items::Matching { expected: None, .. }, .. }
    | ActionRequest::QuarantineDismiss { items: Items::Matching { expected: None, .. } } = new.request
    {
        return Err(StoreError::Refused("a bulk decision says how many items it expects".to_owned()));
    }
    if ended(&new.request, now.at) {
        return Ok(Asked::Refused(ActionRefusal::Ended));
    }
    let words = Words { by: signature(&acting.actor()), reason: new.reason.clone() };
    let (request, plan) = match plan::of(c, &new.request, &acting.person.id, &words, policy, now)? {
        Ok(planned) => planned,
        Err(refusal) => return Ok(Asked::Refused(refusal)),
    };
    let two = plan.second_person || is_over(c, &acting, &plan, limits, now.at)?;
    let refused = plan.result.refusal.is_some();
    let (state, alone) = match () {
        // What cannot be done waits for nobody.
        () if refused => (ActionState::Refused, false),
        () if two && others => (ActionState::Waiting, false),
        () if two && !new.alone => return Ok(Asked::Refused(ActionRefusal::SecondPersonMissing)),
        () => (ActionState::Done, two),
    };
    rows::insert(c, new, &request, &acting, &plan, state, alone, now.at)?;
    if state != ActionState::Waiting {
        let plan = plan.write(c, &acting.person.id, policy, now)?;
        if state == ActionState::Done {
            rows::count(c, &new.id, &acting.person.id, &plan, now.at)?;
        }
        let note = plan.result.refusal.map(|refusal| refusal.to_string());
        rows::close(c, &new.id, state, note.as_deref(), &plan, now.at)?;
    }
    Ok(Asked::Kept { action: Box::new(rows::kept(c, &new.id)?), replayed: false })
}

/// What would become of it. Nothing is written.
pub(super) fn preview(
    c: &Connection,
    new: &NewAction,
    limits: OperatorLimits,
    policy: &Policy,
    now: Now,
) -> Result<Result<Preview, ActionRefusal>, StoreError> {
    let acting = people::acting(c, &new.key, now.at)?;
    if ended(&new.request, now.at) {
        return Ok(Err(ActionRefusal::Ended));
    }
    let by = acting.as_ref().map(|acting| signature(&acting.actor())).unwrap_or_default();
    let person = acting.as_ref().map(|acting| acting.person.id.as_str()).unwrap_or_default();
    let words = Words { by, reason: new.reason.clone() };
    let (_, plan) = match plan::of(c, &new.request, person, &words, policy, now)? {
        Ok(planned) => planned,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let over = match &acting {
        Some(acting) => is_over(c, acting, &plan, limits, now.at)?,
        None => true,
    };
    let second_person = plan.second_person || over;
    Ok(Ok(Preview { credits: plan.total(), second_person, result: plan.result }))
}

/// Takes a second person's word, and does what they approve.
pub(super) fn decide(
    c: &Connection,
    id: &str,
    verdict: &ActionVerdict,
    key: &str,
    policy: &Policy,
    now: Now,
) -> Result<Option<ActionDecided>, StoreError> {
    let Some(row) = rows::find(c, id)? else { return Ok(None) };
    let Some(acting) = people::acting(c, key, now.at)? else { return Ok(Some(ActionDecided::NobodyActs)) };
    let waited = row.state == ActionState::Waiting || row.decided_by.is_some();
    if waited && row.asked_by.person == acting.person.id {
        return Ok(Some(ActionDecided::SamePerson));
    }
    if row.state != ActionState::Waiting {
        return Ok(Some(ActionDecided::Already(Box::new(row))));
    }
    if acting.person.created_at > row.asked_at || acting.key.created_at > row.asked_at {
        return Ok(Some(ActionDecided::TooNew));
    }
    match verdict {
        ActionVerdict::Reject { reason } => {
            let plan = Plan::nothing(row.result);
            rows::close(c, id, ActionState::Rejected, Some(reason), &plan, now.at)?;
        }
        ActionVerdict::Approve if row.request.moves_credits() && unconfirmed::is(c)? => {
            return Err(StoreError::RestoreUnconfirmed);
        }
        ActionVerdict::Approve if ended(&row.request, now.at) => return Ok(Some(ActionDecided::Ended)),
        ActionVerdict::Approve => approve(c, &row, &acting, policy, now)?,
    }
    rows::sign(c, id, &acting, now.at)?;
    Ok(Some(ActionDecided::Counted(Box::new(rows::kept(c, id)?))))
}

/// Does what was approved, if it can still be done and moves no more than was asked for.
fn approve(
    c: &Connection,
    row: &ActionRow,
    second: &Acting,
    policy: &Policy,
    now: Now,
) -> Result<(), StoreError> {
    let by = format!("{}, approved by {}", signature(&row.asked_by), signature(&second.actor()));
    let words = Words { by, reason: row.reason.clone() };
    let planned = plan::of(c, &row.request, &row.asked_by.person, &words, policy, now)?;
    let refused = |note: String| {
        let plan = Plan::nothing(row.result.clone());
        rows::close(c, &row.id, ActionState::Refused, Some(&note), &plan, now.at)
    };
    match planned {
        Err(refusal) => refused(refusal.to_string()),
        Ok((_, plan)) if let Some(note) = exceeds(&plan, &row.result.consequences) => refused(note),
        Ok((_, plan)) => {
            let plan = plan.write(c, &row.asked_by.person, policy, now)?;
            let note = plan.result.refusal.map(|refusal| refusal.to_string());
            let state = if note.is_some() { ActionState::Refused } else { ActionState::Done };
            rows::close(c, &row.id, state, note.as_deref(), &plan, now.at)
        }
    }
}

/// What an approval would do that was not shown when it was asked for.
fn exceeds(plan: &Plan, asked: &Consequences) -> Option<String> {
    let was = |tenant| asked.moved.get(tenant).copied().unwrap_or_default();
    let more = plan.credits.iter().find(|(tenant, credits)| **credits > was(*tenant));
    if let Some((tenant, credits)) = more {
        let asked = was(tenant);
        return Some(format!(
            "it would move {credits} credits of tenant {tenant} by now, and {asked} were asked for"
        ));
    }
    let (debt, shown) = (plan.result.consequences.debt_created, asked.debt_created);
    (debt > shown).then(|| format!("it would create a debt of {debt} by now, and {shown} was shown"))
}

/// Replaces people who are lost. Whoever may do this has the file of the database in their hands anyway; what
/// matters is that it cannot go unnoticed.
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
    let created_at = access::after_everything_that_waits(c, now)?;
    people::add(c, &PersonRow { created_at, ..recovery.person.clone() })?;
    super::keys::create(c, &KeyRow { created_at, ..recovery.key.clone() }, &recovery.hash)?;
    let removed = lost.into_iter().map(|person| person.id).collect();
    rows::insert_recovery(c, recovery, removed, now)?;
    Ok(Ok(rows::kept(c, &recovery.id)?))
}

/// Whether it would give credits that have ended.
fn ended(request: &ActionRequest, now: Timestamp) -> bool {
    matches!(request, ActionRequest::Adjustment { expires_at: Some(end), .. } if *end <= now)
}

/// Whether the person would have moved more without a second one than they may.
fn is_over(
    c: &Connection,
    acting: &Acting,
    plan: &Plan,
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

/// How a person is named in the journal, in payments and in the quarantine.
fn signature(actor: &Actor) -> String {
    // Names are free text. Without these, none can read like "…), approved by …".
    let plain = |name: &str| name.replace(['(', ')', ','], "");
    match &actor.key_name {
        Some(key) => format!("{} (key {})", plain(&actor.name), plain(key)),
        None => plain(&actor.name),
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, signature};

    #[test]
    fn a_name_cannot_read_like_an_approval() {
        let actor = Actor {
            person: "person_1".to_owned(),
            name: "Ann".to_owned(),
            key: Some("key_1".to_owned()),
            key_name: Some("laptop), approved by Bob (key main".to_owned()),
        };
        assert_eq!(signature(&actor), "Ann (key laptop approved by Bob key main)");
    }
}
