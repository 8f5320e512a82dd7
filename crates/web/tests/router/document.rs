//! The API description matches the program: its routes, parameters and examples.
//! Whether responses match it is tested by the tests of each route and by the clients in e2e.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::deployment::Deployment;

const GOLDEN: &str = include_str!("../../../../docs/openapi.json");
const ROUTES_TABLE: &str = include_str!("../../../../docs/routes.md");
const ROUTES: &str = include_str!("../../src/routes.rs");

pub(crate) fn document() -> Value {
    serde_json::from_str(&web::routes::document().json).unwrap()
}

/// Every operation with its route, such as `GET /api/payments`.
pub(crate) fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    operations.collect()
}

#[test]
fn the_openapi_file_is_up_to_date() {
    let same = GOLDEN == web::routes::document().json;
    assert!(same, "docs/openapi.json is stale: cargo run -q -- openapi > docs/openapi.json");
}

#[test]
fn the_table_of_routes_is_up_to_date() {
    let same = ROUTES_TABLE == web::routes::document().table;
    assert!(same, "docs/routes.md is stale: cargo run -q -- openapi --routes > docs/routes.md");
}

/// A route without a description would be in neither the document nor the table.
#[test]
fn every_route_is_described() {
    let routes: String = ROUTES.split_whitespace().collect();
    for undescribed in [".route(", ".route_service(", ".nest(", ".nest_service(", ".fallback_service("] {
        assert!(!routes.contains(undescribed), "routes.rs has a route that is not described: {undescribed}");
    }
    let described = operations(&document()).len();
    let handlers: usize = routes
        .split("routes!(")
        .skip(1)
        .map(|list| list.split(')').next().unwrap())
        .map(|list| list.split(',').count())
        .sum();
    assert_eq!(handlers, described, "routes.rs serves a group that is missing from DOCUMENT");
    let table = &web::routes::document().table;
    assert_eq!(table.lines().filter(|line| line.contains(" | `/")).count(), described);
}

#[test]
fn every_reference_resolves() {
    let document = document();
    let text = document.to_string();
    let references: BTreeSet<_> =
        text.split("\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 100, "{references:?}");
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference} is not in the document");
    }
}

#[test]
fn every_operation_is_well_described() {
    let document = document();
    let mut names = BTreeSet::new();
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    for (route, operation) in operations(&document) {
        let text = |field: &str| operation[field].as_str().unwrap_or_default();
        assert!(names.insert(text("operationId")), "{route}: duplicate operationId");
        assert!(!text("summary").ends_with('.') && text("summary").len() > 5, "{route}: bad summary");
        assert!(!text("summary").contains('\n'), "{route}: the summary must be one line");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{route}: its tag has no description");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{route}: {parameter}");
        }
        if route.starts_with("POST /api/") && !operation["requestBody"].is_null() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let body = &document["components"]["schemas"][name];
            assert!(body["example"].is_object(), "{route}: {name} has no example");
            assert_eq!(body["additionalProperties"], false, "{route}: {name} must reject unknown fields");
        }
    }
}

/// The parameters that a route lists when it rejects an unknown one are exactly those described.
#[tokio::test]
async fn query_parameters_match_the_description() {
    let deployment = Deployment::new().await;
    let service = deployment.service().await;
    let document = document();
    for (route, operation) in operations(&document) {
        let (method, path) = route.split_once(' ').unwrap();
        let open = operation["security"] == Value::Array(vec![]);
        if open {
            continue;
        }
        let path = format!("{}?no_such_parameter=1", path.replace("{id}", "1"));
        let key = if path.starts_with("/api/admin/") { &deployment.operator } else { &service };
        let answer = deployment.request(method.parse().unwrap(), &path, Some(key), "").await;
        let summary = answer.summary();
        let known = summary.split_once("; ").map_or(summary.as_str(), |(_, known)| known);
        let known = known.trim_end_matches(". Nothing was changed.");
        let known: BTreeSet<_> = match known.strip_prefix("it knows ") {
            Some(list) => list.split(", ").collect(),
            None => {
                assert_eq!(known, "it takes no parameters", "{route}: {summary}");
                BTreeSet::new()
            }
        };
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described =
            parameters.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(known, described, "{route}");
    }
}
