//! Commands: load what a batch touches, decide each in turn in memory, write what was decided and what each
//! was answered, in one commit. The same name gets the same answer for ever.
//! Not here: events, which cannot be refused (`settle`), and what a command means (`ledger::execute`).

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{
    Book, Command, CommandAction, Credits, Execution, HoldId, Now, Receipt, Refusal, TenantId, Timestamp,
    execute, expire,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::book;
use super::idempotency::{self, KeyUse};
use super::record::Record;
use crate::error::StoreError;
use crate::model::{CommandOutcome, CommandRequest, IdempotencyKey, KeyName};

/// Carries out a batch of commands, each answered in its place.
pub(super) fn execute_commands(
    c: &Connection,
    orders: &[CommandRequest],
    now: Now,
) -> Result<Vec<Result<CommandOutcome, StoreError>>, StoreError> {
    let mut pinned = load_pinned(c, orders)?;
    let is_new = |order: &&CommandRequest| order.name().is_none_or(|name| !pinned.contains_key(&name));
    let (mut record, overdue) = load(c, orders.iter().filter(is_new).map(|order| &order.command), now)?;
    let at = now.at.max(record.book.clock);
    for tenant in &overdue {
        // On whom this panics, the sweep reports; here it must take no neighbour with it.
        if let Ok(changes) = catch_unwind(AssertUnwindSafe(|| expire(&record.book, *tenant, now))) {
            record.add(c, &changes)?;
        }
    }
    let mut answers = Vec::with_capacity(orders.len());
    for order in orders {
        let name = order.name();
        let kept = name.as_ref().and_then(|name| pinned.get(name));
        let answer = match (&order.pin, kept) {
            (Some(pin), Some(kept)) => Ok(kept.answer_again(&pin.fingerprint)),
            _ if overdue.contains(&order.command.tenant) => Err(StoreError::Busy),
            _ => match decide_one(&record.book, &order.command, now) {
                Ok(Execution { answer, changes }) => {
                    if let Some((pin, name)) = order.pin.as_ref().zip(name) {
                        // A refusal has changes too, where something had run out of time.
                        record.add(c, &changes)?;
                        pinned.insert(name, keep(c, order.command.tenant, pin, at, &answer)?);
                    }
                    Ok(CommandOutcome::Decided { answer, at, replayed: false })
                }
                Err(error) => Err(error),
            },
        };
        answers.push(answer);
    }
    record.finish(c)?;
    Ok(answers)
}

/// Decides one. What goes wrong here is about this one alone.
fn decide_one(book: &Book, command: &Command, now: Now) -> Result<Execution, StoreError> {
    if let CommandAction::Hold { id, .. } = command.action
        && book.holds.contains_key(&id)
    {
        return Err(StoreError::Refused(format!("there is a hold {id} already")));
    }
    catch_unwind(AssertUnwindSafe(|| execute(book, command, now)))
        .map_err(|_| StoreError::Refused("the ledger's rules panicked on this command".to_owned()))
}

/// Pins an answer.
fn keep(
    c: &Connection,
    tenant: TenantId,
    pin: &IdempotencyKey,
    at: Timestamp,
    answer: &Result<Receipt, Refusal>,
) -> Result<Pinned, StoreError> {
    let text =
        serde_json::to_string(answer).map_err(|error| StoreError::Corrupt(format!("an answer: {error}")))?;
    c.prepare_cached("INSERT INTO commands VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        tenant.0,
        pin.scope.as_str(),
        pin.key,
        pin.fingerprint,
        at.0,
        text
    ])?;
    Ok(Pinned::Answer { fingerprint: pin.fingerprint, at, answer: answer.clone() })
}

/// What is kept under a name.
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large kind")]
enum Pinned {
    /// A command's answer.
    Answer { fingerprint: [u8; 32], at: Timestamp, answer: Result<Receipt, Refusal> },
    /// Something else, which is kept elsewhere.
    Elsewhere,
}

