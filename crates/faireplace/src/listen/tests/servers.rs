//! The two servers that the tests talk to, on one port: an events API with Stripe's paging, and an endpoint
//! that checks signatures. Both do as they are told. Not here: what a test expects.

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

/// One question to the events API.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) query: String,
    pub(super) authorized: bool,
    pub(super) version: String,
}

/// One attempt at the endpoint.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) id: String,
    pub(super) signed: bool,
    pub(super) body_as_listed: bool,
    accepted: bool,
}

#[derive(Default)]
struct Inside {
    /// Oldest first.
    events: Vec<String>,
    made: u32,
    answers: VecDeque<(u16, String, String)>,
    refusals: HashMap<String, VecDeque<u16>>,
    questions: Vec<Question>,
    attempts: Vec<Attempt>,
}

#[derive(Clone)]
pub(super) struct Servers {
    pub(super) url: String,
    address: SocketAddr,
    /// Ours already, and deaf until it is served: whoever connects is refused.
    socket: Arc<Mutex<Option<TcpSocket>>>,
    inside: Arc<Mutex<Inside>>,
}

impl Servers {
    pub(super) fn start() -> Self {
        let servers = Self::reserve();
        servers.serve();
        servers
    }

    /// An address at which nothing listens yet.
    pub(super) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let socket = Arc::new(Mutex::new(Some(socket)));
        Self { url: format!("http://{address}"), address, socket, inside: Arc::default() }
    }

    pub(super) fn serve(&self) {
        let listener = self.socket.lock().unwrap().take().unwrap().listen(128).unwrap();
        let router = Router::new()
            .route("/v1/events", get(list))
            .route("/hook", post(receive))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    pub(super) fn endpoint(&self) -> String {
        format!("{}/hook", self.url)
    }

    /// So many events happen, now: odd ones are refund.created, even ones refund.updated.
    pub(super) fn happen(&self, count: u32) {
        let mut inside = self.inside();
        for _ in 0..count {
            inside.made += 1;
            let number = inside.made;
            let event = json!({
                "id": format!("evt_{number}"),
                "type": if number % 2 == 1 { "refund.created" } else { "refund.updated" },
                "created": Clock::system().now().seconds(),
                "data": { "object": { "note": "ä \" \\ {" } },
            });
            inside.events.push(serde_json::to_string_pretty(&event).unwrap());
        }
    }

    /// The API knows nothing any more of what happened.
    pub(super) fn forget(&self) {
        self.inside().events.clear();
    }

    /// What the API answers to the next question, with its `Stripe-Should-Retry`.
    pub(super) fn answer_next(&self, status: u16, should_retry: &str, body: &str) {
        self.inside().answers.push_back((status, should_retry.to_owned(), body.to_owned()));
    }

    /// What the endpoint answers to this event before it takes it.
    pub(super) fn refuse(&self, id: &str, statuses: &[u16]) {
        self.inside().refusals.insert(id.to_owned(), statuses.iter().copied().collect());
    }

    pub(super) fn questions(&self) -> Vec<Question> {
        self.inside().questions.clone()
    }

    pub(super) fn attempts(&self) -> Vec<Attempt> {
        self.inside().attempts.clone()
    }

    /// The events that the endpoint took, in the order in which it did.
    pub(super) fn taken(&self) -> Vec<String> {
        let inside = self.inside();
        inside.attempts.iter().filter(|one| one.accepted).map(|one| one.id.clone()).collect()
    }
}

async fn list(
    State(servers): State<Servers>,
    RawQuery(raw): RawQuery,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    let mut inside = servers.inside();
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    inside.questions.push(Question {
        query: raw.unwrap_or_default(),
        authorized: word("authorization") == format!("Bearer {}", super::KEY),
        version: word("stripe-version").to_owned(),
    });
    if let Some((status, should_retry, body)) = inside.answers.pop_front() {
        return answer(status, &should_retry, body);
    }
    let limit: usize = query["limit"].parse().unwrap();
    let wanted = query.get("types[]");
    // Newest first.
    let all: Vec<(String, &String)> = inside
        .events
        .iter()
        .rev()
        .filter_map(|text| {
            let event: Value = serde_json::from_str(text).unwrap();
            let kept = wanted.is_none_or(|wanted| event["type"] == wanted.as_str());
            kept.then(|| (event["id"].as_str().unwrap().to_owned(), text))
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
    let mut inside = servers.inside();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let id = event["id"].as_str().unwrap().to_owned();
    let secrets = [Secret::parse(super::SECRET).unwrap()];
    let header = headers.get("stripe-signature").map(|value| value.as_bytes());
    let now = Clock::system().now().seconds();
    let status = inside.refusals.get_mut(&id).and_then(VecDeque::pop_front).unwrap_or(200);
    let attempt = Attempt {
        signed: verify(&body, header, &secrets, now, TOLERANCE_SECONDS).is_ok(),
        body_as_listed: inside.events.iter().any(|text| text.as_bytes() == body),
        accepted: status == 200,
        id,
    };
    inside.attempts.push(attempt);
    answer(status, "", String::new())
}

/// The endpoint again, behind TLS with a certificate that nobody signed.
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
    let behind = servers.address;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut outside) = acceptor.accept(stream).await else { continue };
            let mut inside = TcpStream::connect(behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut outside, &mut inside).await });
        }
    });
    url
}

/// Waits until it is so, ten seconds at most.
pub(super) async fn eventually(so: impl Fn() -> bool) {
    for _ in 0..2000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen within ten seconds");
}
