//! What stands in the guides between fences, and what becomes of each: programs and commands are run, and
//! what is only shown says why. A block without a row fails, and so does a row without a block.
//!
//! Not here: running them.

use std::fs;
use std::path::Path;

/// One block.
pub(super) struct Block {
    /// The file's name without its ending.
    pub(super) guide: String,
    line: usize,
    pub(super) text: String,
}

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is a whole program, and is run as the guide says.
    Program,
    /// Its `curl` lines are run, in their order.
    Curl,
    /// Its `faireplace` lines are run, and say what the guide says but for numbers, times and ids.
    Transcript,
    /// It is JSON, of which a real one has the fields.
    Json,
    /// It is not run, because …
    Shown(&'static str),
}

const EVERY_TEST: &str = "every test of a guide does this itself, on ports of its own";
const CLOCK: &str = "no test sets the machine's clock";
const STRIPE: &str = "only Stripe's own account can do it";

/// The guide, how the block begins, and what becomes of it.
const USES: &[(&str, &str, Use)] = &[
    (
        "close-the-month",
        "$ faireplace report",
        Use::Shown("its month is over, and what was sold in it unknown"),
    ),
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
    ("run-behind-a-proxy", "global", Use::Shown("the tests of overload run it, on ports of their own")),
    ("run-behind-a-proxy", "server {", Use::Shown("HAProxy is the proxy that the tests run")),
    ("run-behind-a-proxy", "trusted_proxies", Use::Shown("the tests of the configuration read each line")),
    ("run-behind-a-proxy", "WARN repeated", Use::Shown("a test of the log looks for one like it")),
    ("sell-packages", "$ faireplace dev", Use::Shown(EVERY_TEST)),
    ("sell-packages", "export FAIREPLACE_URL", Use::Curl),
    ("sell-packages", "// shop.mjs:", Use::Program),
    ("sell-packages", "# shop.py:", Use::Program),
    ("sell-packages", "[[packages]]", Use::Shown("the tests of the configuration read one like it")),
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
    ("verify-notices", "//! notices.rs:", Use::Shown("it is compiled as an example of `web`")),
    ("verify-notices", "curl -X POST $FAIREPLACE_URL/api/credits/spend", Use::Curl),
    ("verify-notices", "{\n  \"type\": \"credits.spent\"", Use::Json),
    ("when-the-clock-is-wrong", "$ faireplace clock show", Use::Shown(CLOCK)),
    ("when-the-clock-is-wrong", "faireplace clock confirm", Use::Shown(CLOCK)),
    ("verify-notices", "export ENDPOINT", Use::Shown("the tests of the API do it, with ids of their own")),
    ("verify-notices", "curl -N", Use::Shown("it has no end; `notices` listens to one")),
];

/// The one block of a guide that begins like this, and is put to this use.
pub(super) fn block(guide: &str, begins: &str, used: Use) -> Block {
    let stated = USES.contains(&(guide, begins, used));
    assert!(stated, "{guide}, `{begins}`: a test uses it, and USES does not say so");
    let mut found = all().into_iter().filter(|block| block.guide == guide && block.text.starts_with(begins));
    let block = found.next().unwrap_or_else(|| panic!("{guide}.md has no block that begins with `{begins}`"));
    assert!(found.next().is_none(), "{guide}.md has two blocks that begin with `{begins}`");
    block
}

/// The whole of a guide.
pub(super) fn text_of(guide: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/guides/{guide}.md"));
    fs::read_to_string(path).unwrap()
}

/// All of them, without their indentation.
fn all() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides")).unwrap() {
        let path = entry.unwrap().path();
        let guide = path.file_stem().unwrap().to_string_lossy().into_owned();
        // How deep the open fence is indented.
        let mut inside = None;
        for (line, words) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            match (inside, words.trim_start().starts_with("```")) {
                (None, true) => {
                    inside = Some(words.len() - words.trim_start().len());
                    blocks.push(Block { guide: guide.clone(), line: line + 1, text: String::new() });
                }
                (Some(_), true) => inside = None,
                (Some(indented), false) => {
                    let text = &mut blocks.last_mut().expect("a fence was opened").text;
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
fn every_block_of_every_guide_is_run_or_says_why_not() {
    let blocks = all();
    let fits = |block: &Block, row: &(&str, &str, Use)| block.guide == row.0 && block.text.starts_with(row.1);
    for block in &blocks {
        let rows = USES.iter().filter(|row| fits(block, row)).count();
        let Block { guide, line, text } = block;
        assert_eq!(rows, 1, "rows in USES for docs/guides/{guide}.md, line {line}:\n{text}");
    }
    for row in USES {
        assert!(blocks.iter().any(|block| fits(block, row)), "no guide has {row:?} any more");
    }
}
