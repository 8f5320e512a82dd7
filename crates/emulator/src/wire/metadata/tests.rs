//! Metadata: adding, removing, and its three limits.

use super::super::Params;
use super::*;

fn change(text: &str) -> Result<MetadataChange, StripeError> {
    Params::parse(text.as_bytes()).unwrap().metadata()
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn an_update_adds_removes_and_clears() {
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("", &[("a", "1"), ("b", "2")]),
        ("metadata=", &[]),
        ("metadata[c]=3", &[("a", "1"), ("b", "2"), ("c", "3")]),
        ("metadata[a]=&metadata[b]=9", &[("b", "9")]),
        ("metadata[absent]=", &[("a", "1"), ("b", "2")]),
    ];
    for (text, after) in cases {
        let mut metadata = map(&[("a", "1"), ("b", "2")]);
        change(text).unwrap().apply(&mut metadata).unwrap();
        assert_eq!(metadata, map(after), "{text}");
    }
}

#[test]
fn the_limits_count_characters() {
    let cases = [
        (format!("metadata[{}]=x", "ü".repeat(40)), None),
        (format!("metadata[{}]=x", "ü".repeat(41)), Some("Metadata keys can have up to 40 characters")),
        (format!("metadata[k]={}", "ü".repeat(500)), None),
        (format!("metadata[k]={}", "ü".repeat(501)), Some("Metadata values can have up to 500 characters")),
        ("metadata=text".to_owned(), Some("Invalid object: text")),
        ("metadata[a][b]=x".to_owned(), Some("Invalid string: {\"b\":\"x\"}")),
    ];
    for (text, refused) in cases {
        match (change(&text), refused) {
            (Ok(_), None) => {}
            (Err(error), Some(start)) => assert!(error.to_string().starts_with(start), "{error}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_fifty_first_key_is_refused_and_nothing_is_changed() {
    let fifty: String = (0..50).map(|key| format!("&metadata[k{key}]=v")).collect();
    let mut metadata = change(&fifty).unwrap().for_new().unwrap();
    let before = metadata.clone();
    assert!(
        change("metadata[k0]=&metadata[new]=v").unwrap().apply(&mut metadata).is_ok(),
        "one key removed, one added"
    );
    metadata.clone_from(&before);
    assert!(change("metadata[new]=v").unwrap().apply(&mut metadata).is_err());
    assert_eq!(metadata, before);
}
