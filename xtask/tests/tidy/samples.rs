//! Samples that break each rule, and samples that look similar and do not.

use crate::RULES;
use crate::tree::{File, Tree};

/// Name of a rule, path and text of a file, and the lines where the file breaks the rule (none: it does not).
type Sample = (&'static str, &'static str, String, &'static [usize]);

#[test]
fn each_rule_finds_exactly_the_broken_lines() {
    for (rule, path, text, expected) in samples() {
        let check = RULES.iter().find(|(name, _)| *name == rule).expect("the rule exists").1;
        let tree = Tree { files: files(path, &text) };
        let found: Vec<usize> = check(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(found, expected, "{rule}, in {path}:\n{text}");
    }
}

#[test]
fn each_rule_has_a_sample_that_breaks_it_and_one_that_does_not() {
    for (rule, _) in RULES {
        for broken in [true, false] {
            let tested =
                samples().iter().any(|(name, _, _, lines)| name == rule && lines.is_empty() != broken);
            assert!(tested, "{rule} has no sample that {} it", if broken { "breaks" } else { "obeys" });
        }
    }
}

/// A sample is one file, or several: a line `=== PATH` begins the next one.
fn files(path: &str, text: &str) -> Vec<File> {
    let mut parts = text.split("=== ");
    let first = File { path: path.to_owned(), text: parts.next().unwrap_or_default().to_owned() };
    let others = parts.map(|part| part.split_once('\n').expect("a path and a text"));
    let others = others.map(|(path, text)| File { path: path.to_owned(), text: text.to_owned() });
    std::iter::once(first).chain(others).collect()
}

fn samples() -> Vec<Sample> {
    [in_source(), in_layers(), in_names(), in_prose()].into_iter().flatten().collect()
}

fn in_names() -> Vec<Sample> {
    let (book, notice) = ("crates/ledger/src/book.rs", "=== crates/ledger/src/notice.rs\n");
    let actions = "=== crates/ledger/src/actions/plan.rs\n";
    let sample = |first: &str, second: &str, other: &str| format!("{first}{second}{other}");
    let inner = "struct Charge;\nmod a {\n    struct Charge;\n}\nfn Charge() {}\n";
    vec![
        ("one name, one thing", book, sample("pub struct Charge {\n", notice, "enum Charge {\n"), &[1]),
        ("one name, one thing", book, inner.into(), &[]),
        (
            "one name, one thing",
            book,
            sample("struct A;\n", "=== crates/web/tests/a.rs\n", "struct A;\n"),
            &[],
        ),
        (
            "import circles",
            book,
            sample("use crate::notice::Notice;\n", notice, "use super::book;\n"),
            &[1, 1],
        ),
        (
            "import circles",
            book,
            sample("\nfn a(n: super::notice::N)\n", notice, "use crate::{book::B};\n"),
            &[2, 1],
        ),
        ("import circles", book, sample("use crate::notice::Notice;\n", notice, "// crate::book\n"), &[]),
        (
            "import circles",
            "crates/ledger/src/actions.rs",
            sample("use self::plan::A;\n", actions, "use super::B;\n"),
            &[],
        ),
    ]
}

fn in_source() -> Vec<Sample> {
    let lib = "crates/ledger/src/lib.rs";
    let tests = "crates/ledger/src/lots/tests.rs";
    let function = |lines: usize| {
        format!("    pub async fn long(\n    ) {{\n{}    }}\n    fn b() {{}}\n", "        x;\n".repeat(lines))
    };
    let allow = format!("#{}dead_code)]\n", concat!("[al", "low("));
    let ignore = format!("#[test]\n#{}]\n", concat!("[ign", "ore"));
    vec![
        ("module header", lib, "use std::fmt;\n".into(), &[1]),
        ("module header", lib, "//! Lots.\nuse std::fmt;\n".into(), &[1]),
        ("module header", lib, "//! The credits of one payment,\n//! and their order.\n".into(), &[]),
        ("file length", lib, "x\n".repeat(501), &[501]),
        ("file length", lib, "x\n".repeat(500), &[]),
        ("file length", tests, "x\n".repeat(501), &[]),
        ("function length", lib, function(68), &[1]),
        ("function length", lib, function(67), &[]),
        ("function length", lib, format!("    fn a(\n    );\n{}    }}\n", "x\n".repeat(80)), &[]),
        ("function length", tests, function(68), &[]),
        ("line length", lib, format!("ok\n{}\n", "é".repeat(111)), &[2]),
        ("line length", lib, "é".repeat(110), &[]),
        ("line length", lib, format!("//! https://{}\n", "x".repeat(111)), &[]),
        ("line length", lib, format!("\"{}\"\n", "x".repeat(111)), &[1]),
        ("line length", tests, format!("\"{}\"\n", "x".repeat(111)), &[]),
        ("lint attributes", lib, allow, &[1]),
        ("lint attributes", tests, ignore, &[2]),
        ("lint attributes", lib, "#[expect(dead_code, reason = \"read by the driver\")]\n".into(), &[]),
        ("unargued unwrap", lib, "a.unwrap();\nb.expect(\"b\");\n".into(), &[1, 2]),
        ("unargued unwrap", lib, "let s = \"http://\".parse().unwrap();\n".into(), &[]),
        (
            "unargued unwrap",
            lib,
            "// Never empty.\na.unwrap();\nb.unwrap_or(1);\n/// a.unwrap()\n".into(),
            &[],
        ),
        ("unargued unwrap", "xtask/src/main.rs", "a.unwrap();\n".into(), &[]),
        ("floats", "crates/store/src/lib.rs", "/// No f64.\nfn a(b: f64) -> f32 {}\n".into(), &[2]),
        ("floats", "crates/web/src/lib.rs", "fn a(b: f64) {}\nlet f64x = 1;\n".into(), &[]),
    ]
}

fn in_layers() -> Vec<Sample> {
    let lib = "crates/ledger/src/lib.rs";
    let ledger = "crates/ledger/Cargo.toml";
    let table = "[dependencies.web]\nworkspace = true\n[target.'cfg(unix)'.dependencies]\nstripe = \"1\"\n";
    vec![
        ("purity", lib, "use std::fs::File;\nuse tokio::time;\n".into(), &[1, 2]),
        ("purity", lib, "use std::{env, fmt};\nlet now = SystemTime::now();\n".into(), &[1, 2]),
        ("purity", lib, "use std::fmt;\nlet net = gross - fees; // std::net\n".into(), &[]),
        ("purity", "crates/stripe/src/axum.rs", "use tokio::time;\n".into(), &[]),
        ("purity", "crates/web/src/lib.rs", "use tokio::time;\n".into(), &[]),
        ("layering", ledger, "[dependencies]\nserde = \"1\"\nstore.workspace = true\n".into(), &[3]),
        ("layering", ledger, table.into(), &[1, 4]),
        ("layering", "crates/surprise/Cargo.toml", "[dependencies]\n".into(), &[1]),
        (
            "layering",
            ledger,
            "[dependencies]\nserde.workspace = true\n[dev-dependencies]\nstore = \"1\"\n".into(),
            &[],
        ),
        (
            "layering",
            "crates/engine/Cargo.toml",
            "[dependencies]\nemulator.workspace = true\n[dev-dependencies]\nemulator.workspace = true\n"
                .into(),
            &[2],
        ),
        ("layering", "bench/Cargo.toml", "[dependencies]\nstore.workspace = true\n".into(), &[]),
        (
            "exact numbers",
            "Cargo.toml",
            "[a]\nserde_json = { features = [\"arbitrary_precision\"] }\n".into(),
            &[2],
        ),
        ("exact numbers", "Cargo.toml", "serde_json = { features = [\"raw_value\"] }\n".into(), &[]),
    ]
}

fn in_prose() -> Vec<Sample> {
    let page = "docs/page.md";
    let reminder = format!("one\n// {}: two\n", concat!("TO", "DO"));
    let key = |secret: &str| format!("key = \"{}{secret}\"\n", concat!("sk_", "live_"));
    vec![
        ("file names", "crates/web/src/utils.rs", String::new(), &[1]),
        ("file names", "crates/web/tests/common/mod.rs", String::new(), &[1]),
        ("file names", "crates/web/src/commonplace.rs", String::new(), &[]),
        ("links", page, "see [a](a.md) and [b](../b.md#c)\n".into(), &[1, 1]),
        (
            "links",
            page,
            "[a](page.md#x) [b](#y) [c](https://a.b/c) [d](../docs) [e](/docs/page.md)\n".into(),
            &[],
        ),
        ("links", page, "```\n[a](a.md)\n```\n".into(), &[]),
        ("reminders", page, reminder, &[2]),
        ("reminders", page, "Todo lists are credits too.\n".into(), &[]),
        ("keys", page, key("abcdefgh12345678"), &[1]),
        ("keys", page, key("…"), &[]),
    ]
}
