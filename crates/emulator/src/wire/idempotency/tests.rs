//! Idempotency keys: every state that a key can be in, its age, and how many are kept.

use super::*;

fn fingerprint(text: &str) -> Fingerprint {
    Fingerprint::of("POST", "/v1/refunds", &Params::parse(text.as_bytes()).unwrap())
}

fn answer(number: usize) -> StoredAnswer {
    StoredAnswer { status: 200, body: number.to_string().into_bytes(), request_id: format!("req_{number}") }
}

#[test]
fn a_key_replays_its_response() {
    let (first, other) = (fingerprint("amount=5&reason=duplicate"), fingerprint("amount=6"));
    let mut keys = Idempotency::default();
    assert_eq!(keys.begin("k", first, 0), Begun::Fresh);
    assert_eq!(keys.begin("k", first, 0), Begun::InFlight);
    assert_eq!(keys.begin("k", other, 0), Begun::Mismatch);
    keys.finish("k", answer(1), 0);
    assert_eq!(keys.begin("k", fingerprint("reason=duplicate&amount=5"), 5), Begun::Replay(answer(1)));
    assert_eq!(keys.begin("k", other, 5), Begun::Mismatch);
    assert_eq!(keys.begin("another", first, 5), Begun::Fresh);
    keys.finish("k", answer(2), 5);
    keys.forget("k");
    assert_eq!(keys.begin("k", first, 5), Begun::Replay(answer(1)), "a stored response is not replaced");
}

#[test]
fn a_forgotten_request_frees_its_key() {
    let mut keys = Idempotency::default();
    assert_eq!(keys.begin("k", fingerprint("amount=abc"), 0), Begun::Fresh);
    keys.forget("k");
    assert_eq!(keys.begin("k", fingerprint("amount=5"), 0), Begun::Fresh);
}

#[test]
fn responses_are_kept_for_a_day_and_requests_in_flight_without_limit() {
    let mut keys = Idempotency::default();
    keys.begin("answered", fingerprint(""), 0);
    keys.finish("answered", answer(1), 10);
    keys.begin("in flight", fingerprint(""), 0);
    assert_eq!(keys.begin("answered", fingerprint(""), 10 + RETENTION_MS), Begun::Replay(answer(1)));
    assert_eq!(keys.begin("answered", fingerprint(""), 11 + RETENTION_MS), Begun::Fresh);
    assert_eq!(keys.begin("in flight", fingerprint(""), 11 + RETENTION_MS), Begun::InFlight);
}

#[test]
fn memory_is_bounded() {
    let mut keys = Idempotency::default();
    for number in 0..MAX_ANSWERS + 5 {
        keys.begin(&number.to_string(), fingerprint(""), 0);
        keys.finish(&number.to_string(), answer(number), 0);
    }
    assert_eq!(keys.known.len(), MAX_ANSWERS);
    assert_eq!(keys.begin("4", fingerprint(""), 0), Begun::Fresh);
    assert_eq!(keys.begin("5", fingerprint(""), 0), Begun::Replay(answer(5)));
}

#[test]
fn another_path_is_another_request() {
    let params = Params::default();
    assert_ne!(Fingerprint::of("POST", "/v1/a", &params), Fingerprint::of("POST", "/v1/b", &params));
}
