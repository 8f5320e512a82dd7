//! Pages of lists, walked both ways, and the filter by `created`.

use super::*;

/// A page of the items 1 to 25, oldest first. Even items pass the filter.
fn page(query: &str, filtered: bool) -> Result<(Vec<i64>, bool), StripeError> {
    let items: Vec<String> = (1..=25).map(|number| format!("x_{number}")).collect();
    let number = |item: &&String| item[2..].parse::<i64>().unwrap();
    let paging = ListParams::read(&mut Params::parse(query.as_bytes()).unwrap())?;
    let keep = |item: &&String| !filtered || number(item) % 2 == 0;
    let page = paging.page("thing", items.iter(), |item| item, keep)?;
    Ok((page.data.iter().map(number).collect(), page.has_more))
}

#[test]
fn pages() {
    let down = |from: i64, to: i64| (to..=from).rev().collect::<Vec<_>>();
    let cases = [
        ("", down(25, 16), true),
        ("limit=3", down(25, 23), true),
        ("limit=25", down(25, 1), false),
        ("limit=100", down(25, 1), false),
        ("limit=1000", down(25, 1), false),
        ("limit=0", down(25, 25), true),
        ("limit=-9223372036854775808", down(25, 25), true),
        ("limit=3&starting_after=x_23", down(22, 20), true),
        ("limit=3&starting_after=x_4", down(3, 1), false),
        ("limit=3&starting_after=x_3", down(2, 1), false),
        ("starting_after=x_1", vec![], false),
        ("limit=3&ending_before=x_5", down(8, 6), true),
        ("limit=3&ending_before=x_22", down(25, 23), false),
        ("limit=3&ending_before=x_24", down(25, 25), false),
        ("ending_before=x_25", vec![], false),
    ];
    for (query, data, has_more) in cases {
        assert_eq!(page(query, false).unwrap(), (data, has_more), "{query}");
    }
}

#[test]
fn a_cursor_need_not_pass_the_filter() {
    assert_eq!(page("limit=2&starting_after=x_9", true).unwrap(), (vec![8, 6], true));
    assert_eq!(page("limit=2&ending_before=x_9", true).unwrap(), (vec![12, 10], true));
}

#[test]
fn paging_in_either_direction_returns_every_item_once() {
    for (cursor, start) in [("starting_after", ""), ("ending_before", "&ending_before=x_1")] {
        let mut seen = Vec::new();
        let mut query = format!("limit=4{start}");
        loop {
            let (data, has_more) = page(&query, false).unwrap();
            let next = if cursor == "starting_after" { data.last() } else { data.first() };
            query = format!("limit=4&{cursor}=x_{}", next.unwrap());
            seen.extend(data);
            if !has_more {
                break;
            }
        }
        seen.sort_unstable();
        let first = if start.is_empty() { 1 } else { 2 };
        assert_eq!(seen, (first..=25).collect::<Vec<_>>(), "{cursor}");
    }
}

#[test]
fn wrong_cursors_are_refused() {
    let cases = [
        ("starting_after=x_99", "No such thing: 'x_99'", 404),
        ("ending_before=y", "No such thing: 'y'", 404),
        (
            "starting_after=x_1&ending_before=x_2",
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            400,
        ),
        ("limit=ten", "Invalid integer: ten", 400),
    ];
    for (query, message, status) in cases {
        let error = page(query, false).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.render().0.as_u16()), (message, status), "{query}");
    }
}

#[test]
fn a_list_looks_like_stripes() {
    let page = ListPage { data: vec![7], has_more: true };
    let expected = json!({"object": "list", "data": [{"n": 7}], "has_more": true, "url": "/v1/events"});
    assert_eq!(page.render("/v1/events", |n| json!({ "n": n })), expected);
}

#[test]
fn created_bounds() {
    let cases = [
        ("", [true, true, true, true, true]),
        ("created=12", [false, false, true, false, false]),
        ("created[gt]=12", [false, false, false, true, true]),
        ("created[gte]=12", [false, false, true, true, true]),
        ("created[lt]=12", [true, true, false, false, false]),
        ("created[lte]=12", [true, true, true, false, false]),
        ("created[gte]=11&created[lt]=13", [false, true, true, false, false]),
        ("created[gt]=9223372036854775807", [false; 5]),
        ("created[gte]=14&created[lte]=10", [false; 5]),
    ];
    for (query, passes) in cases {
        let mut params = Params::parse(query.as_bytes()).unwrap();
        let created = Created::read(&mut params).unwrap();
        params.finish().unwrap();
        assert_eq!([10, 11, 12, 13, 14].map(|at| created.contains(at)), passes, "{query}");
    }
    for query in ["created=now", "created[gt]=x", "created[after]=1"] {
        assert!(Created::read(&mut Params::parse(query.as_bytes()).unwrap()).is_err(), "{query}");
    }
}
