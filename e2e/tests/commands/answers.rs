//! Every command that only reads, with and without a running service: output and exit code.

use serde_json::Value;

use crate::Past;

/// A command, its exit code, and a part of its output: of standard output if it succeeds, otherwise of the
/// `error: ` message on standard error.
#[rustfmt::skip]
const COMMANDS: &[(&str, i32, &str)] = &[
    ("balance 550e8400-e29b-41d4-a716-446655440000", 0, "5 available"),
    ("balance 550e8400-e29b-41d4-a716-446655440000 --json", 0, "\"available\": 5"),
    ("balance 550e8400-e29b-41d4-a716-44665544ffff", 0, "0 available"),
    ("balance 550E8400-E29B-41D4-A716-446655440000 --json", 0, "\"available\": 5"),
    ("balance nobody", 2, "<TENANT>': must be a UUID, such as"),
    ("balance a%20b&c", 2, "<TENANT>': must be a UUID"),
    ("history 550e8400-e29b-41d4-a716-446655440000", 0, "granted"),
    ("history 550e8400-e29b-41d4-a716-446655440000", 0, "evt_sale1_paid_checkout_session_completed"),
    ("history 550e8400-e29b-41d4-a716-446655440000 --limit 1", 0, "1–1 of 2; --page 2 for more"),
    ("history 550e8400-e29b-41d4-a716-446655440000 --limit 1 --page 2 --json", 0, "\"granted\""),
    ("history 550e8400-e29b-41d4-a716-446655440000 --limit 1 --page 2", 0, "2–2 of 2\n"),
    ("history 550e8400-e29b-41d4-a716-446655440000 --page 9", 0, "Page 9 is past the end; the last page is 1."),
    ("history 550e8400-e29b-41d4-a716-446655440000", 0, "when (UTC)"),
    ("history 550e8400-e29b-41d4-a716-44665544ffff", 0, "This tenant has no transactions."),
    ("history nobody", 2, "<TENANT>'"),
    ("history 550e8400-e29b-41d4-a716-446655440000 --limit 101", 2, "--limit"),
    ("events list", 0, "wrong_mode"),
    ("events list --limit 0", 2, "--limit"),
    ("events list --page 0", 2, "--page"),
    ("events list --json", 0, "\"evt_sale1_half_refunded_charge_refunded\""),
    ("events list --type refund.created", 0, "revoked"),
    ("events list --outcome quarantined --json", 0, "\"unreadable\""),
    ("events list --outcome nonsense", 1, "outcome must be one of quarantined, granted"),
    ("events list --payment ch_sale1", 0, "evt_sale1_paid_charge_succeeded"),
    ("events list --payment ch_nope", 1, "There is no such payment."),
    ("events list --pending", 0, "No such events."),
    ("events show evt_sale1_paid_charge_succeeded", 0, "\"object\": \"charge\""),
    ("events show evt_sale1_paid_charge_succeeded --json", 0, "\"deliveries\": 1"),
    ("events list --type a&b=c", 0, "No such events."),
    ("events list --type refund.created&outcome=nonsense", 0, "No such events."),
    ("events show evt_nope", 1, "evt_nope: There is no such event."),
    ("events show a/b?c", 1, "a/b?c: There is no such event."),
    ("events replay evt_nope evt_neither", 1, "evt_nope: There is no such event."),
    ("events replay", 2, "<EVENTS>"),
    ("quarantine list", 0, "tenant_invalid"),
    ("quarantine list --all --json", 0, "\"wrong_mode\""),
    ("quarantine show 1", 0, "unreadable"),
    ("quarantine show 2", 0, "faireplace quarantine resolve 2 --reason WHY [--tenant UUID] [--credits N]"),
    ("quarantine show 2 --json", 0, "\"pi_sale2\""),
    ("quarantine show 99", 1, "There is no such quarantine item."),
    ("quarantine show 2", 0, "To grant nothing:  faireplace quarantine dismiss 2"),
    ("quarantine show first", 2, "first"),
    ("quarantine resolve 2", 2, "--reason"),
    ("quarantine resolve 2 --reason why", 1, "does not say who gets how many credits"),
    ("quarantine resolve 2 --all --reason why", 2, "--all"),
    ("quarantine resolve --reason why", 2, "ID"),
    ("quarantine resolve 2 --reason why --of-tenant 550e8400-e29b-41d4-a716-446655440000", 1, "are for `--all`"),
    ("quarantine resolve --all --reason why", 1, "does not say who gets how many credits"),
    ("quarantine dismiss --all --reason why", 1, "Repeat the command with --yes to do it."),
    ("quarantine dismiss --all --reason why --dry-run", 0, "decides 4 items"),
    ("quarantine list --with-reason wrong_mode", 0, "wrong_mode"),
    ("quarantine list --with-reason price_mismatch", 0, "No open items."),
    ("quarantine resolve 1 --reason why --credits 5", 1, "reads the event again"),
    ("clock show", 0, "the machine's clock is trusted"),
    ("clock show --json", 0, "\"state\": \"trusted\""),
    ("clock confirm --time wall --reason why", 1, "The clock is not in doubt, so there is nothing to confirm."),
    ("clock confirm --time noon --reason why", 2, "possible values: wall, kept"),
    ("clock confirm --time kept", 2, "--reason"),
    ("keys list", 0, "operator on this machine"),
    ("keys list --json", 0, "\"operator\""),
    ("keys revoke key_nope", 1, "There is no such key that still works."),
    ("keys rotate key_nope", 1, "There is no such key that still works."),
    ("keys rotate key_nope --grace-period 169", 2, "--grace-period"),
    ("explain", 0, "What the API answers\n  BAD_REQUEST"),
    ("explain", 0, "  already_known             Everything in it was known already."),
    ("explain RATE_LIMIT_EXCEEDED", 0, "RATE_LIMIT_EXCEEDED\n\n429 The tenant's requests of this hour"),
    ("explain rate-limit-exceeded", 0, "The money: nothing was changed"),
    ("explain TENANT_MISSING", 0, "tenant_missing"),
    ("explain already_known", 0, "Duplicates and replays end here."),
    ("explain tenant_misssing", 1, "tenant_misssing is not a known name; similar names: tenant_missing"),
    ("explain nonsense", 1, "`faireplace explain` lists all names"),
    ("openapi", 0, "\"openapi\": \"3.1.0\""),
    ("keys create product", 2, "--tenant"),
    ("keys create product --tenant nobody", 2, "must be a UUID"),
    ("keys create product --operator --expires 0", 2, "--expires"),
    ("keys create product --operator", 1, "reason must be 1 to 500 characters"),
    ("keys create product --service --reason r", 1, "repeat this with `--alone`"),
    ("keys create product --service --operator", 2, "--operator"),
    ("people list", 0, "erin"),
    ("people add bob --reason r --alone", 1, "First create a key of your own"),
    ("people remove erin --reason r", 1, "Nobody else is registered"),
    ("people remove nobody --reason r", 1, "nobody named nobody is registered"),
    ("history 550e8400-e29b-41d4-a716-446655440000 --csv", 0, ",closing_balance,,5,0,0,0,5,"),
    ("history 550e8400-e29b-41d4-a716-446655440000 --csv --json", 2, "--csv"),
    ("tenants list", 0, "550e8400-e29b-41d4-a716-446655440000"),
    ("tenants list --debt", 0, "No such tenants."),
    ("tenants list --json", 0, "\"low_balance\": null"),
    ("tenants show 550e8400-e29b-41d4-a716-446655440000", 0, "1 lot, 0 open holds, 0 payments"),
    ("tenants show 550e8400-e29b-41d4-a716-44665544ffff", 1, "There is no such tenant."),
    ("tenants set 550e8400-e29b-41d4-a716-446655440000", 2, "--name"),
    ("actions list", 0, "No such actions."),
    ("actions list --state nonsense", 1, "state must be one of waiting, done"),
    ("actions show act_nope", 1, "There is no such action."),
    ("actions approve act_nope", 1, "There is no such action."),
    ("adjust give 550e8400-e29b-41d4-a716-446655440000 101 --reason r", 1, "repeat this with `--alone`"),
    ("adjust give 550e8400-e29b-41d4-a716-446655440000 101 --reason r --dry-run", 0, "It needs a second person."),
    ("adjust take 550e8400-e29b-41d4-a716-446655440000 4 --reason r --dry-run", 0, "5 available → 1 available"),
    ("adjust give 550e8400-e29b-41d4-a716-446655440000 5", 2, "--reason"),
    ("adjust give 550e8400-e29b-41d4-a716-446655440000 0 --reason r", 2, "must be a whole number from 1 to 1000000000"),
    ("adjust take 550e8400-e29b-41d4-a716-446655440000 -5 --reason r", 2, "must be a whole number from 1 to"),
    ("adjust write-off 550e8400-e29b-41d4-a716-446655440000 1.5 --reason r", 2, "must be a whole number from 1 to"),
    ("adjust give 550e8400-e29b-41d4-a716-44665544ffff 5 --reason r", 1, "There is no such tenant."),
    ("adjust take 550e8400-e29b-41d4-a716-446655440000 6 --reason r", 1, "6 credits were to be taken, and 5 are"),
    ("adjust write-off 550e8400-e29b-41d4-a716-446655440000 --reason r", 1, "This tenant has no debt."),
    ("report liability", 0, "eur            25000           0             12500"),
    ("report liability --as-of 2020-01-01", 0, "No sales."),
    ("report liability --as-of someday", 1, "as_of must be a day such as"),
    ("report liability --lots", 2, "<--csv|--json>"),
    ("report liability --csv --lots", 0, "\nlot,eur,550e8400-e29b-41d4-a716-446655440000,1,pi_sale1,"),
    ("report actions --from 2020-01-01 --to 2020-01-02", 0, "No actions in this period."),
    ("report actions --from someday", 1, "from must be a day such as"),
    ("report actions --csv", 0, "person_id,person,kind,actions,credits,alone"),
    ("report liability --json --lots", 0, "\"deferred\": 12500"),
    ("audit verify", 0, "the books add up"),
    ("audit verify --json", 0, "\"ok\": true"),
    ("config show", 0, "(hidden)"),
    ("doctor", 0, "all events are applied: 20 events"),
    ("doctor", 0, "in quarantine: 4 items"),
    ("nonsense", 2, "nonsense"),
    ("--help", 0, "Exit codes: 0 done, 1 refused or failed, 2 usage error, 74 the disk failed, 78 invalid configuration"),
    ("--help", 0, "Start with: faireplace dev"),
    ("serve --help", 0, "STRIPE_WEBHOOK_SECRET"),
    ("dev --help", 0, "FAIREPLACE_LISTEN"),
    ("--version", 0, "faireplace 0."),
];

