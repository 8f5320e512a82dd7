//! `GET /api/stream`: what is heard, from where on, and when it ends.
//! Not here: a client that reads nothing (`server.rs`), and connections (`e2e`).

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

/// Longer than anything here takes.
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

    /// Opens one.
    async fn open(client: &TenantClient, key: &str, query: &str, last: Option<&str>) -> Self {
        let response = Self::try_open(client, key, query, last).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self(response.into_body())
    }

    /// Opens one that begins with nothing but its opening.
    async fn opened(client: &TenantClient, key: &str, query: &str, last: Option<&str>) -> Self {
        let mut stream = Self::open(client, key, query, last).await;
        assert_eq!(stream.piece().await.as_deref(), Some(OPENING));
        stream
    }

    /// What comes next; none at the end.
    async fn piece(&mut self) -> Option<String> {
        let frame = timeout(PATIENCE, self.0.frame()).await.expect("something comes, or the end");
        let bytes = frame?.unwrap().into_data().unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// It ends, after some more signs of life.
    async fn ends(&mut self) {
        let ending = async { while self.piece().await.is_some() {} };
        timeout(PATIENCE, ending).await.expect("the stream ends");
    }

    /// The next event, past signs of life: its id and type, and its data.
    async fn event(&mut self) -> (String, Value) {
        loop {
            let piece = self.piece().await.expect("the stream goes on");
            if piece.starts_with(':') {
                continue;
            }
            let field = |name: &str| {
                let line = piece.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().to_owned()
            };
            let data = serde_json::from_str(&field("data: ")).unwrap();
            assert!(piece.ends_with("\n\n"), "{piece:?}");
            return (format!("{} {}", field("id: "), field("event: ")), data);
        }
    }
}

fn limits(heartbeat: u64) -> Limits {
    Limits { heartbeat: Duration::from_millis(heartbeat), ..Limits::default() }
}

#[tokio::test]
async fn what_happens_is_heard_and_what_was_missed_too() {
    let client = TenantClient::new().await;
    // Buying made the notices 1 (granted) and maybe more; the stream begins after them.
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
async fn tenants_hear_their_own_and_operators_all_or_one() {
    let client = TenantClient::new().await;
    let stranger = client.stranger().await;
    let operator = client.deployment.operator.clone();
    let mut theirs = Stream::opened(&client, &stranger, "?last_event_id=0", None).await;
    let mut all = Stream::opened(&client, &operator, "?last_event_id=0", None).await;
    let mut none =
        Stream::opened(&client, &operator, &format!("?last_event_id=0&tenant_id={OTHER}"), None).await;
    let give = json!({ "tenant_id": OTHER, "credits": 5, "reason": "a test" }).to_string();
    let bearer = format!("Bearer {operator}");
    let request = Request::post("/api/admin/adjustments").header("authorization", bearer);
    let request = request.header("idempotency-key", "give").body(Body::from(give)).unwrap();
    assert_eq!(client.deployment.send(request).await.status, 200);
    assert_eq!(all.event().await.1["data"]["tenant_id"], TENANT);
    for stream in [&mut theirs, &mut none] {
        let (name, data) = stream.event().await;
        assert!(name.ends_with(" credits.adjusted"), "the other's is not among them: {name}");
        assert_eq!(data["data"]["tenant_id"], OTHER);
    }
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_said() {
    let client = TenantClient::new().await;
    client.spend("a", 1).await.data();
    client.deployment.pass(60);
    assert!(client.deployment.app.store.prune_notices(client.deployment.now(), 1).await.unwrap() > 0);
    let range = client.deployment.app.store.notice_range().await.unwrap();
    assert_eq!(range.pruned, 1);
    let gap = async |asked: i64| {
        let query = format!("?last_event_id={asked}");
        let mut stream = Stream::opened(&client, &client.key, &query, None).await;
        stream.piece().await.unwrap()
    };
    let expected = |asked: i64| {
        let data = json!({ "requested": asked, "pruned": range.pruned, "latest": range.latest });
        format!("event: gap\ndata: {data}\n\n")
    };
    assert_eq!(gap(0).await, expected(0));
    assert_eq!(gap(99).await, expected(99), "of another database");
    for kept in [range.pruned, range.latest] {
        let mut stream = Stream::opened(&client, &client.key, &format!("?last_event_id={kept}"), None).await;
        client.spend(&format!("after{kept}"), 1).await.data();
        let next = format!("{} credits.spent", kept + 1);
        assert_eq!(stream.event().await.0, next, "nothing is missing after it");
    }
    for asked in ["-1", "x", "1.0", "+1", " ", "99999999999999999999"] {
        let response = Stream::try_open(&client, &client.key, "", Some(asked)).await;
        assert_eq!(Answer::of(response).await.status, 422, "{asked:?}");
    }
}

#[tokio::test]
async fn it_shows_signs_of_life_and_ends_with_its_key() {
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
        assert_eq!(stream.piece().await.as_deref(), Some(": still here\n\n"));
    }
    client.deployment.revoke(&id).await;
    client.deployment.pass(60);
    let [revoked, expired, other] = &mut streams;
    for stream in [revoked, expired] {
        stream.ends().await;
    }
    // The service is told to stop: then the others end too.
    assert!(other.piece().await.is_some());
    client.deployment.app.draining.send_replace(true);
    other.ends().await;
}

#[tokio::test]
async fn there_are_as_many_as_there_may_be() {
    let client = TenantClient::with(Limits { streams: 6, ..limits(10) }).await;
    let mut open = Vec::new();
    let full = async |key: &str| {
        let response = Stream::try_open(&client, key, "", None).await;
        timeout(PATIENCE, Answer::of(response)).await.expect("it is no stream").summary()
    };
    for _ in 0..4 {
        open.push(Stream::opened(&client, &client.key, "", None).await);
    }
    assert!(full(&client.key).await.starts_with("429 TOO_MANY "));
    open.push(Stream::opened(&client, &client.stranger().await, "", None).await);
    open.push(Stream::opened(&client, &client.deployment.operator, "", None).await);
    assert!(full(&client.deployment.operator).await.starts_with("429 TOO_MANY "));
    open.clear();
    // Whoever went away is noticed; each of these takes a seat and gives it back.
    let again = async {
        while Stream::try_open(&client, &client.key, "", None).await.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("seats are given back");
}
