//! The two test servers, on one port: an events API with Stripe's paging, and an endpoint that checks
//! signatures. Tests set their responses.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use engine::Clock;
use serde_json::{Value, json};
use stripe::Secret;
use stripe::signature::{TOLERANCE_SECONDS, verify};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A request to the events API.
#[derive(Clone)]
pub(super) struct ListRequest {
    pub(super) query: String,
    pub(super) authorized: bool,
    pub(super) version: String,
}

/// A delivery attempt to the endpoint.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) id: String,
    pub(super) signed: bool,
    pub(super) body_as_listed: bool,
    accepted: bool,
}

#[derive(Default)]
struct ServerState {
    /// Oldest first.
    events: Vec<String>,
    created: u32,
    answers: VecDeque<(u16, String, String)>,
    refusals: HashMap<String, VecDeque<u16>>,
    requests: Vec<ListRequest>,
    attempts: Vec<Attempt>,
}

#[derive(Clone)]
pub(super) struct Servers {
    pub(super) url: String,
    address: SocketAddr,
    /// Bound, but not listening until `serve`, so that connections are refused.
    socket: Arc<Mutex<Option<TcpSocket>>>,
    state: Arc<Mutex<ServerState>>,
}

impl Servers {
    pub(super) fn start() -> Self {
        let servers = Self::reserve();
        servers.serve();
        servers
    }

    /// Reserves an address at which nothing listens yet.
    pub(super) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let socket = Arc::new(Mutex::new(Some(socket)));
        Self { url: format!("http://{address}"), address, socket, state: Arc::default() }
    }

    pub(super) fn serve(&self) {
        let listener = self.socket.lock().unwrap().take().unwrap().listen(128).unwrap();
        let router = Router::new()
            .route("/v1/events", get(list))
            .route("/hook", post(receive))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap()
    }

    pub(super) fn endpoint(&self) -> String {
        format!("{}/hook", self.url)
    }

    /// Creates this many events: odd ones are refund.created, even ones refund.updated.
    pub(super) fn create_events(&self, count: u32) {
        let mut state = self.state();
        for _ in 0..count {
            state.created += 1;
            let number = state.created;
            let event = json!({
                "id": format!("evt_{number}"),
                "type": if number % 2 == 1 { "refund.created" } else { "refund.updated" },
                "created": Clock::system().now().seconds(),
                "data": { "object": { "note": "ä \" \\ {" } },
            });
            state.events.push(serde_json::to_string_pretty(&event).unwrap());
        }
    }

    /// Deletes the events from the API's list.
    pub(super) fn delete_events(&self) {
        self.state().events.clear();
    }

    /// Sets the API's response to the next request, with its `Stripe-Should-Retry`.
    pub(super) fn answer_next(&self, status: u16, should_retry: &str, body: &str) {
        self.state().answers.push_back((status, should_retry.to_owned(), body.to_owned()));
    }

    /// Sets the statuses that the endpoint returns for this event before it accepts it.
    pub(super) fn refuse(&self, id: &str, statuses: &[u16]) {
        self.state().refusals.insert(id.to_owned(), statuses.iter().copied().collect());
    }

    pub(super) fn requests(&self) -> Vec<ListRequest> {
        self.state().requests.clone()
    }

    pub(super) fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// The events that the endpoint accepted, in order.
    pub(super) fn accepted(&self) -> Vec<String> {
        let state = self.state();
        state.attempts.iter().filter(|attempt| attempt.accepted).map(|attempt| attempt.id.clone()).collect()
    }
}

async fn list(
    State(servers): State<Servers>,
    RawQuery(raw): RawQuery,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    let mut state = servers.state();
    let field = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    state.requests.push(ListRequest {
        query: raw.unwrap_or_default(),
        authorized: field("authorization") == format!("Bearer {}", super::KEY),
        version: field("stripe-version").to_owned(),
    });
    if let Some((status, should_retry, body)) = state.answers.pop_front() {
        return answer(status, &should_retry, body);
    }
    let limit: usize = query["limit"].parse().unwrap();
    let wanted = query.get("types[]");
    // Newest first.
    let all: Vec<(String, &String)> = state
        .events
        .iter()
        .rev()
        .filter_map(|text| {
            let event: Value = serde_json::from_str(text).unwrap();
            let selected = wanted.is_none_or(|wanted| event["type"] == wanted.as_str());
            selected.then(|| (event["id"].as_str().unwrap().to_owned(), text))
        })
        .collect();
    let place = |cursor: &str| all.iter().position(|(id, _)| id == cursor);
    let (range, has_more) = match (query.get("ending_before"), query.get("starting_after")) {
        (Some(cursor), None) => match place(cursor) {
            Some(end) => (end.saturating_sub(limit)..end, end > limit),
            None => return missing(cursor),
        },
        (None, Some(cursor)) => match place(cursor) {
            Some(place) => (place + 1..(place + 1 + limit).min(all.len()), all.len() > place + 1 + limit),
            None => return missing(cursor),
        },
        _ => (0..limit.min(all.len()), all.len() > limit),
    };
    let data = all[range].iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(",");
    answer(200, "", format!(r#"{{"object":"list","data":[{data}],"has_more":{has_more}}}"#))
}

fn missing(id: &str) -> Response<Body> {
    let message = format!("No such event: '{id}'");
    answer(400, "", json!({ "error": { "code": "resource_missing", "message": message } }).to_string())
}

fn answer(status: u16, should_retry: &str, body: String) -> Response<Body> {
    let answer = Response::builder().status(status).header("stripe-should-retry", should_retry);
    answer.header("location", "/hook").body(Body::from(body)).unwrap()
}

async fn receive(State(servers): State<Servers>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut state = servers.state();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let id = event["id"].as_str().unwrap().to_owned();
    let secrets = [Secret::parse(super::SECRET).unwrap()];
    let header = headers.get("stripe-signature").map(|value| value.as_bytes());
    let now = Clock::system().now().seconds();
    let status = state.refusals.get_mut(&id).and_then(VecDeque::pop_front).unwrap_or(200);
    let attempt = Attempt {
        signed: verify(&body, header, &secrets, now, TOLERANCE_SECONDS).is_ok(),
        body_as_listed: state.events.iter().any(|text| text.as_bytes() == body),
        accepted: status == 200,
        id,
    };
    state.attempts.push(attempt);
    answer(status, "", String::new())
}

/// The same endpoint behind TLS, with a self-signed certificate.
pub(super) async fn tls_endpoint(servers: &Servers) -> String {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    let endpoint = servers.address;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut client) = acceptor.accept(stream).await else { continue };
            let mut server = TcpStream::connect(endpoint).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    url
}

/// Waits until the condition holds, for at most ten seconds.
pub(super) async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the condition did not hold within ten seconds");
}
