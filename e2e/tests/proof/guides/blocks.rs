//! The code blocks of the guides, and how each is tested; for blocks that are not run, the reason. A block
//! without a row in the table fails the test, and so does a row without a block.

use std::fs;
use std::path::Path;

/// A code block.
pub(super) struct Block {
    /// The name of the file without its extension.
    pub(super) guide: String,
    line: usize,
    pub(super) text: String,
}

/// How a block is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A complete program, which is run as the guide describes.
    Program,
    /// Its `curl` commands are run in order.
    Curl,
    /// Its `faireplace` commands are run. Their output must be that of the guide, except for numbers, times
    /// and ids.
    Transcript,
    /// JSON with the same fields as a real notice.
    Json,
    /// Not run, for this reason.
    Shown(&'static str),
}

const EVERY_TEST: &str = "the tests do this themselves, with other ports";
const CLOCK: &str = "the tests cannot set the machine's clock";
const STRIPE: &str = "it needs an account at Stripe";

/// The guide, the start of the block, and how it is tested.
const USES: &[(&str, &str, Use)] = &[
    ("close-the-month", "$ faireplace report", Use::Shown("the report is about a past month")),
    ("explain-a-balance", "$ faireplace balance", Use::Transcript),
    ("explain-a-balance", "$ faireplace adjust write-off", Use::Transcript),
    ("explain-a-balance", "$ faireplace adjust give", Use::Transcript),
    ("hold-for-14-days", "$ faireplace dev", Use::Shown(EVERY_TEST)),
    ("hold-for-14-days", "export FAIREPLACE_URL", Use::Shown(EVERY_TEST)),
    ("hold-for-14-days", "// envelopes.mjs:", Use::Program),
    ("hold-for-14-days", "# envelopes.py:", Use::Program),
    ("hold-for-14-days", "curl -X POST http://127.0.0.1:8082/", Use::Curl),
    ("people-and-keys", "$ faireplace keys create backend", Use::Transcript),
    ("people-and-keys", "$ faireplace report actions", Use::Transcript),
    ("people-and-keys", "$ faireplace keys create laptop", Use::Transcript),
    ("people-and-keys", "$ faireplace keys create reports", Use::Transcript),
    ("restore-a-backup", "$ faireplace backup", Use::Transcript),
    ("restore-a-backup", "$ faireplace restore monday.db", Use::Transcript),
    ("restore-a-backup", "$ faireplace restore\n", Use::Transcript),
    ("restore-a-backup", "$ faireplace restore --confirm", Use::Transcript),
    ("run-behind-a-proxy", "global", Use::Shown("tested in `overload`, with other ports")),
    ("run-behind-a-proxy", "server {", Use::Shown("the tests use HAProxy")),
    ("run-behind-a-proxy", "trusted_proxies", Use::Shown("tested in `configuration`")),
    ("run-behind-a-proxy", "WARN repeated", Use::Shown("a test in `http` looks for a similar line")),
    ("sell-packages", "$ faireplace dev", Use::Shown(EVERY_TEST)),
    ("sell-packages", "export FAIREPLACE_URL", Use::Curl),
    ("sell-packages", "// shop.mjs:", Use::Program),
    ("sell-packages", "# shop.py:", Use::Program),
    ("sell-packages", "[[packages]]", Use::Shown("`configuration` tests a similar one")),
    ("sell-packages", "checkout.session.completed", Use::Shown(STRIPE)),
    ("sell-packages", "export STRIPE_WEBHOOK_SECRET", Use::Shown(STRIPE)),
    ("spend-on-an-action", "$ faireplace dev", Use::Shown(EVERY_TEST)),
    ("spend-on-an-action", "export FAIREPLACE_URL", Use::Shown(EVERY_TEST)),
    ("spend-on-an-action", "curl -X POST $FAIREPLACE_URL", Use::Curl),
    ("spend-on-an-action", "// leases.mjs:", Use::Program),
    ("spend-on-an-action", "# leases.py:", Use::Program),
    ("spend-on-an-action", "curl -X POST http://127.0.0.1:8081/", Use::Curl),
    ("verify-notices", "$ faireplace dev", Use::Shown(EVERY_TEST)),
    ("verify-notices", "export FAIREPLACE_URL", Use::Shown(EVERY_TEST)),
    ("verify-notices", "curl -X POST $FAIREPLACE_URL/api/webhook-endpoints", Use::Curl),
    ("verify-notices", "// notices.cjs:", Use::Program),
    ("verify-notices", "# notices.py:", Use::Program),
    ("verify-notices", "//! notices.rs:", Use::Shown("compiled as an example of `web`")),
    ("verify-notices", "curl -X POST $FAIREPLACE_URL/api/credits/spend", Use::Curl),
    ("verify-notices", "{\n  \"type\": \"credits.spent\"", Use::Json),
    ("when-the-clock-is-wrong", "$ faireplace clock show", Use::Shown(CLOCK)),
    ("when-the-clock-is-wrong", "faireplace clock confirm", Use::Shown(CLOCK)),
    ("verify-notices", "export ENDPOINT", Use::Shown("tested in `crates/web`, with other ids")),
    ("verify-notices", "curl -N", Use::Shown("the stream never ends; `notices` reads one")),
];

/// The block of a guide that starts like this and is tested in this way.
pub(super) fn block(guide: &str, begins: &str, used: Use) -> Block {
    let stated = USES.contains(&(guide, begins, used));
    assert!(stated, "{guide}, `{begins}`: a test uses this block, but it is not in USES");
    let mut found = all().into_iter().filter(|block| block.guide == guide && block.text.starts_with(begins));
    let block = found.next().unwrap_or_else(|| panic!("{guide}.md has no block that starts with `{begins}`"));
    assert!(found.next().is_none(), "{guide}.md has two blocks that start with `{begins}`");
    block
}

/// The text of a guide.
pub(super) fn text_of(guide: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/guides/{guide}.md"));
    fs::read_to_string(path).unwrap()
}

/// All blocks, without their indentation.
fn all() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides")).unwrap() {
        let path = entry.unwrap().path();
        let guide = path.file_stem().unwrap().to_string_lossy().into_owned();
        // Indentation of the open fence.
        let mut inside = None;
        for (line, words) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            match (inside, words.trim_start().starts_with("```")) {
                (None, true) => {
                    inside = Some(words.len() - words.trim_start().len());
                    blocks.push(Block { guide: guide.clone(), line: line + 1, text: String::new() });
                }
                (Some(_), true) => inside = None,
                (Some(indented), false) => {
                    let text = &mut blocks.last_mut().expect("a block is open").text;
                    text.push_str(words.get(indented..).unwrap_or_default());
                    text.push('\n');
                }
                (None, false) => {}
            }
        }
    }
    blocks
}

#[test]
fn every_block_of_every_guide_is_tested_or_has_a_reason() {
    let blocks = all();
    let matches =
        |block: &Block, row: &(&str, &str, Use)| block.guide == row.0 && block.text.starts_with(row.1);
    for block in &blocks {
        let rows = USES.iter().filter(|row| matches(block, row)).count();
        let Block { guide, line, text } = block;
        assert_eq!(rows, 1, "rows in USES for docs/guides/{guide}.md, line {line}:\n{text}");
    }
    for row in USES {
        assert!(blocks.iter().any(|block| matches(block, row)), "no guide has the block of {row:?}");
    }
}
