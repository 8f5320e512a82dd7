//! What operators do: an action is checked, done at once or kept until a second person approves it. The store
//! weighs it against the limits and does it in one commit, so an action is never half done.
//! Not here: which actions take two people and what they do (`store`), and who may ask (`web`).

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

/// What operators do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OperatorActions {
    store: Store,
    clock: Clock,
    policy: Arc<Policy>,
    limits: OperatorLimits,
}

/// An action that an operator asks for.
#[derive(Clone, Debug)]
pub struct ActionOrder {
    /// What to do.
    pub request: ActionRequest,
    /// Why; kept for ever.
    pub reason: String,
    /// The id of the key that asks.
    pub key: String,
    /// The only registered person does alone what needs two.
    pub alone: bool,
    /// The `Idempotency-Key` and the fingerprint of the request, where the route takes one.
    pub name: Option<(String, [u8; 32])>,
}

/// An action that is kept: done, refused by the ledger, or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAction {
    /// As it stands now.
    pub action: ActionRow,
    /// It was asked for before, under the same `Idempotency-Key`.
    pub replayed: bool,
}

impl KeptAction {
    /// Whether it waits for a second person, or did. The answer to the request stays the same after the
    /// decision.
    pub fn waited(&self) -> bool {
        matches!(self.action.state, ActionState::Waiting | ActionState::Rejected)
            || self.action.decided_by.is_some()
    }
}

/// Why an action is not kept. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ActionError {
    /// The tenant is not known: more likely a typo than a customer.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// Another number of keys works again in the restored database than the operator has seen.
    #[error("{found} keys work again, and {expected} were expected")]
    KeysChanged {
        /// As many as the operator has seen.
        expected: u64,
        /// As many as there are.
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

/// Why a second person's decision does not count. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such action.
    #[error("there is no such action")]
    UnknownAction,
    /// The person asked for it themselves.
    #[error("the person who requested it cannot decide it")]
    SamePerson,
    /// The person or their key was registered after it was requested.
    #[error("the person or their key was registered after it was requested")]
    TooNew,
    /// The key acts for no registered person.
    #[error("this key acts for no registered person")]
    NobodyActs,
    /// The credits that it would give have ended by now.
    #[error("the credits that it would give have ended")]
    Ended,
    /// It does not wait, or another decision was made before.
    #[error("it is decided already")]
    AlreadyDecided(Box<ActionRow>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OperatorActions {
    /// Actions in `store`, judged by `policy`, where one person moves no more than `limits` alone.
    pub fn new(store: Store, clock: Clock, policy: Arc<Policy>, limits: OperatorLimits) -> Self {
        Self { store, clock, policy, limits }
    }

    /// Does what is asked for, or keeps it until a second person decides.
    ///
    /// # Errors
    /// [`ActionError`]; of [`StoreError::Unknown`] it is not known whether it was kept.
    pub async fn ask(&self, order: ActionOrder) -> Result<KeptAction, ActionError> {
        self.require_tenant(&order.request).await?;
        let (new, policy) = (self.new_action(order), self.policy.clone());
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
                Ok(KeptAction { action: *action, replayed })
            }
        }
    }

    /// What would become of it. Nothing is written.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn preview(&self, order: ActionOrder) -> Result<Preview, ActionError> {
        self.require_tenant(&order.request).await?;
        let (new, policy) = (self.new_action(order), self.policy.clone());
        let preview = self.store.preview_action(new, self.limits, policy, self.clock.reading()).await??;
        match preview.result.refusal {
            Some(refusal) => Err(ActionError::Ledger(refusal)),
            None => Ok(preview),
        }
    }

    /// Takes a second person's decision on an action that waits, and does what they approve. The same
    /// decision with the same key again gets the same answer.
    ///
    /// # Errors
    /// [`DecisionError`]; of [`StoreError::Unknown`] it is not known whether it counts.
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
            DecidedAction::NoRegisteredPerson => Err(DecisionError::NobodyActs),
            DecidedAction::GrantExpired => Err(DecisionError::Ended),
        }
    }

    fn new_action(&self, order: ActionOrder) -> NewAction {
        let ActionOrder { request, reason, key, alone, name } = order;
        let id = format!("act_{}", entropy::unique_id(self.clock.now()).simple());
        NewAction { id, request, reason, key, alone, idempotency_key: name }
    }

    /// Refuses to give credits to a tenant that is not known, or to forgive its debt. It becomes known by its
    /// first purchase or key.
    async fn require_tenant(&self, request: &ActionRequest) -> Result<(), ActionError> {
        match tenant_to_know(request) {
            Some(tenant) if self.store.tenant(tenant).await?.is_none() => Err(ActionError::UnknownTenant),
            Some(_) | None => Ok(()),
        }
    }
}

fn tenant_to_know(request: &ActionRequest) -> Option<TenantId> {
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
