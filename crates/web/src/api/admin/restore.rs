//! `/api/admin/restore`: confirming a restored backup. The store restores it, with the service stopped.

use axum::response::Response;
use engine::actions::{BackupKey, working_again};
use serde::{Deserialize, Serialize};
use store::RestoreRow;
use utoipa::ToSchema;

use super::actions::{ActionView, reason, respond};
use super::keys::KeyView;
use crate::answer::{Data, Problem, rfc3339};
use crate::api::{Operator, ReceivedBody, body};

/// Retrieve the status of a restore
///
/// After a restore from a backup, events are stored, but nothing is applied, spent, expired or sent until an
/// operator confirms the restore. Keys that were revoked or that expired after the backup was made work
/// again. They are listed, so that you can revoke them first.
#[utoipa::path(get, path = "/api/admin/restore", operation_id = "show_restore", tag = "Operation",
    responses((status = 200, body = Data<RestoreView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Result<Data<RestoreView>, Problem> {
    request.query.only(&[])?;
    let Some(restore) = request.store().unconfirmed_restore().await? else {
        return Ok(Data::of(RestoreView::default()));
    };
    let found = request.app.actions.backup_keys(&restore, request.now).await?;
    let keys_working_again = working_again(&found);
    let keys = found.iter().map(RestoredKey::of).collect();
    Ok(Data::of(RestoreView { keys_working_again, keys, ..RestoreView::of(&restore) }))
}

/// The confirmation of a restore.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "expected_keys": 0, "reason": "the disk failed; this is our newest backup" }))]
struct RestoreConfirmation {
    /// The number of keys that work again: the value of `keys_working_again` that you saw. If it has changed,
    /// nothing is confirmed.
    expected_keys: u64,
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Confirm a restore
///
/// The service resumes at once: stored events are applied, holds and credits that are due expire, and notices
/// are sent. Keys that work again keep working, so the request must state their number. The confirmation is
/// recorded as an action of the person who confirms.
#[utoipa::path(post, path = "/api/admin/restore/confirm", operation_id = "confirm_restore", tag = "Operation",
    request_body = RestoreConfirmation,
    responses((status = 200, body = Data<ActionView>),
        (status = 403, description = "FORBIDDEN"),
        (status = 409, description = "NO_RESTORE_TO_CONFIRM, COUNT_CHANGED")))]
pub(crate) async fn confirm(
    Operator { request, caller }: Operator,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let RestoreConfirmation { expected_keys, reason: why } = body(&request, received)?;
    let why = reason(why)?;
    let kept = request.app.actions.confirm_restore(expected_keys, why, caller.key.id).await?;
    Ok(respond(&kept))
}

/// The message while a restore is unconfirmed.
pub(super) fn message(restore: &RestoreRow) -> String {
    let newest =
        restore.newest.map_or_else(|| "which is empty".to_owned(), |at| format!("of {}", rfc3339(at)));
    format!(
        "This database was restored from a backup {newest}, and no operator has confirmed it. Events are \
         stored, and nothing is applied, spent, expired or sent to others. Look with `faireplace restore`, \
         then confirm: `faireplace restore --confirm --reason WHY`."
    )
}

/// The restore that awaits confirmation. Without one, every field is null or empty.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Restore, example = json!({ "unconfirmed": true, "restored_at": "2026-11-23T12:00:00Z",
    "newest_at": "2026-11-23T02:00:00Z", "source": "backups/monday.db",
    "replaced": "faireplace.db.replaced-20261123T120000Z", "events_since": 3, "keys_working_again": 1,
    "keys": [{ "was_revoked": true, "key": { "id": "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "name": "shop",
        "kind": "tenant", "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "person_id": null,
        "permissions": ["credits:read"], "created_at": "2026-11-22T12:00:02Z", "expires_at": null,
        "revoked_at": null } }],
    "message": "This database was restored from a backup of 2026-11-23T02:00:00Z, …" }))]
pub(crate) struct RestoreView {
    /// Whether a restore awaits confirmation.
    unconfirmed: bool,
    #[schema(format = DateTime)]
    restored_at: Option<String>,
    /// The newest time in the backup: later changes are not in this database.
    #[schema(format = DateTime)]
    newest_at: Option<String>,
    /// The backup file.
    source: Option<String>,
    /// Where the previous database was moved; null if there was none.
    replaced: Option<String>,
    /// Events stored since the restore, not applied yet.
    events_since: i64,
    /// The number of keys with `was_revoked` true or null. They work again although they were, or may have
    /// been, revoked or expired. The confirmation must state this number.
    keys_working_again: u64,
    /// The keys in the backup that work.
    keys: Vec<RestoredKey>,
    /// What this means, and what to do.
    message: Option<String>,
}

/// A key in the backup that works.
#[derive(Serialize, ToSchema)]
struct RestoredKey {
    /// Whether it no longer worked in the previous database; null if that could not be read.
    was_revoked: Option<bool>,
    key: KeyView,
}

impl RestoredKey {
    fn of(backup: &BackupKey) -> Self {
        Self { was_revoked: backup.was_revoked, key: KeyView::of(&backup.key) }
    }
}

impl RestoreView {
    fn of(restore: &RestoreRow) -> Self {
        Self {
            unconfirmed: true,
            restored_at: Some(rfc3339(restore.restored_at)),
            newest_at: restore.newest.map(rfc3339),
            source: Some(restore.source.clone()),
            replaced: restore.replaced.clone(),
            events_since: restore.events_since,
            keys_working_again: 0,
            keys: Vec::new(),
            message: Some(message(restore)),
        }
    }
}
