//! `GET /api/stream`: the notices as server-sent events (html.spec.whatwg.org, server-sent events), for
//! whoever cannot be called. Every stream reads the store from its own place, so one that is slow or far
//! behind costs no memory, and one that was cut resumes where it was.
//! Not here: the deadline for a client that takes nothing (`server`), and what a notice looks like
//! (`engine::notice`).

mod seats;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::notice::render;
use ledger::TenantId;
use store::{NoticeRange, NoticeRow, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::{Reader, Request};
use crate::answer::{Arriving, Problem, ProblemKind};
use crate::app::Shared;
use crate::auth::{CREDITS_READ, Caller, authorization};

pub(crate) use seats::Streams;

/// Where a client was, in its own words when it comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Notices that are read at once.
const BATCH: u32 = 100;
/// Between two looks at the store while it is busy, so that many streams are not many queries per commit.
const GATHER: Duration = Duration::from_millis(50);
/// After how many milliseconds a browser comes back.
const OPENING: &str = "retry: 3000\n\n";
const SIGN_OF_LIFE: &str = ": still here\n\n";

/// What a client reads, as the description of the API shows it.
const EXAMPLE: &str = r#"retry: 3000

id: 31
event: credits.spent
data: {"data":{"credits":1,"sequence":31,…},"timestamp":"2026-11-23T12:00:02Z","type":"credits.spent"}
"#;

/// What happens, as it happens
///
/// Server-sent events: `id` is the notice's `sequence`, `event` its type, `data` the body that endpoints get.
/// Begins now, or after the notice that `Last-Event-ID` (or `last_event_id`) names; an event `gap` says that
/// notices after it are no longer kept. Ends when the service stops or the key does: come back then.
#[utoipa::path(get, path = "/api/stream", operation_id = "follow", tag = "Notices",
    params(
        ("tenant_id" = Option<Uuid>, Query, description = "For operators: of this tenant, and not of all."),
        ("last_event_id" = Option<i64>, Query, minimum = 0,
            description = "Resume after this one, where no header can be sent."),
        ("Last-Event-ID" = Option<i64>, Header, minimum = 0,
            description = "Resume after this one; counts before `last_event_id`.")),
    responses(
        (status = 200, description = "Events, until either side ends it.", content_type = "text/event-stream",
            body = String, example = json!(EXAMPLE)),
        (status = 429, description = "TOO_MANY")))]
pub(crate) async fn follow(Reader { request, caller }: Reader, headers: HeaderMap) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id", "last_event_id"])?;
            let whose = caller.whose(request.query.get("tenant_id"))?;
            let asked = place(&request, &headers)?;
            let limits = request.app.limits;
            let Some(seat) = request.app.streams.take(caller.key.tenant(), &limits) else {
                return Err(Problem::new(
                    ProblemKind::TooMany,
                    "There are as many streams as there may be: close one that you do not need.",
                ));
            };
            let range = request.store().notice_range().await?;
            let (send, frames) = mpsc::channel(1);
            let teller = Teller {
                whose,
                after: asked.map_or(range.latest, |asked| asked.min(range.latest)),
                key: authorization(&headers).unwrap_or_default().to_owned(),
                app: request.app,
                send,
            };
            tokio::spawn(async move {
                if let Err(error) = teller.tell(opening(asked, range)).await {
                    tracing::warn!(%error, "a stream could not be read on; its client comes back");
                }
                drop(seat);
            });
            let fields = [
                (header::CONTENT_TYPE, "text/event-stream"),
                // Proxies that gather answers would keep it to themselves.
                (HeaderName::from_static("x-accel-buffering"), "no"),
            ];
            Ok((fields, Body::new(Arriving(frames))).into_response())
        })
        .await
}

/// After which notice to begin, if the client says.
fn place(request: &Request, headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let wrong = || Problem::value("last_event_id", "the id of an event of this stream, a whole number");
    let sent = headers.get(LAST_EVENT_ID).map(|value| value.to_str().map_err(|_| wrong())).transpose()?;
    let text = sent.filter(|text| !text.is_empty()).or_else(|| request.query.get("last_event_id"));
    let Some(text) = text else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(Some).ok_or_else(wrong)
}

/// What a stream begins with: at once, so that the client knows it is heard.
fn opening(asked: Option<i64>, range: NoticeRange) -> Bytes {
    match asked {
        Some(asked) if asked < range.pruned || asked > range.latest => {
            let (pruned, latest) = (range.pruned, range.latest);
            let data = serde_json::json!({ "asked": asked, "pruned": pruned, "latest": latest });
            format!("{OPENING}event: gap\ndata: {data}\n\n").into()
        }
        _ => Bytes::from_static(OPENING.as_bytes()),
    }
}

/// One stream.
struct Teller {
    app: Shared,
    whose: Option<TenantId>,
    after: i64,
    /// The `Authorization` header, to ask again whether it still works.
    key: String,
    send: mpsc::Sender<io::Result<Bytes>>,
}

impl Teller {
    /// Tells what there is and what comes, until the client goes away, the key ends, or the service does.
    async fn tell(mut self, opening: Bytes) -> Result<(), StoreError> {
        let mut changes = self.app.store.changes();
        let mut draining = self.app.draining.subscribe();
        let every = self.app.limits.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + every, every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut waiting = VecDeque::from([opening]);
        // Whether the store may have more than was read.
        let mut more = true;
        loop {
            if waiting.is_empty() && more {
                let found = self.app.store.notices(self.whose, self.after, BATCH).await?;
                more = found.len() == BATCH as usize;
                // Nothing more for whoever's key was revoked meanwhile.
                if !found.is_empty() && !self.key_works().await {
                    return Ok(());
                }
                self.after = found.last().map_or(self.after, |last| last.seq);
                waiting.extend(found.iter().filter_map(event));
            }
            tokio::select! {
                biased;
                () = ordered(&mut draining) => return Ok(()),
                () = self.send.closed() => return Ok(()),
                _ = heartbeat.tick() => {
                    if !self.key_works().await {
                        return Ok(());
                    }
                    // Whoever has not taken the last thing yet needs no sign.
                    let _ = self.send.try_send(Ok(Bytes::from_static(SIGN_OF_LIFE.as_bytes())));
                    more = true;
                }
                permit = self.send.reserve(), if !waiting.is_empty() => {
                    let Ok(permit) = permit else { return Ok(()) };
                    if let Some(next) = waiting.pop_front() {
                        permit.send(Ok(next));
                    }
                }
                () = news(&mut changes), if waiting.is_empty() && !more => more = true,
            }
        }
    }

    async fn key_works(&self) -> bool {
        let now = self.app.clock.now();
        let caller = Caller::authenticate(Some(&self.key), &self.app.store, now).await;
        caller.is_ok_and(|caller| caller.require(CREDITS_READ).is_ok())
    }
}

/// Resolves when the service is told to stop.
async fn ordered(draining: &mut watch::Receiver<bool>) {
    // The sender lives as long as the service.
    let _ = draining.wait_for(|draining| *draining).await;
}

async fn news(changes: &mut watch::Receiver<()>) {
    // The sender lives as long as the store.
    let _ = changes.changed().await;
    sleep(GATHER).await;
}

/// None where it cannot be read: what comes after it is told all the same.
fn event(notice: &NoticeRow) -> Option<Bytes> {
    let body = render(notice).inspect_err(|fault| {
        tracing::error!(sequence = notice.seq, fault, "a stream leaves out a notice");
    });
    Some(format!("id: {}\nevent: {}\ndata: {}\n\n", notice.seq, notice.kind, body.ok()?).into())
}
