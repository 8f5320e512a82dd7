//! Actions of operators: an action is checked, then either executed at once or recorded until a second person
//! approves it. The store compares it with the limits and executes it in one commit, so that an action is
//! never half done. Which actions need two people, and their effects, are in `store`.

mod restore;

use std::sync::Arc;

use ledger::{Policy, Refusal, TenantId};
use store::{
    ActionRefusal, ActionRequest, ActionRow, ActionState, ActionVerdict, DecidedAction, NewAction,
    OperatorLimits, Preview, RequestedAction, Store, StoreError,
};

use crate::clock::Clock;
use crate::entropy;

pub use restore::{BackupKey, working_again};

/// Requests and decides actions of operators. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OperatorActions {
    store: Store,
    clock: Clock,
    policy: Arc<Policy>,
    limits: OperatorLimits,
}

/// An action that an operator requests.
#[derive(Clone, Debug)]
pub struct ActionInput {
    /// The change.
    pub request: ActionRequest,
    /// The operator's reason, stored permanently.
    pub reason: String,
    /// The id of the operator key.
    pub key: String,
    /// Whether the only registered person acts without the second one.
    pub alone: bool,
    /// The `Idempotency-Key` and the fingerprint of the request, where the route takes one.
    pub idempotency_key: Option<(String, [u8; 32])>,
}

/// A recorded action: done, refused by the ledger, or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAction {
    /// The current state.
    pub action: ActionRow,
    /// Whether it was requested before with the same `Idempotency-Key`.
    pub replayed: bool,
}

impl RecordedAction {
    /// Whether it waits or waited for a second person. The response to the request stays the same after the
    /// decision.
    pub fn waited(&self) -> bool {
        matches!(self.action.state, ActionState::Waiting | ActionState::Rejected)
            || self.action.decided_by.is_some()
    }
}

/// Why an action was not recorded. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ActionError {
    /// The tenant is not known; an operator's typo must not create a tenant.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// The number of keys that work again in the restored database differs from the number the operator saw.
    #[error("{found} keys work again, and {expected} were expected")]
    KeysChanged {
        /// The number that the operator saw.
        expected: u64,
        /// The actual number.
        found: u64,
    },
    /// The ledger would refuse it.
    #[error(transparent)]
    Ledger(Refusal),
    /// The store refused it.
    #[error(transparent)]
    Refused(#[from] ActionRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a second person's decision was refused. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such action.
    #[error("there is no such action")]
    UnknownAction,
    /// The same person requested it.
    #[error("the person who requested it cannot decide it")]
    SamePerson,
    /// The person or their key was registered after it was requested.
    #[error("the person or their key was registered after it was requested")]
    TooNew,
    /// The key does not belong to a registered person.
    #[error("this key does not belong to a registered person")]
    NoRegisteredPerson,
    /// The credits that it would grant have expired meanwhile.
    #[error("the credits that it would grant have expired")]
    GrantExpired,
    /// It is not waiting, or another decision was made before.
    #[error("it is already decided")]
    AlreadyDecided(Box<ActionRow>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OperatorActions {
    /// Actions in `store` under `policy`; `limits` is what one person may move alone.
    pub fn new(store: Store, clock: Clock, policy: Arc<Policy>, limits: OperatorLimits) -> Self {
        Self { store, clock, policy, limits }
    }

    /// Executes an action, or records it until a second person decides.
    ///
    /// # Errors
    /// [`ActionError`]. After [`StoreError::Unknown`] the action may have been recorded.
    pub async fn request(&self, input: ActionInput) -> Result<RecordedAction, ActionError> {
        self.require_tenant(&input.request).await?;
        let (new, policy) = (self.new_action(input), self.policy.clone());
        let key = new.key.clone();
        match self.store.request_action(new, self.limits, policy, self.clock.reading()).await? {
            RequestedAction::Refused(refusal) => Err(refusal.into()),
            RequestedAction::Recorded { action, replayed } => {
                tracing::info!(
                    action = action.id,
                    kind = action.request.kind().as_str(),
                    state = action.state.as_str(),
                    person = action.asked_by.name,
                    key,
                    "an operator acted"
                );
                Ok(RecordedAction { action: *action, replayed })
            }
        }
    }

    /// The effect that the action would have. Nothing is written.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn preview(&self, input: ActionInput) -> Result<Preview, ActionError> {
        self.require_tenant(&input.request).await?;
        let (new, policy) = (self.new_action(input), self.policy.clone());
        let preview = self.store.preview_action(new, self.limits, policy, self.clock.reading()).await??;
        match preview.result.refusal {
            Some(refusal) => Err(ActionError::Ledger(refusal)),
            None => Ok(preview),
        }
    }

    /// Records a second person's decision on a waiting action, and executes the action if it is approved.
    /// Repeating the same decision with the same key returns the same result.
    ///
    /// # Errors
    /// [`DecisionError`]. After [`StoreError::Unknown`] the decision may have been recorded.
    pub async fn decide(
        &self,
        id: String,
        verdict: ActionVerdict,
        key: String,
    ) -> Result<ActionRow, DecisionError> {
        let rejects = matches!(verdict, ActionVerdict::Reject { .. });
        let (policy, now) = (self.policy.clone(), self.clock.reading());
        let decided = self.store.decide_action(id, verdict, key.clone(), policy, now).await?;
        match decided.ok_or(DecisionError::UnknownAction)? {
            DecidedAction::Decided(row) => Ok(*row),
            DecidedAction::AlreadyDecided(row) => {
                let own = row.decided_by.as_ref().and_then(|by| by.key.as_ref()) == Some(&key);
                let same = own && rejects == (row.state == ActionState::Rejected);
                if same { Ok(*row) } else { Err(DecisionError::AlreadyDecided(row)) }
            }
            DecidedAction::SamePerson => Err(DecisionError::SamePerson),
            DecidedAction::TooNew => Err(DecisionError::TooNew),
            DecidedAction::NoRegisteredPerson => Err(DecisionError::NoRegisteredPerson),
            DecidedAction::GrantExpired => Err(DecisionError::GrantExpired),
        }
    }

    fn new_action(&self, input: ActionInput) -> NewAction {
        let ActionInput { request, reason, key, alone, idempotency_key } = input;
        let id = format!("act_{}", entropy::unique_id(self.clock.now()).simple());
        NewAction { id, request, reason, key, alone, idempotency_key }
    }

    /// Refuses adjustments and write-offs for an unknown tenant. A tenant becomes known by its first purchase
    /// or key.
    async fn require_tenant(&self, request: &ActionRequest) -> Result<(), ActionError> {
        match affected_tenant(request) {
            Some(tenant) if self.store.tenant(tenant).await?.is_none() => Err(ActionError::UnknownTenant),
            Some(_) | None => Ok(()),
        }
    }
}

fn affected_tenant(request: &ActionRequest) -> Option<TenantId> {
    match request {
        ActionRequest::Adjustment { tenant, .. } | ActionRequest::WriteOff { tenant, .. } => Some(*tenant),
        ActionRequest::QuarantineResolve { .. }
        | ActionRequest::QuarantineDismiss { .. }
        | ActionRequest::KeyCreate { .. }
        | ActionRequest::KeyRotate { .. }
        | ActionRequest::KeyRevoke { .. }
        | ActionRequest::PersonAdd { .. }
        | ActionRequest::PersonRemove { .. }
        | ActionRequest::Recovery { .. }
        | ActionRequest::RestoreConfirm { .. } => None,
    }
}
