//! Keys and people: what may be created, replaced and removed, and what of it takes two.
//! Not here: who asks (`people`), and secrets, of which only hashes come in.

use ledger::Timestamp;
use rusqlite::Connection;

use super::plan::{Plan, Work};
use crate::error::StoreError;
use crate::model::{ActionRefusal, ActionRequest, ActionResult, KeyHolder, KeyRow, PersonRow};
use crate::sqlite::{keys, people};

/// Decides a request about keys or people.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    asker: &str,
    now: Timestamp,
) -> Result<Result<(ActionRequest, Plan), ActionRefusal>, StoreError> {
    let second_person = match check(c, request, asker, now)? {
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
    let nothing = Plan::nothing(ActionResult::default());
    let plan = Plan { tenant, second_person, work: Work::Access(Box::new(request.clone())), ..nothing };
    Ok(Ok((request.clone(), plan)))
}

/// Whether it may be done, and whether it takes two: whatever gives somebody power over credits does, unless
/// they have it already.
fn check(
    c: &Connection,
    request: &ActionRequest,
    asker: &str,
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
                // Once one person is left, it acts for that one.
                Some(KeyHolder::Machine) => Ok(registered.len() > 1),
                Some(KeyHolder::Service) => Ok(true),
                Some(KeyHolder::Person(person)) if person == asker => Ok(false),
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
                () if alone && !keys::has_own(c, asker, now)? => Err(ActionRefusal::NoKeyOfYourOwn),
                () => Ok(true),
            }
        }
        ActionRequest::PersonRemove { id } => match () {
            () if !is_registered(id) => Err(ActionRefusal::NoSuchPerson),
            () if registered.len() == 1 => Err(ActionRefusal::LastPerson),
            () => Ok(true),
        },
        // It has a verb of its own, which asks nobody.
        _ => Err(ActionRefusal::NobodyActs),
    })
}

/// Writes it.
pub(super) fn write(
    c: &Connection,
    request: &ActionRequest,
    asker: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let since = after_everything_that_waits(c, now)?;
    let created = |key: &KeyRow| KeyRow { created_at: since, ..key.clone() };
    match request {
        ActionRequest::KeyCreate { key, hash } => keys::create(c, &created(key), hash),
        ActionRequest::KeyRotate { id, new_id, hash, grace_seconds } => match keys::with_id(c, id)? {
            Some(key) => {
                let new = KeyRow { id: new_id.clone(), created_at: since, ..key.clone() };
                keys::rotate(c, &key, &new, hash, now.plus_seconds(*grace_seconds))
            }
            None => Err(StoreError::Corrupt(format!("the key {id} is gone"))),
        },
        ActionRequest::KeyRevoke { id } => keys::revoke(c, id, now),
        ActionRequest::PersonAdd { person, key, hash } => {
            let created_by = Some(asker.to_owned());
            people::add(c, &PersonRow { created_at: since, created_by, ..person.clone() })?;
            keys::create(c, &created(key), hash)
        }
        ActionRequest::PersonRemove { id } => people::remove(c, id, now),
        _ => Ok(()),
    }
}

/// When a person or a key that is new is said to have been created: now, and after whatever waits was asked
/// for, also where a clock was ahead then or is behind now. Who is newer than a request does not decide it.
pub(super) fn after_everything_that_waits(c: &Connection, now: Timestamp) -> Result<Timestamp, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT max(asked_at) FROM operator_actions WHERE state = 'waiting'")?;
    let latest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(now.max(Timestamp(latest.map_or(0, |at| at + 1))))
}
