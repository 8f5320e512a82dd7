//! Actions on API keys and people: which are allowed, and which need a second person.

use ledger::Timestamp;
use rusqlite::Connection;

use super::plan::{ActionPlan, Work};
use crate::error::StoreError;
use crate::model::{ActionRefusal, ActionRequest, ActionResult, KeyHolder, KeyRow, PersonRow};
use crate::sqlite::{keys, people};

/// Decides a request about keys or people.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    requester: &str,
    now: Timestamp,
) -> Result<Result<(ActionRequest, ActionPlan), ActionRefusal>, StoreError> {
    let second_person = match check(c, request, requester, now)? {
        Ok(second_person) => second_person,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let tenant = match request {
        ActionRequest::KeyCreate { key, .. } => key.tenant(),
        ActionRequest::KeyRotate { id, .. } | ActionRequest::KeyRevoke { id } => {
            keys::with_id(c, id)?.and_then(|key| key.tenant())
        }
        _ => None,
    };
    let nothing = ActionPlan::nothing(ActionResult::default());
    let plan = ActionPlan { tenant, second_person, work: Work::Access(Box::new(request.clone())), ..nothing };
    Ok(Ok((request.clone(), plan)))
}

/// Whether the action is allowed, and if so, whether it needs a second person: it does if it gives a person
/// access to credits that they do not have yet.
fn check(
    c: &Connection,
    request: &ActionRequest,
    requester: &str,
    now: Timestamp,
) -> Result<Result<bool, ActionRefusal>, StoreError> {
    let registered = people::registered(c)?;
    let is_registered = |id: &str| registered.iter().any(|person| person.id == id);
    Ok(match request {
        ActionRequest::KeyCreate { key, .. } => match &key.holder {
            _ if keys::is_name_taken(c, key, now)? => Err(ActionRefusal::NameTaken),
            KeyHolder::Tenant { .. } => Ok(false),
            KeyHolder::Service => Ok(true),
            KeyHolder::Person(person) if is_registered(person) => Ok(true),
            KeyHolder::Person(_) | KeyHolder::Machine => Err(ActionRefusal::NoSuchPerson),
        },
        ActionRequest::KeyRotate { id, .. } => {
            let key = keys::with_id(c, id)?.filter(|key| key.works(now));
            match key.map(|key| key.holder) {
                None => Err(ActionRefusal::NoSuchKey),
                Some(_) if keys::is_replaced(c, id)? => Err(ActionRefusal::KeyReplaced),
                Some(KeyHolder::Tenant { .. }) => Ok(false),
                // Once one person is left, the machine's key acts for them.
                Some(KeyHolder::Machine) => Ok(registered.len() > 1),
                Some(KeyHolder::Service) => Ok(true),
                Some(KeyHolder::Person(person)) if person == requester => Ok(false),
                Some(KeyHolder::Person(_)) => Err(ActionRefusal::NotYourKey),
            }
        }
        ActionRequest::KeyRevoke { id } => match keys::with_id(c, id)? {
            Some(key) if key.revoked_at.is_none() => Ok(false),
            Some(_) | None => Err(ActionRefusal::NoSuchKey),
        },
        ActionRequest::PersonAdd { person, key, .. } => {
            let alone = registered.len() == 1;
            match () {
                () if people::is_name_taken(c, &person.name)? => Err(ActionRefusal::NameTaken),
                () if keys::is_name_taken(c, key, now)? => Err(ActionRefusal::NameTaken),
                () if alone && !keys::has_own(c, requester, now)? => Err(ActionRefusal::OwnKeyRequired),
                () => Ok(true),
            }
        }
        ActionRequest::PersonRemove { id } => match () {
            () if !is_registered(id) => Err(ActionRefusal::NoSuchPerson),
            () if registered.len() == 1 => Err(ActionRefusal::LastPerson),
            () => Ok(true),
        },
        // A recovery has its own verb, which needs no approval.
        _ => Err(ActionRefusal::NoRegisteredPerson),
    })
}

/// Writes the change.
pub(super) fn write(
    c: &Connection,
    request: &ActionRequest,
    requester: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let since = creation_time(c, now)?;
    let created = |key: &KeyRow| KeyRow { created_at: since, ..key.clone() };
    match request {
        ActionRequest::KeyCreate { key, hash } => keys::create(c, &created(key), hash),
        ActionRequest::KeyRotate { id, new_id, hash, grace_seconds } => match keys::with_id(c, id)? {
            Some(key) => {
                let new = KeyRow { id: new_id.clone(), created_at: since, ..key.clone() };
                keys::rotate(c, &key, &new, hash, now.plus_seconds(*grace_seconds))
            }
            None => Err(StoreError::Corrupt(format!("the key {id} is missing"))),
        },
        ActionRequest::KeyRevoke { id } => keys::revoke(c, id, now),
        ActionRequest::PersonAdd { person, key, hash } => {
            let created_by = Some(requester.to_owned());
            people::add(c, &PersonRow { created_at: since, created_by, ..person.clone() })?;
            keys::create(c, &created(key), hash)
        }
        ActionRequest::PersonRemove { id } => people::remove(c, id, now),
        _ => Ok(()),
    }
}

/// The creation time of a new person or key: now, but later than the request time of every waiting action,
/// even if the clock was ahead then or is behind now. People and keys that are newer than a request may not
/// decide it.
pub(super) fn creation_time(c: &Connection, now: Timestamp) -> Result<Timestamp, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT max(asked_at) FROM operator_actions WHERE state = 'waiting'")?;
    let latest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(now.max(Timestamp(latest.map_or(0, |at| at + 1))))
}
