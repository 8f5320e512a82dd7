//! The notes of fields on the page: required, or nullable.

use crate::routes::document;

/// The part of an operation's card between these two texts.
fn part<'a>(operation: &str, from: &str, to: &str) -> &'a str {
    let (_, card) =
        document().page.split_once(&format!("<article id=\"{operation}\">")).expect("an operation");
    let (card, _) = card.split_once("</article>").expect("its end");
    let (_, part) = card.split_once(from).expect("where it begins");
    part.split_once(to).expect("where it ends").0
}

fn check(operation: &str, (from, to): (&str, &str), field: &str, expected: &str) {
    let fields = part(operation, from, to);
    let (_, line) = fields.split_once(&format!("<dt><code>{field}</code> ")).expect("a field");
    let (line, _) = line.split_once("</dt>").expect("its end");
    assert_eq!(line, expected, "{operation}: {field}");
}

#[test]
fn the_stream_is_shown_as_it_comes() {
    let answer = part("follow", "<h4>Example response</h4>", "</pre>");
    assert!(answer.contains("\nevent: credits.spent\ndata: {"), "{answer}");
}

#[test]
fn only_what_is_sent_is_required_and_null_is_named() {
    let body = ("<h4>Body</h4>", "<h4>Responses</h4>");
    let data = ("Fields of <code>data</code>", "</details>");
    let must = "<span class=\"kind\">string</span> <span class=\"must\">required</span>";
    check("purchase", body, "package", must);
    check("purchase", data, "package", "<span class=\"kind\">string</span>");
    check("spend", data, "reference", "<span class=\"kind\">string or null</span>");
    check("spend", data, "credits", "<span class=\"kind\">integer</span>");
    check("spend", data, "balance_after", "<span class=\"kind\">object</span>");
    check("show_payment", data, "purchase", "<span class=\"kind\">object or null</span>");
}
