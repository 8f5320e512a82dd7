//! The words that the cases about commands are written in: a till of one tenant, at which each command gets a
//! key of its own unless the case gives it one.

use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{
    Allocation, Balance, Cause, Command, CommandAction, Credits, HoldId, Now, Receipt, Refusal, TenantId,
    Timestamp,
};
use store::{CommandOutcome, CommandRequest, IdempotencyKey, Scope, Store, StoreError};
use uuid::Uuid;

use super::sale::{NOW, tenant};

/// A number that no key was made of yet.
static UNUSED: AtomicU64 = AtomicU64::new(0);

/// An order by tenant 1 at this till, under the key `key`.
pub(crate) fn order(key: &str, action: CommandAction) -> CommandRequest {
    order_of(tenant(1), key, action)
}

/// An order by any tenant. Its fingerprint is made of what it asks.
pub(crate) fn order_of(tenant: TenantId, key: &str, action: CommandAction) -> CommandRequest {
    let mut fingerprint = [0; 32];
    for (index, byte) in format!("{action:?}").bytes().enumerate() {
        fingerprint[index % 32] ^= byte.rotate_left(index as u32 / 32);
    }
    let command = Command { tenant, cause: Cause::Command(key.to_owned()), reference: None, action };
    CommandRequest {
        command,
        pin: Some(IdempotencyKey { scope: Scope::Tenant, key: key.to_owned(), fingerprint }),
    }
}

/// The same, of which nothing is written.
pub(crate) fn dry(order: CommandRequest) -> CommandRequest {
    CommandRequest { pin: None, ..order }
}

pub(crate) fn spend(credits: i64) -> CommandAction {
    CommandAction::Spend { credits: Credits(credits) }
}

/// The hold of this number, for an hour.
pub(crate) fn hold(number: u128, credits: i64) -> CommandAction {
    hold_for(number, credits, 3600)
}

pub(crate) fn hold_for(number: u128, credits: i64, lasts_seconds: i64) -> CommandAction {
    CommandAction::Hold { id: hold_id(number), credits: Credits(credits), lasts_seconds }
}

pub(crate) fn hold_id(number: u128) -> HoldId {
    HoldId(Uuid::from_u128(number))
}

pub(crate) fn capture(number: u128, credits: Option<i64>) -> CommandAction {
    CommandAction::Capture { hold: hold_id(number), credits: credits.map(Credits) }
}

pub(crate) fn release(number: u128) -> CommandAction {
    CommandAction::Release { hold: hold_id(number) }
}

/// An operator gives so many (or takes some), to burn at this priority and until then.
pub(crate) fn give(credits: i64, priority: u8, expires_at: Option<Timestamp>) -> CommandAction {
    CommandAction::Adjust { credits, priority, expires_at }
}

/// What became of orders that were given in one batch, at this moment.
pub(crate) async fn batch(
    store: &Store,
    orders: Vec<CommandRequest>,
    at: Timestamp,
) -> Vec<Result<CommandOutcome, StoreError>> {
    store.execute_commands(orders, Now::trusted(at)).await.unwrap()
}

/// What became of one order.
pub(crate) async fn ask(store: &Store, order: CommandRequest, at: Timestamp) -> Result<Receipt, Refusal> {
    match batch(store, vec![order], at).await.remove(0).unwrap() {
        CommandOutcome::Decided { answer, .. } => answer,
        CommandOutcome::KeyReused => panic!("the key was used for something else"),
    }
}

/// Does one thing now, under a key that nobody used; the lots that it took from, as `lot:credits`.
pub(crate) async fn does(store: &Store, action: CommandAction) -> Result<String, Refusal> {
    let key = format!("{action:?} {}", UNUSED.fetch_add(1, Ordering::Relaxed));
    ask(store, order(&key, action), NOW).await.map(|receipt| allocations(&receipt.allocations))
}

pub(crate) fn allocations(taken: &[Allocation]) -> String {
    let lines = taken.iter().map(|line| format!("{}:{}", line.lot, line.credits));
    lines.collect::<Vec<_>>().join(" ")
}

/// Does each of these, so many seconds from now, in a batch of its own, and compares what became of it: the
/// lots it took from (or to which it returned) and the balance after it, or the refusal.
pub(crate) async fn statement(store: &Store, lines: &[(i64, CommandAction, &str)]) {
    for (index, (seconds, action, expected)) in lines.iter().enumerate() {
        let key = format!("{action:?} {}", UNUSED.fetch_add(1, Ordering::Relaxed));
        let answer = ask(store, order(&key, *action), NOW.plus_seconds(*seconds)).await;
        assert_eq!(words(&answer), *expected, "line {index}: {action:?}");
    }
}

/// An answer in a few words.
pub(crate) fn words(answer: &Result<Receipt, Refusal>) -> String {
    match answer {
        Ok(Receipt { allocations: taken, balance_after, .. }) => {
            let Balance { available, held, frozen, debt } = balance_after;
            format!("{} | {available} {held} {frozen} {debt}", allocations(taken)).trim().to_owned()
        }
        Err(Refusal::NotPositive) => "not positive".to_owned(),
        Err(Refusal::Insufficient { requested, available, debt }) => {
            format!("{requested} of {available}, {debt} owed")
        }
        Err(Refusal::NoSuchHold) => "no such hold".to_owned(),
        Err(Refusal::HoldResolved { state }) => format!("{state} before"),
        Err(Refusal::CaptureExceedsHold { requested, held }) => format!("{requested} of {held} held"),
        Err(Refusal::DebtTooSmall { debt }) => format!("only {debt} owed"),
    }
}

/// What became of so many orders, each in a few words, and when. All of them must have been decided.
pub(crate) fn decided<const N: usize>(
    answers: Vec<Result<CommandOutcome, StoreError>>,
) -> [(String, Timestamp); N] {
    let decided: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(CommandOutcome::Decided { answer, at, .. }) => (words(&answer), at),
            other => panic!("not decided out: {other:?}"),
        })
        .collect();
    decided.try_into().unwrap()
}