#[test]
fn every_command_answers_alike_with_and_without_a_service() {
    let (running, stopped) = (Past::new(true), Past::new(false));
    for &(command, code, expected) in COMMANDS {
        let outputs = [&running, &stopped].map(|past| {
            let ended = past.deployment.run(command);
            assert_eq!(ended.code, Some(code), "{ended}");
            let (output, silent) =
                if code == 0 { (&ended.stdout, &ended.stderr) } else { (&ended.stderr, &ended.stdout) };
            assert!(output.contains(expected), "`{expected}` is not in:\n{ended}");
            assert!(code == 0 || output.starts_with("error: "), "{ended}");
            assert_eq!(silent, "", "{ended}");
            let secret = e2e::deployment::SECRET;
            assert!(!output.contains(secret), "the signing secret is shown:\n{ended}");
            if command.contains("--json") && code == 0 {
                serde_json::from_str::<Value>(output).unwrap_or_else(|error| panic!("{error}:\n{ended}"));
            }
            without_varying_parts(output)
        });
        assert_eq!(outputs[0], outputs[1], "`{command}` with and without a service");
    }
    let doctor = |past: &Past| past.deployment.done("doctor");
    assert!(doctor(&running).contains("✓ a service runs at http://127.0.0.1:"));
    assert!(doctor(&stopped).contains("! no service runs on faireplace.db"));
}

