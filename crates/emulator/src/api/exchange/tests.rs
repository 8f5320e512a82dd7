//! Two requests with one idempotency key at the same moment, which no client can time: the first is put down
//! as begun, and the second comes.

use tower::ServiceExt;

use super::*;
use crate::api::stripe;
use crate::api::tests::Account;

#[tokio::test]
async fn a_key_in_flight_is_refused_until_its_request_completes() {
    let account = Account::new();
    let api = Arc::new(Api::new(account.emulator.clone()));
    let params = Params::parse(b"name=A").unwrap();
    let fingerprint = Fingerprint::of("POST", "/v1/customers", &params);
    assert_eq!(api.keys().begin("k", fingerprint, 0), Begun::Fresh);
    let send = async || {
        let request = Request::post("/v1/customers")
            .header("authorization", "Bearer sk_test_emulator")
            .header("idempotency-key", "k")
            .body(Body::from("name=A"));
        let response = stripe(Arc::clone(&api)).oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let (status, body) = send().await;
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("idempotency_key_in_use")));
    assert_eq!(account.emulator.with(|world| world.customers.len()), 0);
    api.keys().forget("k");
    assert_eq!(send().await.0, 200);
    assert_eq!(send().await.0, 200);
    assert_eq!(account.emulator.with(|world| world.customers.len()), 1);
}
