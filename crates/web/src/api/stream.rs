//! `GET /api/stream`: notices as server-sent events (html.spec.whatwg.org, server-sent events), for clients
//! that no webhook can reach. Every stream reads the store from its own position: a client that is slow or
//! far behind costs no memory, and one that was disconnected resumes where it was. The number of streams is
//! limited in `stream_slots`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use engine::notice::render;
use ledger::TenantId;
use store::{NoticeRange, NoticeRow, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::{CreditsReader, Request};
use crate::answer::{Problem, ProblemKind, ReceiverStream};
use crate::app::Shared;
use crate::auth::{CREDITS_READ, Caller, authorization};

/// The `id` of the last event that the client received, sent when it reconnects.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies such as nginx to pass each event on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Notices per read.
const BATCH: u32 = 100;
/// Between a commit and the next read, so that many commits do not cause many reads on each stream.
const GATHER: Duration = Duration::from_millis(50);
/// After how long a browser reconnects.
const RETRY: Duration = Duration::from_secs(3);
/// A comment that keeps the connection open through proxies.
const KEEP_ALIVE: &str = "still here";

/// An example for the description of the API.
const EXAMPLE: &str = r#"retry: 3000

id: 31
event: credits.spent
data: {"data":{"credits":1,"sequence":31,…},"timestamp":"2026-11-23T12:00:02Z","type":"credits.spent"}
"#;

/// Stream notices
///
/// Sends server-sent events: `id` is the notice's `sequence`, `event` its type, and `data` the body that
/// webhook endpoints receive. The stream starts with new notices, or after the notice given in
/// `Last-Event-ID` (or `last_event_id`). A `gap` event means that some notices after that one are no longer
/// stored. The stream ends when the service stops or the key stops working; then reconnect.
#[utoipa::path(get, path = "/api/stream", operation_id = "follow", tag = "Notices",
    params(
        ("tenant_id" = Option<Uuid>, Query,
            description = "For service keys and operator keys: only this tenant. All tenants by default."),
        ("last_event_id" = Option<i64>, Query, minimum = 0,
            description = "Resume after this notice, for clients that cannot send the header."),
        ("Last-Event-ID" = Option<i64>, Header, minimum = 0,
            description = "Resume after this notice. Takes precedence over `last_event_id`.")),
    responses(
        (status = 200, description = "Events, until either side closes the connection.",
            content_type = "text/event-stream", body = String, example = json!(EXAMPLE)),
        (status = 429, description = "TOO_MANY")))]
pub(crate) async fn follow(
    CreditsReader { request, caller }: CreditsReader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    request.query.only(&["tenant_id", "last_event_id"])?;
    let tenant = caller.whose(request.query.get("tenant_id"))?;
    let last_event_id = last_event_id(&request, &headers)?;
    let slot = request.app.stream_slots.take(caller.key.tenant(), &request.app.limits).ok_or_else(|| {
        let message = "The limit on open streams is reached. Close a stream that you no longer need.";
        Problem::new(ProblemKind::TooMany, message)
    })?;
    let range = request.store().notice_range().await?;
    let (send, events) = mpsc::channel(1);
    let follower = NoticeFollower {
        tenant,
        after: last_event_id.map_or(range.latest, |id| id.min(range.latest)),
        authorization: authorization(&headers).unwrap_or_default().to_owned(),
        app: request.app,
        send,
    };
    tokio::spawn(async move {
        if let Err(error) = follower.run(opening(last_event_id, range)).await {
            tracing::warn!(%error, "a stream ended, because the store could not be read");
        }
        drop(slot);
    });
    let headers = [(header::CACHE_CONTROL, "no-store"), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Sse::new(ReceiverStream(events))).into_response())
}

