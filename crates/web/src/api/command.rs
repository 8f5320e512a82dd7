//! Sends a command to the queue with its idempotency key, and turns the outcome into a response. Every
//! command of the API goes through here, so that a receipt, a refusal, a replay and an unknown outcome look
//! the same. The ledger decides what a command does.

use ledger::{Cause, Command, CommandAction, Credits, HoldState, Receipt, Refusal, TenantId};
use serde::Serialize;
use serde_json::{Value, json};
use store::{CommandOutcome, CommandRequest, IdempotencyKey, StoreError};
use tokio::time::timeout;

use super::{Request, fingerprint};
use crate::answer::{Problem, ProblemKind, Replayable};
use crate::api::plain_text::{counted, is_plain};
use crate::auth::Caller;

/// The most credits of one command.
pub(crate) const MAX_CREDITS: i64 = 1_000_000_000;
/// Characters that a reference may have.
const MAX_REFERENCE: usize = 255;

/// A command whose request was read and is valid.
pub(crate) struct ValidatedCommand<'a, V> {
    /// The tenant whose credits it moves.
    pub(crate) tenant: TenantId,
    /// The `Idempotency-Key`; none for a dry run, which is decided and changes nothing.
    pub(crate) key: Option<String>,
    /// The command's name in its fingerprint. It never changes.
    pub(crate) name: &'a str,
    /// The values of the request, for the fingerprint: without generated ids and the time.
    pub(crate) values: V,
    /// The tenant's own reference.
    pub(crate) reference: Option<String>,
    /// The action.
    pub(crate) action: CommandAction,
}

/// Executes a command; `respond` makes the response from its receipt. A client that disconnects stops
/// nothing: the queue completes every command that it has accepted.
///
/// # Errors
/// The ledger's refusal, or 503 where the command was not executed in time.
pub(crate) async fn execute<R>(
    request: &Request,
    caller: &Caller,
    command: ValidatedCommand<'_, impl Serialize>,
    respond: impl FnOnce(&Receipt) -> Result<R, Problem>,
) -> Result<Replayable<R>, Problem> {
    let ValidatedCommand { tenant, key, name, values, reference, action } = command;
    let dry = key.is_none();
    let cause = Cause::Command(key.clone().unwrap_or_default());
    let idempotency_key = key.map(|key| IdempotencyKey {
        scope: caller.scope(),
        key,
        fingerprint: fingerprint(name, tenant, &values),
    });
    let command = CommandRequest { command: Command { tenant, cause, reference, action }, idempotency_key };
    let answered = match timeout(request.app.limits.command, request.app.commands.submit(command)).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(StoreError::Unknown(_) | StoreError::FileChanged(_))) | Err(_) if !dry => {
            return Err(unknown());
        }
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => return Err(StoreError::Busy.into()),
    };
    match answered {
        CommandOutcome::KeyReused => Err(key_reused()),
        CommandOutcome::Decided { answer, replayed, .. } => match answer {
            Ok(receipt) => Ok(Replayable { response: respond(&receipt)?, replayed }),
            Err(refusal) => Err(refused(refusal).replayed(replayed)),
        },
    }
}

/// The response to a refusal. It is the same for every command.
pub(crate) fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotPositive => out_of_range("credits", 1, MAX_CREDITS),
        Refusal::Insufficient { requested, available, debt } => insufficient(requested, available, debt),
        Refusal::NoSuchHold => Problem::not_found("hold"),
        Refusal::HoldResolved { state } => resolved(state),
        Refusal::CaptureExceedsHold { requested, held } => Problem::new(
            ProblemKind::CaptureExceedsHold,
            format!(
                "{} requested, and this hold has {held}. Nothing was changed, and the hold still stands: \
                 capture at most {held}, under a new Idempotency-Key.",
                were(requested)
            ),
        )
        .with_details(json!({ "requested": requested, "held": held })),
        Refusal::DebtTooSmall { debt } => Problem::new(
            ProblemKind::NoDebt,
            format!("This tenant owes {}. Nothing was changed.", counted(debt)),
        )
        .with_details(json!({ "debt": debt })),
    }
}

fn insufficient(requested: Credits, available: Credits, debt: Credits) -> Problem {
    let message = if debt > Credits::ZERO {
        format!(
            "This tenant owes {}, because a payment was taken back after its credits were used. Nothing was \
             changed. The next purchase repays them first; until then nothing can be spent or held. Then ask \
             again with a new Idempotency-Key: one that was used keeps its answer.",
            counted(debt)
        )
    } else {
        format!(
            "{} requested, and {available} available. Nothing was changed. Ask again after a purchase, with \
             a new Idempotency-Key: one that was used keeps its answer.",
            were(requested)
        )
    };
    Problem::new(ProblemKind::InsufficientCredits, message)
        .with_details(json!({ "requested": requested, "available": available, "debt": debt }))
}

fn resolved(state: HoldState) -> Problem {
    let (kind, what) = match state {
        HoldState::Captured => (ProblemKind::HoldResolved, "was captured before: its credits are spent"),
        HoldState::Released => (ProblemKind::HoldResolved, "was released before: its credits went back"),
        // `Open` does not occur here: the state of an open hold is no reason to refuse.
        HoldState::Expired | HoldState::Open => (
            ProblemKind::HoldExpired,
            "ran out of time: its credits went back, and can be spent or held anew",
        ),
    };
    let message = format!("This hold {what}. A hold ends once, so nothing was changed.");
    Problem::new(kind, message).with_details(json!({ "state": state }))
}

/// The key was used for another command.
pub(crate) fn key_reused() -> Problem {
    Problem::new(
        ProblemKind::IdempotencyKeyReused,
        "This Idempotency-Key was used for another command. Nothing was changed; a new command needs a \
         new key, and a retry must ask for exactly the same as the first time.",
    )
}

fn unknown() -> Problem {
    Problem::new(
        ProblemKind::OutcomeUnknown,
        "This may or may not have been stored. Ask again with the same Idempotency-Key: it is done once, and \
         you get its one answer.",
    )
}

fn were(credits: Credits) -> String {
    format!("{} {}", counted(credits), if credits == Credits(1) { "was" } else { "were" })
}

/// The number of credits in a body.
///
/// Takes any JSON value, so that a value that is not a whole number is refused with its field's name, never
/// rounded.
pub(crate) fn credits(value: &Value) -> Result<Credits, Problem> {
    whole("credits", value, 1, MAX_CREDITS).map(Credits)
}

/// A whole number in a body. `1.0`, `"1"` and `1e0` are refused.
pub(crate) fn whole(field: &str, value: &Value, least: i64, most: i64) -> Result<i64, Problem> {
    let number = value.as_i64().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| out_of_range(field, least, most))
}

fn out_of_range(field: &str, least: i64, most: i64) -> Problem {
    Problem::value(field, &format!("a whole number from {least} to {most}"))
}

/// The reference in a body: a name from the tenant's own system.
pub(crate) fn reference(text: Option<String>) -> Result<Option<String>, Problem> {
    let fits = |text: &String| (1..=MAX_REFERENCE).contains(&text.chars().count()) && is_plain(text);
    match text {
        Some(text) if !fits(&text) => {
            let expected = format!("1 to {MAX_REFERENCE} characters, none of them a control character");
            Err(Problem::value("reference", &expected))
        }
        text => Ok(text),
    }
}
