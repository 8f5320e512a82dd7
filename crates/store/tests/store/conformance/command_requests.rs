//! Fixtures for commands. Each command gets its own idempotency key unless the case provides one.

use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{
    Allocation, Balance, Cause, Command, CommandAction, Credits, HoldId, Now, Receipt, Refusal, TenantId,
    Timestamp,
};
use store::{CommandOutcome, CommandRequest, IdempotencyKey, Scope, Store, StoreError};
use uuid::Uuid;

use super::test_purchase::{NOW, tenant};

/// The next number for an unused key.
static UNUSED: AtomicU64 = AtomicU64::new(0);

/// A request of tenant 1 with this idempotency key.
pub(crate) fn request(key: &str, action: CommandAction) -> CommandRequest {
    request_by(tenant(1), key, action)
}

/// A request of any tenant. Its fingerprint is derived from the action.
pub(crate) fn request_by(tenant: TenantId, key: &str, action: CommandAction) -> CommandRequest {
    let mut fingerprint = [0; 32];
    for (index, byte) in format!("{action:?}").bytes().enumerate() {
        fingerprint[index % 32] ^= byte.rotate_left(index as u32 / 32);
    }
    let command = Command { tenant, cause: Cause::Command(key.to_owned()), reference: None, action };
    CommandRequest {
        command,
        idempotency_key: Some(IdempotencyKey { scope: Scope::Tenant, key: key.to_owned(), fingerprint }),
    }
}

/// The same as a dry run.
pub(crate) fn dry_run(request: CommandRequest) -> CommandRequest {
    CommandRequest { idempotency_key: None, ..request }
}

pub(crate) fn spend(credits: i64) -> CommandAction {
    CommandAction::Spend { credits: Credits(credits) }
}

/// A hold with this number, for an hour.
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

/// An operator adds or removes credits, with this priority and expiry.
pub(crate) fn adjust(credits: i64, priority: u8, expires_at: Option<Timestamp>) -> CommandAction {
    CommandAction::Adjust { credits, priority, expires_at }
}

/// Executes requests in one batch at this time.
pub(crate) async fn execute_batch(
    store: &Store,
    requests: Vec<CommandRequest>,
    at: Timestamp,
) -> Vec<Result<CommandOutcome, StoreError>> {
    store.execute_commands(requests, Now::trusted(at)).await.unwrap()
}

/// Executes one request.
pub(crate) async fn execute(
    store: &Store,
    request: CommandRequest,
    at: Timestamp,
) -> Result<Receipt, Refusal> {
    match execute_batch(store, vec![request], at).await.remove(0).unwrap() {
        CommandOutcome::Decided { answer, .. } => answer,
        CommandOutcome::KeyReused => panic!("the key was used for another request"),
    }
}

/// Executes an action now with an unused key, and returns the lots that it took from, as `lot:credits`.
pub(crate) async fn execute_new(store: &Store, action: CommandAction) -> Result<String, Refusal> {
    let key = format!("{action:?} {}", UNUSED.fetch_add(1, Ordering::Relaxed));
    execute(store, request(&key, action), NOW).await.map(|receipt| allocations(&receipt.allocations))
}

pub(crate) fn allocations(taken: &[Allocation]) -> String {
    let lines = taken.iter().map(|line| format!("{}:{}", line.lot, line.credits));
    lines.collect::<Vec<_>>().join(" ")
}

/// Executes each action, so many seconds from now, in a batch of its own, and compares the result: the lots
/// that it took from (or returned to) and the balance after it, or the refusal.
pub(crate) async fn check_each(store: &Store, lines: &[(i64, CommandAction, &str)]) {
    for (index, (seconds, action, expected)) in lines.iter().enumerate() {
        let key = format!("{action:?} {}", UNUSED.fetch_add(1, Ordering::Relaxed));
        let answer = execute(store, request(&key, *action), NOW.plus_seconds(*seconds)).await;
        assert_eq!(summary(&answer), *expected, "line {index}: {action:?}");
    }
}

/// A short form of an answer.
pub(crate) fn summary(answer: &Result<Receipt, Refusal>) -> String {
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

/// The short form and the time of each answer. All must have been decided.
pub(crate) fn summaries<const N: usize>(
    answers: Vec<Result<CommandOutcome, StoreError>>,
) -> [(String, Timestamp); N] {
    let decided: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(CommandOutcome::Decided { answer, at, .. }) => (summary(&answer), at),
            other => panic!("not decided: {other:?}"),
        })
        .collect();
    decided.try_into().unwrap()
}
