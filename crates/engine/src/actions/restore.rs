//! Confirming a restored database. Keys that were revoked after the backup work again, so the operator must
//! state how many of them they have seen.

use ledger::Timestamp;
use store::{ActionRefusal, ActionRequest, KeyRow, RestoreRow};

use super::{ActionError, ActionInput, OperatorActions, RecordedAction};

/// A working key of the backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupKey {
    /// The key.
    pub key: KeyRow,
    /// Whether it no longer worked in the previous database; `None` if that could not be read.
    pub was_revoked: Option<bool>,
}

/// The number of keys that were revoked or had expired, or may have been.
pub fn working_again(keys: &[BackupKey]) -> u64 {
    keys.iter().filter(|key| key.was_revoked != Some(false)).count() as u64
}

impl OperatorActions {
    /// The keys of the backup that work at `now`, without those created since the restore.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn backup_keys(
        &self,
        restore: &RestoreRow,
        now: Timestamp,
    ) -> Result<Vec<BackupKey>, ActionError> {
        let keys = self.store.keys().await?.into_iter();
        let working = keys.filter(|key| key.works(now) && key.created_at <= restore.restored_at);
        let revoked = restore.revoked_keys.as_ref();
        let found = working.map(|key| {
            let was_revoked = revoked.map(|revoked| revoked.contains(&key.id));
            BackupKey { key, was_revoked }
        });
        Ok(found.collect())
    }

    /// Confirms the restore if `expected` keys work again, so that the service resumes.
    ///
    /// # Errors
    /// [`ActionError`]: among others, [`ActionRefusal::NoRestore`] and [`ActionError::KeysChanged`].
    pub async fn confirm_restore(
        &self,
        expected: u64,
        reason: String,
        key: String,
    ) -> Result<RecordedAction, ActionError> {
        let restore = self.store.unconfirmed_restore().await?.ok_or(ActionRefusal::NoRestore)?;
        let found = working_again(&self.backup_keys(&restore, self.clock.now()).await?);
        if found != expected {
            return Err(ActionError::KeysChanged { expected, found });
        }
        let RestoreRow { restored_at, source, .. } = restore;
        let request = ActionRequest::RestoreConfirm { restored_at, source };
        self.request(ActionInput { request, reason, key, alone: false, idempotency_key: None }).await
    }
}