/// The notice after which to begin, if the client names one.
fn last_event_id(request: &Request, headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let wrong = || Problem::value("last_event_id", "the id of an event of this stream, a whole number");
    let sent = headers.get(LAST_EVENT_ID).map(|value| value.to_str().map_err(|_| wrong())).transpose()?;
    let text = sent.filter(|text| !text.is_empty()).or_else(|| request.query.get("last_event_id"));
    let Some(text) = text else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(Some).ok_or_else(wrong)
}

/// The first events of a stream, sent at once so that the client knows that it is connected.
fn opening(last_event_id: Option<i64>, range: NoticeRange) -> VecDeque<Event> {
    let mut events = VecDeque::from([Event::default().retry(RETRY)]);
    if let Some(asked) = last_event_id
        && (asked < range.pruned || asked > range.latest)
    {
        let data = serde_json::json!({ "requested": asked, "pruned": range.pruned, "latest": range.latest });
        events.push_back(Event::default().event("gap").data(data.to_string()));
    }
    events
}

/// Sends notices to one stream.
struct NoticeFollower {
    app: Shared,
    /// None for all tenants.
    tenant: Option<TenantId>,
    /// The last notice that was read.
    after: i64,
    /// The `Authorization` header, to check again whether the key still works.
    authorization: String,
    send: mpsc::Sender<Result<Event, Infallible>>,
}

impl NoticeFollower {
    /// Sends stored notices and then new ones, until the client disconnects, the key stops working, or the
    /// service stops.
    async fn run(mut self, mut waiting: VecDeque<Event>) -> Result<(), StoreError> {
        let mut changes = self.app.store.changes();
        let mut draining = self.app.draining.subscribe();
        let every = self.app.limits.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + every, every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whether the store may have more than was read.
        let mut more = true;
        loop {
            if waiting.is_empty() && more {
                let found = self.app.store.notices(self.tenant, self.after, BATCH).await?;
                more = found.len() == BATCH as usize;
                // A key that was revoked meanwhile receives nothing more.
                if !found.is_empty() && !self.key_works().await {
                    return Ok(());
                }
                self.after = found.last().map_or(self.after, |last| last.seq);
                waiting.extend(found.iter().filter_map(event));
            }
            tokio::select! {
                biased;
                () = drain_ordered(&mut draining) => return Ok(()),
                () = self.send.closed() => return Ok(()),
                _ = heartbeat.tick() => {
                    if !self.key_works().await {
                        return Ok(());
                    }
                    // A client that has not read the last event yet needs no keep-alive.
                    let _ = self.send.try_send(Ok(Event::default().comment(KEEP_ALIVE)));
                    more = true;
                }
                permit = self.send.reserve(), if !waiting.is_empty() => {
                    let Ok(permit) = permit else { return Ok(()) };
                    if let Some(next) = waiting.pop_front() {
                        permit.send(Ok(next));
                    }
                }
                () = changed(&mut changes), if waiting.is_empty() && !more => more = true,
            }
        }
    }

    async fn key_works(&self) -> bool {
        let now = self.app.clock.now();
        let caller = Caller::authenticate(Some(&self.authorization), &self.app.store, now).await;
        caller.is_ok_and(|caller| caller.require(CREDITS_READ).is_ok())
    }
}

/// Resolves when the service begins to drain.
async fn drain_ordered(draining: &mut watch::Receiver<bool>) {
    // The sender lives as long as the service.
    let _ = draining.wait_for(|draining| *draining).await;
}

async fn changed(changes: &mut watch::Receiver<()>) {
    // The sender lives as long as the store.
    let _ = changes.changed().await;
    sleep(GATHER).await;
}

/// None for a notice that cannot be read; the notices after it are sent all the same.
fn event(notice: &NoticeRow) -> Option<Event> {
    let body = render(notice).inspect_err(|fault| {
        tracing::error!(sequence = notice.seq, fault, "a stream leaves out a notice");
    });
    Some(Event::default().id(notice.seq.to_string()).event(&notice.kind).data(body.ok()?))
}