/// Replaces what differs between two runs: times and random ids. Leaves out whether a service runs.
fn without_varying_parts(text: &str) -> String {
    let words = |line: &str| {
        line.split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(|word| {
                let bare = word.trim_matches(['"', ',']);
                let date = bare.len() >= 8 && bare.starts_with("20") && bare[4..].starts_with('-');
                let clock = bare.len() == 8 && bare.matches(':').count() == 2;
                let named = ["key_", "person_", "act_"].iter().any(|kind| bare.starts_with(kind));
                let random = named || bare.len() >= 32 && is_hexadecimal(bare);
                let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
                let seconds = digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
                if date || clock || random || seconds { "~" } else { word }
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    let differs = |line: &&str| !line.contains("service runs") && !line.contains("\"created\":");
    text.lines().filter(differs).map(words).collect::<Vec<_>>().join("\n")
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[test]
fn without_a_database_commands_recommend_how_to_start() {
    let deployment = e2e::deployment::Deployment::default();
    for command in
        ["backup copy.db", "balance 550e8400-e29b-41d4-a716-446655440000", "events list", "audit verify"]
    {
        let ended = deployment.run(command);
        assert_eq!(ended.code, Some(1), "{ended}");
        assert!(ended.stderr.contains("Start with `faireplace dev` or `faireplace serve`"), "{ended}");
    }
    let doctor = deployment.done("doctor");
    assert!(doctor.contains("! there is no database at faireplace.db yet"), "{doctor}");
    assert!(!deployment.path("faireplace.db").exists(), "reading created a file");
}

#[test]
fn a_file_without_a_ledger_does_not_become_a_new_database() {
    let deployment = e2e::deployment::Deployment::default().with_file("faireplace.db", "");
    for command in ["balance 550e8400-e29b-41d4-a716-446655440000", "audit verify", "backup copy.db"] {
        let ended = deployment.run(command);
        assert_eq!(ended.code, Some(1), "{ended}");
        assert!(ended.stderr.contains("holds no ledger; was its -wal file left behind?"), "{ended}");
    }
    let left = std::fs::read_dir(deployment.folder()).expect("the folder is readable").count();
    assert_eq!(left, 1, "reading created a file");
    deployment.serve();
}
