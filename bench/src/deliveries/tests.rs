//! Generated deliveries are valid events with unique ids.

use std::collections::HashSet;

use serde_json::Value;

use super::*;

#[test]
fn every_delivery_is_signed_valid_json_and_unique() {
    let deliveries = Deliveries::new().unwrap();
    let made: Vec<Delivery> = (0..2500).map(|_| deliveries.next()).collect();
    let mut seen: [HashSet<String>; 4] = Default::default();
    for Delivery { body, signature } in &made {
        let verdict =
            signature::verify(body, Some(signature.as_bytes()), &deliveries.secret, unix_seconds(), 60);
        assert!(verdict.is_ok(), "{verdict:?}");
        assert_eq!(body.len(), deliveries.body_len());
        let event: Value = serde_json::from_slice(body).unwrap();
        let session = &event["data"]["object"];
        let ids =
            [&event["id"], &session["id"], &session["payment_intent"], &session["metadata"]["tenant_id"]];
        for (seen, id) in seen.iter_mut().zip(ids) {
            seen.insert(id.as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.map(|ids| ids.len()), [2500, 2500, 2500, 1000]);
}
