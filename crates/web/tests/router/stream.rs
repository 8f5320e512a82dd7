//! `GET /api/stream`: the events that a stream sends, its start position, and when it ends.
//! `server.rs` tests a client that reads nothing, `e2e` the connections.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;
use web::Limits;

use crate::answer::Answer;
use crate::tenant_client::TenantClient;
use crate::{OTHER, TENANT};

/// Longer than any step of these tests takes.
const PATIENCE: Duration = Duration::from_secs(10);
const OPENING: &str = "retry: 3000\n\n";

/// An open stream.
struct Stream(Body);

impl Stream {
    async fn try_open(client: &TenantClient, key: &str, query: &str, last: Option<&str>) -> Response<Body> {
        let mut request = Request::get(format!("/api/stream{query}"));
        request = request.header("authorization", format!("Bearer {key}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        client.deployment.send_raw(request.body(Body::empty()).unwrap()).await
    }

    /// Opens a stream.
    async fn open(client: &TenantClient, key: &str, query: &str, last: Option<&str>) -> Self {
        let response = Self::try_open(client, key, query, last).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self(response.into_body())
    }

    /// Opens a stream and reads its opening chunk.
    async fn opened(client: &TenantClient, key: &str, query: &str, last: Option<&str>) -> Self {
        let mut stream = Self::open(client, key, query, last).await;
        assert_eq!(stream.chunk().await.as_deref(), Some(OPENING));
        stream
    }

    /// The next chunk; none at the end.
    async fn chunk(&mut self) -> Option<String> {
        let frame = timeout(PATIENCE, self.0.frame()).await.expect("the stream sends something or ends");
        let bytes = frame?.unwrap().into_data().unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Waits for the end, past any heartbeats.
    async fn ends(&mut self) {
        let ending = async { while self.chunk().await.is_some() {} };
        timeout(PATIENCE, ending).await.expect("the stream ends");
    }

    /// The next event, past any heartbeats: its id and type, and its data.
    async fn event(&mut self) -> (String, Value) {
        loop {
            let chunk = self.chunk().await.expect("the stream goes on");
            if chunk.starts_with(':') {
                continue;
            }
            let field = |name: &str| {
                let line = chunk.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().to_owned()
            };
            let data = serde_json::from_str(&field("data: ")).unwrap();
            assert!(chunk.ends_with("\n\n"), "{chunk:?}");
            return (format!("{} {}", field("id: "), field("event: ")), data);
        }
    }
}

fn limits(heartbeat: u64) -> Limits {
    Limits { heartbeat: Duration::from_millis(heartbeat), ..Limits::default() }
}

#[tokio::test]
async fn new_and_missed_events_are_sent() {
    let client = TenantClient::new().await;
    // The purchase created notice 1 (granted) and maybe more; the stream starts after them.
    let mut stream = Stream::opened(&client, &client.key, "", None).await;
    client.spend("a", 1).await.data();
    let (name, data) = stream.event().await;
    let sequence = data["data"]["sequence"].as_i64().unwrap();
    assert_eq!(name, format!("{sequence} credits.spent"));
    assert_eq!((&data["type"], &data["data"]["tenant_id"]), (&"credits.spent".into(), &TENANT.into()));
    assert_eq!(data["timestamp"], "2024-02-20T10:41:40Z");
    drop(stream);
    client.spend("b", 1).await.data();
    client.hold("c", 1).await;
    let last = sequence.to_string();
    for (query, header) in [
        (String::new(), Some(last.as_str())),
        (format!("?last_event_id={last}"), None),
        ("?last_event_id=0".to_owned(), Some(last.as_str())),
        (format!("?last_event_id={last}"), Some("")),
    ] {
        let mut stream = Stream::opened(&client, &client.key, &query, header).await;
        let (spent, held) = (stream.event().await.0, stream.event().await.0);
        let expected = [format!("{} credits.spent", sequence + 1), format!("{} hold.created", sequence + 2)];
        assert_eq!([spent, held], expected, "{query} {header:?}");
    }
    let mut all = Stream::opened(&client, &client.key, "?last_event_id=0", None).await;
    assert_eq!(all.event().await.0, "1 credits.granted");
}

#[tokio::test]
async fn tenants_receive_their_own_events_and_operators_all_or_one() {
    let client = TenantClient::new().await;
    let stranger = client.stranger().await;
    let operator = client.deployment.operator.clone();
    let mut theirs = Stream::opened(&client, &stranger, "?last_event_id=0", None).await;
    let mut all = Stream::opened(&client, &operator, "?last_event_id=0", None).await;
    let mut none =
        Stream::opened(&client, &operator, &format!("?last_event_id=0&tenant_id={OTHER}"), None).await;
    let adjustment = json!({ "tenant_id": OTHER, "credits": 5, "reason": "a test" }).to_string();
    let bearer = format!("Bearer {operator}");
    let request = Request::post("/api/admin/adjustments").header("authorization", bearer);
    let request = request.header("idempotency-key", "adjustment").body(Body::from(adjustment)).unwrap();
    assert_eq!(client.deployment.send(request).await.status, 200);
    assert_eq!(all.event().await.1["data"]["tenant_id"], TENANT);
    for stream in [&mut theirs, &mut none] {
        let (name, data) = stream.event().await;
        assert!(name.ends_with(" credits.adjusted"), "a notice of the other tenant: {name}");
        assert_eq!(data["data"]["tenant_id"], OTHER);
    }
}

#[tokio::test]
async fn a_gap_of_pruned_events_is_reported() {
    let client = TenantClient::new().await;
    client.spend("a", 1).await.data();
    client.deployment.pass(60);
    assert!(client.deployment.app.store.prune_notices(client.deployment.now(), 1).await.unwrap() > 0);
    let range = client.deployment.app.store.notice_range().await.unwrap();
    assert_eq!(range.pruned, 1);
    let gap = async |requested: i64| {
        let query = format!("?last_event_id={requested}");
        let mut stream = Stream::opened(&client, &client.key, &query, None).await;
        stream.chunk().await.unwrap()
    };
    let expected = |requested: i64| {
        let data = json!({ "requested": requested, "pruned": range.pruned, "latest": range.latest });
        format!("event: gap\ndata: {data}\n\n")
    };
    assert_eq!(gap(0).await, expected(0));
    assert_eq!(gap(99).await, expected(99), "an id from another database");
    for kept in [range.pruned, range.latest] {
        let mut stream = Stream::opened(&client, &client.key, &format!("?last_event_id={kept}"), None).await;
        client.spend(&format!("after{kept}"), 1).await.data();
        let next = format!("{} credits.spent", kept + 1);
        assert_eq!(stream.event().await.0, next, "nothing is missing after it");
    }
    for requested in ["-1", "x", "1.0", "+1", " ", "99999999999999999999"] {
        let response = Stream::try_open(&client, &client.key, "", Some(requested)).await;
        assert_eq!(Answer::of(response).await.status, 422, "{requested:?}");
    }
}

#[tokio::test]
async fn a_stream_sends_heartbeats_and_ends_with_its_key() {
    let client = TenantClient::with(limits(10)).await;
    let (id, key) = client.deployment.key(TENANT, store::Access::Read, None).await;
    let ends = Some(client.deployment.now().plus_seconds(60));
    let (_, short) = client.deployment.key(TENANT, store::Access::Read, ends).await;
    let mut streams = [
        Stream::opened(&client, &key, "", None).await,
        Stream::opened(&client, &short, "", None).await,
        Stream::opened(&client, &client.key, "", None).await,
    ];
    for stream in &mut streams {
        assert_eq!(stream.chunk().await.as_deref(), Some(": still here\n\n"));
    }
    client.deployment.revoke(&id).await;
    client.deployment.pass(60);
    let [revoked, expired, other] = &mut streams;
    for stream in [revoked, expired] {
        stream.ends().await;
    }
    // When the service shuts down, the other streams end too.
    assert!(other.chunk().await.is_some());
    client.deployment.app.draining.send_replace(true);
    other.ends().await;
}

#[tokio::test]
async fn the_number_of_streams_is_limited() {
    let client = TenantClient::with(Limits { streams: 6, ..limits(10) }).await;
    let mut open = Vec::new();
    let full = async |key: &str| {
        let response = Stream::try_open(&client, key, "", None).await;
        timeout(PATIENCE, Answer::of(response)).await.expect("the response is not a stream").summary()
    };
    for _ in 0..4 {
        open.push(Stream::opened(&client, &client.key, "", None).await);
    }
    assert!(full(&client.key).await.starts_with("429 TOO_MANY "));
    open.push(Stream::opened(&client, &client.stranger().await, "", None).await);
    open.push(Stream::opened(&client, &client.deployment.operator, "", None).await);
    assert!(full(&client.deployment.operator).await.starts_with("429 TOO_MANY "));
    open.clear();
    // Closed streams release their slots; each of these attempts takes one and releases it.
    let again = async {
        while Stream::try_open(&client, &client.key, "", None).await.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("slots are released");
}
