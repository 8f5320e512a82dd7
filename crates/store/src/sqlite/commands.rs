//! Executing commands: load what a batch touches, decide each command in memory, and write the decisions and
//! the answers in one commit. The same idempotency key always gets the same answer.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{
    Book, Command, CommandAction, Credits, Execution, HoldId, Now, Receipt, Refusal, TenantId, Timestamp,
    execute, expire,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::book;
use super::idempotency::{self, KeyUse};
use super::write_set::WriteSet;
use crate::error::StoreError;
use crate::model::{CommandOutcome, CommandRequest, IdempotencyKey, ScopedKey};

/// Executes a batch of commands, and returns the results in the order of the requests.
pub(super) fn execute_commands(
    c: &Connection,
    requests: &[CommandRequest],
    now: Now,
) -> Result<Vec<Result<CommandOutcome, StoreError>>, StoreError> {
    let mut stored = load_stored_answers(c, requests)?;
    let is_new =
        |request: &&CommandRequest| request.scoped_key().is_none_or(|key| !stored.contains_key(&key));
    let (mut write_set, overdue) =
        load(c, requests.iter().filter(is_new).map(|request| &request.command), now)?;
    let at = now.at.max(write_set.book.clock);
    for tenant in &overdue {
        // If this panics, `expire_due` reports it; the other commands in the batch must not fail.
        if let Ok(changes) = catch_unwind(AssertUnwindSafe(|| expire(&write_set.book, *tenant, now))) {
            write_set.add(c, &changes)?;
        }
    }
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let key = request.scoped_key();
        let found = key.as_ref().and_then(|key| stored.get(key));
        let answer = match (&request.idempotency_key, found) {
            (Some(idempotency_key), Some(found)) => Ok(found.replay(&idempotency_key.fingerprint)),
            _ if overdue.contains(&request.command.tenant) => Err(StoreError::Busy),
            _ => match decide_one(&write_set.book, &request.command, now) {
                Ok(Execution { answer, changes }) => {
                    if let Some((idempotency_key, key)) = request.idempotency_key.as_ref().zip(key) {
                        // A refusal has changes too if something expired.
                        write_set.add(c, &changes)?;
                        stored.insert(
                            key,
                            store_answer(c, request.command.tenant, idempotency_key, at, &answer)?,
                        );
                    }
                    Ok(CommandOutcome::Decided { answer, at, replayed: false })
                }
                Err(error) => Err(error),
            },
        };
        answers.push(answer);
    }
    write_set.finish(c)?;
    Ok(answers)
}

/// Decides one command. An error concerns only this command.
fn decide_one(book: &Book, command: &Command, now: Now) -> Result<Execution, StoreError> {
    if let CommandAction::Hold { id, .. } = command.action
        && book.holds.contains_key(&id)
    {
        return Err(StoreError::Refused(format!("the hold {id} already exists")));
    }
    catch_unwind(AssertUnwindSafe(|| execute(book, command, now)))
        .map_err(|_| StoreError::Refused("the ledger's rules panicked on this command".to_owned()))
}

/// Stores an answer under its key.
fn store_answer(
    c: &Connection,
    tenant: TenantId,
    idempotency_key: &IdempotencyKey,
    at: Timestamp,
    answer: &Result<Receipt, Refusal>,
) -> Result<KeyEntry, StoreError> {
    let text =
        serde_json::to_string(answer).map_err(|error| StoreError::Corrupt(format!("an answer: {error}")))?;
    c.prepare_cached("INSERT INTO commands VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        tenant.0,
        idempotency_key.scope.as_str(),
        idempotency_key.key,
        idempotency_key.fingerprint,
        at.0,
        text
    ])?;
    Ok(KeyEntry::Command { fingerprint: idempotency_key.fingerprint, at, answer: answer.clone() })
}

/// What is stored under an idempotency key.
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large kind")]
enum KeyEntry {
    /// A command's answer.
    Command { fingerprint: [u8; 32], at: Timestamp, answer: Result<Receipt, Refusal> },
    /// Another use of the key, stored elsewhere.
    OtherUse,
}

