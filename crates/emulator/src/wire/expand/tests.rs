//! Expansion: ids that are replaced, ids that are not, and paths that are refused.

use serde_json::json;

use super::*;

/// A session with a payment intent that has a charge.
fn resolve(wanted: ExpandTarget<'_>) -> Option<Value> {
    match wanted {
        ExpandTarget::Object("pi_1") => {
            Some(json!({"id": "pi_1", "object": "payment_intent", "latest_charge": "ch_1", "customer": null}))
        }
        ExpandTarget::Object("ch_1") => Some(
            json!({"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "balance_transaction": "t_1"}),
        ),
        ExpandTarget::Part { owner: "cs_1", field: "line_items" } => {
            let item = json!({"object": "item", "price": {"object": "price", "product": "pi_1"}});
            Some(json!({"object": "list", "data": [item]}))
        }
        ExpandTarget::Object(_) | ExpandTarget::Part { .. } => None,
    }
}

fn session() -> Value {
    let mut session = json!({"id": "cs_1", "object": "checkout.session", "amount_total": 5});
    session["payment_intent"] = json!("pi_1");
    session["customer"] = Value::Null;
    session
}

fn expand(answer: Value, shape: ResponseShape, paths: &[&str]) -> Result<Value, StripeError> {
    let query: String = paths.iter().map(|path| format!("&expand[]={path}")).collect();
    let expansion = Expansion::read(&mut Params::parse(query.as_bytes()).unwrap(), shape)?;
    let mut answer = answer;
    expansion.apply(&mut answer, resolve);
    Ok(answer)
}

const SESSION: ResponseShape = ResponseShape::One("checkout.session");
const SESSIONS: ResponseShape = ResponseShape::List("checkout.session");

#[test]
fn ids_are_replaced_by_objects() {
    let cases = [
        (vec!["payment_intent"], "/payment_intent/id", "pi_1"),
        (vec!["payment_intent.latest_charge"], "/payment_intent/latest_charge/id", "ch_1"),
        (vec!["payment_intent", "payment_intent.latest_charge"], "/payment_intent/latest_charge/id", "ch_1"),
        (
            vec!["payment_intent.latest_charge.payment_intent"],
            "/payment_intent/latest_charge/payment_intent/object",
            "payment_intent",
        ),
        (vec!["line_items"], "/line_items/data/0/price/product", "pi_1"),
        (vec!["line_items.data.price.product"], "/line_items/data/0/price/product/id", "pi_1"),
    ];
    for (paths, place, expected) in cases {
        let answer = expand(session(), SESSION, &paths).unwrap();
        assert_eq!(answer.pointer(place), Some(&json!(expected)), "{paths:?}: {answer}");
    }
}

#[test]
fn null_fields_and_no_paths_expand_nothing() {
    for paths in [vec![], vec!["customer"], vec!["payment_intent.customer"]] {
        assert!(expand(session(), SESSION, &paths).unwrap()["customer"].is_null(), "{paths:?}");
    }
}

#[test]
fn lists_expand_their_data() {
    let list = json!({"object": "list", "data": [session(), session()]});
    let answer = expand(list.clone(), SESSIONS, &["data.payment_intent", "data"]).unwrap();
    assert_eq!(answer["data"][1]["payment_intent"]["id"], "pi_1");
    assert_eq!(
        expand(list, SESSIONS, &["payment_intent"]).unwrap_err().to_string(),
        "This property cannot be expanded (payment_intent). You may want to try expanding \
         'data.payment_intent' instead."
    );
}

#[test]
fn wrong_paths_are_refused() {
    let cases = [
        ("bogus", "This property cannot be expanded (bogus)."),
        ("amount_total", "This property cannot be expanded (amount_total)."),
        ("data", "This property cannot be expanded (data)."),
        ("payment_intent.bogus", "This property cannot be expanded (payment_intent.bogus)."),
        ("payment_intent.", "This property cannot be expanded (payment_intent.)."),
        ("line_items.price", "This property cannot be expanded (line_items.price)."),
        ("a.b.c.d.e", "You cannot expand more than 4 levels of a property. Property: a.b.c.d.e"),
    ];
    for (path, message) in cases {
        let error = expand(session(), SESSION, &[path]).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.render().0.as_u16()), (message, 400), "{path}");
    }
    assert!(expand(session(), SESSION, &["customer"; MAX_PATHS + 1]).is_err());
}
