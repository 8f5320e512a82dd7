//! Form parameters: how bytes are parsed, and the error messages for invalid ones.

use serde_json::json;

use super::*;

fn params(text: &str) -> Params {
    Params::parse(text.as_bytes()).unwrap()
}

fn message<T: std::fmt::Debug>(result: Result<T, StripeError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn names_are_parsed_into_a_tree() {
    let cases = [
        ("", json!({})),
        ("a=1&b=2", json!({"a": "1", "b": "2"})),
        ("a=1&a=2", json!({"a": "2"})),
        ("a=x+y%5B%5D%2B", json!({"a": "x y[]+"})),
        ("a%5Bb%5D=1", json!({"a": {"b": "1"}})),
        ("a[]=x&a[]=y", json!({"a": {"0": "x", "1": "y"}})),
        ("a[1]=x&a[]=y", json!({"a": {"1": "x", "2": "y"}})),
        ("a[0][p]=1&a[0][q]=2&a[1][p]=3", json!({"a": {"0": {"p": "1", "q": "2"}, "1": {"p": "3"}}})),
        ("a[][p]=1&a[][q]=2&a[][p]=3", json!({"a": {"0": {"p": "1", "q": "2"}, "1": {"p": "3"}}})),
        ("a[][p][]=1&a[][p][]=2", json!({"a": {"0": {"p": {"0": "1", "1": "2"}}}})),
        ("m[user_id]=7&m[ü]=%C3%A4", json!({"m": {"user_id": "7", "ü": "ä"}})),
        ("a", json!({"a": ""})),
    ];
    for (text, tree) in cases {
        assert_eq!(Node::Branch(params(text).left).json(), tree, "{text}");
    }
}

#[test]
fn malformed_names_are_refused() {
    let deep = format!("a{}=1", "[b]".repeat(9));
    for text in
        ["a[=1", "a]=1", "[a]=1", "=1", "a[b=1", "a[b]c=1", "a[[b]]=1", "a=1&a[b]=2", "a[b]=1&a=2", &deep]
    {
        let error = Params::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("The parameters cannot be read: "), "{text}: {error}");
    }
}

#[test]
fn bytes_parameters_and_depth_are_limited() {
    let most = "a=1&".repeat(MAX_PARAMETERS);
    assert!(Params::parse(most.as_bytes()).is_ok());
    assert!(Params::parse(format!("{most}b=1").as_bytes()).is_err());
    assert!(Params::parse(&vec![b'a'; MAX_BYTES + 1]).is_err());
    assert!(Params::parse(&[0xff, b'=', 0xfe, b'&', b'%', b'=', b'%', b'z']).is_ok(), "lenient like Rack");
    let long = "x".repeat(MAX_CHARACTERS + 1);
    assert!(message(params(&format!("a={long}")).text("a")).ends_with("must be at most 5000 characters"));
}

#[test]
fn values_have_types() {
    let mut all = params("t=text&i=-5&b=true&l[]=x&l[]=y&n[k]=v&o=two");
    assert_eq!(all.required_text("t").unwrap(), "text");
    assert_eq!(all.integer("i").unwrap(), Some(-5));
    assert_eq!(all.boolean("b").unwrap(), Some(true));
    assert_eq!(all.texts("l").unwrap(), ["x", "y"]);
    assert_eq!(all.nested("n", |n| n.required_text("k")).unwrap().unwrap(), "v");
    assert_eq!(all.one_of("o", &[("one", 1), ("two", 2)]).unwrap(), Some(2));
    assert_eq!(all.text("absent").unwrap(), None);
    assert!(all.texts("absent").unwrap().is_empty());
    assert!(all.finish().is_ok());
}

#[test]
fn elements_are_ordered_by_index() {
    let text: String = (0..12).rev().map(|index| format!("a[{index}]={index}&")).collect();
    let numbers: Vec<String> = (0..12).map(|index| index.to_string()).collect();
    assert_eq!(params(&text).texts("a").unwrap(), numbers);
}

#[test]
fn wrong_values_are_refused_in_stripes_words() {
    type Read = fn(&mut Params) -> Result<(), StripeError>;
    let integer: Read = |p| p.integer("a").map(drop);
    let boolean: Read = |p| p.boolean("a").map(drop);
    let text: Read = |p| p.text("a").map(drop);
    let texts: Read = |p| p.texts("a").map(drop);
    let nested: Read = |p| p.nested("a", |_| Ok(())).map(drop);
    let deeper: Read = |p| p.list("a", |item| item.required_text("x")).map(drop);
    let word: Read = |p| p.one_of("a", &[("x", ()), ("y", ()), ("z", ())]).map(drop);
    let positive: Read = |p| p.integer_from("a", 1).map(drop);
    let cases = [
        ("a=abc", integer, "Invalid integer: abc", "a", Some("parameter_invalid_integer")),
        ("a=1.5", integer, "Invalid integer: 1.5", "a", Some("parameter_invalid_integer")),
        ("a=-", integer, "Invalid integer: -", "a", Some("parameter_invalid_integer")),
        ("a=%2B5", integer, "Invalid integer: +5", "a", Some("parameter_invalid_integer")),
        (
            "a=9223372036854775808",
            integer,
            "Invalid integer: 9223372036854775808",
            "a",
            Some("parameter_invalid_integer"),
        ),
        (
            "a=0",
            positive,
            "This value must be greater than or equal to 1.",
            "a",
            Some("parameter_invalid_integer"),
        ),
        ("a=1", boolean, "Invalid boolean: 1", "a", None),
        ("a[]=x", text, "Invalid string: {\"0\":\"x\"}", "a", None),
        ("a=x", texts, "Invalid array: x", "a", None),
        ("a[k]=x", texts, "Invalid array: {\"k\":\"x\"}", "a", None),
        ("a=x", nested, "Invalid object: x", "a", None),
        ("a[b]=x", nested, "Received unknown parameter: a[b]", "a[b]", Some("parameter_unknown")),
        ("a[0][y]=1", deeper, "Missing required param: a[0][x].", "a[0][x]", Some("parameter_missing")),
        ("a=w", word, "Invalid a: must be one of x, y, or z", "a", None),
    ];
    for (given, read, expected, param, code) in cases {
        let (status, body) = read(&mut params(given)).unwrap_err().render();
        assert_eq!(status, 400, "{given}");
        assert_eq!(body["error"]["message"], expected, "{given}");
        assert_eq!(body["error"]["param"], param, "{given}");
        assert_eq!(body["error"].get("code").and_then(Value::as_str), code, "{given}");
        assert_eq!(body["error"]["type"], "invalid_request_error", "{given}");
    }
    assert!(message(params("a=").text("a")).starts_with("You passed an empty string for 'a'."));
}

#[test]
fn parameters_that_were_not_read_are_unknown() {
    let mut left = params("known=1&foo=2");
    left.text("known").unwrap();
    assert_eq!(message(left.finish()), "Received unknown parameter: foo");
}

#[test]
fn an_empty_text_unsets() {
    let mut update = params("gone=&new=x");
    let mut fields = [Some("old".to_owned()), Some("old".to_owned()), Some("old".to_owned())];
    for (field, name) in fields.iter_mut().zip(["gone", "new", "untouched"]) {
        update.text_change(name).unwrap().apply(field);
    }
    assert_eq!(fields, [None, Some("x".to_owned()), Some("old".to_owned())]);
}

#[test]
fn equal_parameters_are_equal_in_any_order() {
    assert_eq!(params("a[x]=1&b=2"), params("b=2&a[x]=1"));
    assert_ne!(params("a=1"), params("a=2"));
}