impl KeyEntry {
    fn replay(&self, requested: &[u8; 32]) -> CommandOutcome {
        match self {
            Self::Command { fingerprint, at, answer } if fingerprint == requested => {
                CommandOutcome::Decided { answer: answer.clone(), at: *at, replayed: true }
            }
            Self::Command { .. } | Self::OtherUse => CommandOutcome::KeyReused,
        }
    }
}

fn load_stored_answers(
    c: &Connection,
    requests: &[CommandRequest],
) -> Result<BTreeMap<ScopedKey, KeyEntry>, StoreError> {
    let keys: BTreeSet<ScopedKey> = requests.iter().filter_map(CommandRequest::scoped_key).collect();
    let mut stored = BTreeMap::new();
    for key in keys {
        let found: Option<([u8; 32], i64, String)> = c
            .prepare_cached(
                "SELECT fingerprint, at, answer FROM commands WHERE tenant = ?1 AND scope = ?2 AND key = ?3",
            )?
            .query_row(idempotency::columns(&key), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        if let Some((fingerprint, at, text)) = found {
            let answer = serde_json::from_str(&text)
                .map_err(|error| StoreError::Corrupt(format!("the answer to a command: {error}")))?;
            stored.insert(key, KeyEntry::Command { fingerprint, at: Timestamp(at), answer });
        } else if idempotency::has_other_use(c, &key, KeyUse::Command)? {
            stored.insert(key, KeyEntry::OtherUse);
        }
    }
    Ok(stored)
}

/// What has to be loaded for the commands of one tenant.
#[derive(Default)]
struct Need {
    /// The credits that each command burns.
    burns: Vec<i64>,
    /// The credits that are added in this batch.
    added: i64,
    holds: BTreeSet<HoldId>,
}

/// Loads everything that the commands touch, in the order of the tenants' ids. Also returns the tenants that
/// have too many expired holds and lots.
///
/// No command of those tenants may be decided in this batch: while expired holds still count as held, a
/// command could be refused for lack of credits, and that answer would be permanent. Some of the holds and
/// lots are expired now, the rest by `expire_due` or by a retry.
pub(super) fn load<'c>(
    c: &Connection,
    commands: impl Iterator<Item = &'c Command>,
    now: Now,
) -> Result<(WriteSet, BTreeSet<TenantId>), StoreError> {
    let mut needs: BTreeMap<TenantId, Need> = BTreeMap::new();
    for command in commands {
        let need = needs.entry(command.tenant).or_default();
        match command.action {
            CommandAction::Spend { credits } => need.burn(credits),
            CommandAction::Hold { id, credits, .. } => {
                need.burn(credits);
                // It should not exist; if it does, the command must fail.
                need.holds.insert(id);
            }
            CommandAction::Capture { hold, .. } | CommandAction::Release { hold } => {
                need.holds.insert(hold);
            }
            CommandAction::Adjust { credits, .. } if credits > 0 => {
                need.added = need.added.saturating_add(credits);
            }
            CommandAction::Adjust { credits, .. } => need.burn(Credits(credits.saturating_neg())),
            CommandAction::WriteOff { .. } => {}
        }
    }
    let mut book = book::empty(c)?;
    let mut due = book::DueLoader::new(now);
    let mut overdue = BTreeSet::new();
    for (tenant, need) in needs {
        book::load_totals(c, &mut book, tenant)?;
        if !due.load(c, &mut book, tenant)? {
            overdue.insert(tenant);
        }
        let wanted = need.lots_for(&book, tenant);
        book::load_lots_to_burn(c, &mut book, tenant, wanted, due.by)?;
        need.holds.into_iter().try_for_each(|hold| book::load_hold(c, &mut book, hold))?;
    }
    Ok((WriteSet::new(book, now.at), overdue))
}

impl Need {
    fn burn(&mut self, credits: Credits) {
        self.burns.push(credits.0.max(0));
    }

    /// The credits for which lots must be loaded. A burn that exceeds what the tenant can have in this batch
    /// will be refused, and must not cause every lot to be loaded.
    fn lots_for(&self, book: &Book, tenant: TenantId) -> Credits {
        let balance = book.tenants.get(&tenant).map(|tenant| tenant.balance).unwrap_or_default();
        let most = (balance.available + balance.held).0.saturating_add(self.added);
        let affordable = self.burns.iter().filter(|burn| **burn <= most);
        Credits(affordable.fold(0, |sum, burn| sum.saturating_add(*burn)))
    }
}
