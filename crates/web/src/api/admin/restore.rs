//! `/api/admin/restore`: what was restored from a backup. An operator confirms, and the service resumes.
//! Not here: restoring a backup (`store`, with the service stopped), and what stands still meanwhile.

use axum::response::Response;
use engine::actions::{BackupKey, working_again};
use serde::{Deserialize, Serialize};
use store::RestoreRow;
use utoipa::ToSchema;

use super::actions::{ActionView, reason, respond};
use super::keys::KeyView;
use crate::answer::{Data, rfc3339};
use crate::api::{Operator, Received, body};

/// Show what was restored
///
/// A database that was restored from a backup stands still until an operator confirms it: events are stored,
/// and nothing is applied, spent, expired or told to others. Keys that were revoked or had expired after the
/// backup was made work again: they are listed, to be revoked first.
#[utoipa::path(get, path = "/api/admin/restore", operation_id = "show_restore", tag = "Operation",
    responses((status = 200, body = Data<RestoreView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let Some(restore) = request.store().unconfirmed_restore().await? else {
                return Ok(request.meta.data(RestoreView::default()));
            };
            let found = request.app.actions.backup_keys(&restore, request.meta.at).await?;
            let keys_working_again = working_again(&found);
            let keys = found.iter().map(RestoredKey::of).collect();
            Ok(request.meta.data(RestoreView { keys_working_again, keys, ..RestoreView::of(&restore) }))
        })
        .await
}

/// Why the restored database is right, and how many keys work again in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "expected_keys": 0, "reason": "the disk failed; this is our newest backup" }))]
struct Confirmation {
    /// How many keys work again that were revoked or had expired: `keys_working_again`, as it was shown.
    /// Where it is another number by now, nothing is confirmed.
    expected_keys: u64,
    /// Why; kept for ever.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Confirm what was restored
///
/// The service resumes at once: what was stored meanwhile is applied, holds and credits whose time is up end,
/// and notices are sent. Keys that work again keep working, so their number must be named. It is an action of
/// the person who confirms it.
#[utoipa::path(post, path = "/api/admin/restore/confirm", operation_id = "confirm_restore", tag = "Operation",
    request_body = Confirmation,
    responses((status = 200, body = Data<ActionView>),
        (status = 403, description = "FORBIDDEN"),
        (status = 409, description = "NO_RESTORE_TO_CONFIRM, COUNT_CHANGED")))]
pub(crate) async fn confirm(Operator { request, caller }: Operator, received: Received) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let Confirmation { expected_keys, reason: why } = body(&request, received)?;
            let why = reason(why)?;
            let kept = request.app.actions.confirm_restore(expected_keys, why, caller.key.id).await?;
            Ok(respond(&request, &kept))
        })
        .await
}

/// What is wrong, what it means and what to do, while a restore is unconfirmed.
pub(super) fn message(restore: &RestoreRow) -> String {
    let newest =
        restore.newest.map_or_else(|| "which is empty".to_owned(), |at| format!("of {}", rfc3339(at)));
    format!(
        "This database was restored from a backup {newest}, and no operator has confirmed it. Events are \
         stored, and nothing is applied, spent, expired or told to others. Look with `faireplace restore`, \
         then confirm: `faireplace restore --confirm --reason WHY`."
    )
}

/// What was restored and is not confirmed; of nothing, every field is null or empty.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Restore, example = json!({ "unconfirmed": true, "restored_at": "2026-11-23T12:00:00Z",
    "newest_at": "2026-11-23T02:00:00Z", "source": "backups/monday.db",
    "replaced": "faireplace.db.replaced-20261123T120000Z", "events_since": 3, "keys_working_again": 1,
    "keys": [{ "was_revoked": true, "key": { "id": "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "name": "shop",
        "kind": "tenant", "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "person_id": null,
        "permissions": ["credits:read"], "created_at": "2026-11-22T12:00:02Z", "expires_at": null,
        "revoked_at": null } }],
    "message": "This database was restored from a backup of 2026-11-23T02:00:00Z, …" }))]
struct RestoreView {
    /// Whether everything stands still.
    unconfirmed: bool,
    #[schema(format = DateTime)]
    restored_at: Option<String>,
    /// The newest moment in the backup: what happened after it is not in this database.
    #[schema(format = DateTime)]
    newest_at: Option<String>,
    /// The file that was restored.
    source: Option<String>,
    /// Where the database before it was moved; null where there was none.
    replaced: Option<String>,
    /// Events that were stored since, and wait.
    events_since: i64,
    /// How many of the keys work again that were revoked or had expired, or may have been: those whose
    /// `was_revoked` is true or null. The confirmation names this number.
    keys_working_again: u64,
    /// The keys of the backup that work.
    keys: Vec<RestoredKey>,
    /// What that means, and what to do.
    message: Option<String>,
}

/// A key of the backup that works.
#[derive(Serialize, ToSchema)]
struct RestoredKey {
    /// Whether it did not work any more in the database before; null where that one could not be read.
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
