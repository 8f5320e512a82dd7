//! Which version is used for each of Stripe's, and how a body is formatted.

use super::keeps;
use serde_json::json;
use stripe::write::{ApiVersion, pretty};

#[test]
fn versions_are_named_and_found() {
    for version in ApiVersion::ALL {
        keeps(&version);
        assert_eq!(serde_json::to_value(version).unwrap(), version.as_str());
        assert_eq!(ApiVersion::parse_nearest(version.as_str()), Some(version));
        let is_old = version == ApiVersion::V2022_11_15;
        assert_eq!(version.sends("refund.created"), !is_old);
        assert_eq!(version.sends("charge.refund.updated"), is_old);
        assert!(version.sends("charge.refunded"));
    }
    let (oldest, basil, endive) = (ApiVersion::V2022_11_15, ApiVersion::Basil, ApiVersion::Endive);
    for (text, nearest) in [
        ("2022-11-14", None),
        ("2020-08-27", None),
        ("2022-11-16", Some(oldest)),
        ("2024-06-20", Some(oldest)),
        ("2024-10-28.acacia", Some(oldest)),
        ("2025-03-30", Some(oldest)),
        ("2025-03-31", Some(basil)),
        ("2025-09-30.clover", Some(basil)),
        ("2026-10-27.endive", Some(basil)),
        ("2026-10-28", Some(endive)),
        ("2027-01-01.next", Some(endive)),
        ("", None),
        ("latest", None),
        ("2025-13-01", None),
        ("2025-00-01", None),
        ("2025-01-32", None),
        ("2025-1-1", None),
        ("2025-03-31.", None),
        ("2025-03-31.Basil", None),
        ("2025-03-31.basil.2", None),
        ("2025-03-31 basil", None),
        ("2025/03/31", None),
        (" 2025-03-31", None),
        ("2025-03-3é", None),
    ] {
        assert_eq!(ApiVersion::parse_nearest(text), nearest, "{text:?}");
    }
}

#[test]
fn a_value_is_laid_out_like_stripes() {
    let value = json!({ "zero": 0, "object": "list", "data": [{ "b": {}, "id": "1" }], "id": null, "a": [] });
    let text = "{\n  \"id\": null,\n  \"object\": \"list\",\n  \"a\": [],\n  \"data\": [\n    {\n      \
                \"id\": \"1\",\n      \"b\": {}\n    }\n  ],\n  \"zero\": 0\n}";
    assert_eq!(pretty(&value), text);
}