impl Pinned {
    fn answer_again(&self, asked: &[u8; 32]) -> CommandOutcome {
        match self {
            Self::Answer { fingerprint, at, answer } if fingerprint == asked => {
                CommandOutcome::Decided { answer: answer.clone(), at: *at, replayed: true }
            }
            Self::Answer { .. } | Self::Elsewhere => CommandOutcome::KeyReused,
        }
    }
}

fn load_pinned(c: &Connection, orders: &[CommandRequest]) -> Result<BTreeMap<KeyName, Pinned>, StoreError> {
    let names: BTreeSet<KeyName> = orders.iter().filter_map(CommandRequest::name).collect();
    let mut pinned = BTreeMap::new();
    for name in names {
        let kept: Option<([u8; 32], i64, String)> = c
            .prepare_cached(
                "SELECT fingerprint, at, answer FROM commands WHERE tenant = ?1 AND scope = ?2 AND key = ?3",
            )?
            .query_row(idempotency::columns(&name), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        if let Some((fingerprint, at, text)) = kept {
            let answer = serde_json::from_str(&text)
                .map_err(|error| StoreError::Corrupt(format!("the answer to a command: {error}")))?;
            pinned.insert(name, Pinned::Answer { fingerprint, at: Timestamp(at), answer });
        } else if idempotency::taken_elsewhere(c, &name, KeyUse::Command)? {
            pinned.insert(name, Pinned::Elsewhere);
        }
    }
    Ok(pinned)
}

/// What the commands of one tenant need loaded.
#[derive(Default)]
struct Need {
    /// What each of them burns.
    burns: Vec<i64>,
    /// What they are given in this batch.
    given: i64,
    holds: BTreeSet<HoldId>,
}

/// Loads, in the order of their ids, everything that the commands touch. Also names the tenants of whose
/// holds and lots too many have ended.
///
/// Of those tenants no command may be decided in this batch: with credits still held that have returned by
/// the clock, it could refuse what can be afforded, and that answer would be for ever. Part of what they have
/// is ended now, the rest by the sweep or the next try.
pub(super) fn load<'c>(
    c: &Connection,
    commands: impl Iterator<Item = &'c Command>,
    now: Now,
) -> Result<(Record, BTreeSet<TenantId>), StoreError> {
    let mut needs: BTreeMap<TenantId, Need> = BTreeMap::new();
    for command in commands {
        let need = needs.entry(command.tenant).or_default();
        match command.action {
            CommandAction::Spend { credits } => need.burn(credits),
            CommandAction::Hold { id, credits, .. } => {
                need.burn(credits);
                // It should not be there; if it is, that must show.
                need.holds.insert(id);
            }
            CommandAction::Capture { hold, .. } | CommandAction::Release { hold } => {
                need.holds.insert(hold);
            }
            CommandAction::Adjust { credits, .. } if credits > 0 => {
                need.given = need.given.saturating_add(credits);
            }
            CommandAction::Adjust { credits, .. } => need.burn(Credits(credits.saturating_neg())),
            CommandAction::WriteOff { .. } => {}
        }
    }
    let mut book = book::empty(c)?;
    let mut due = book::Due::new(now);
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
    Ok((Record::new(book, now.at), overdue))
}

impl Need {
    fn burn(&mut self, credits: Credits) {
        self.burns.push(credits.0.max(0));
    }

    /// For how many credits lots are needed. What the tenant cannot have, whatever returns and is given in
    /// this batch, will be refused, and must not have every lot loaded for that.
    fn lots_for(&self, book: &Book, tenant: TenantId) -> Credits {
        let balance = book.tenants.get(&tenant).map(|tenant| tenant.balance).unwrap_or_default();
        let most = (balance.available + balance.held).0.saturating_add(self.given);
        let affordable = self.burns.iter().filter(|burn| **burn <= most);
        Credits(affordable.fold(0, |sum, burn| sum.saturating_add(*burn)))
    }
}
