//! Configurations that no deployment may start with. The text `Hid9den` marks secrets: no command and no
//! message may show it.

use std::os::unix::fs::PermissionsExt;

use e2e::deployment::{Deployment, SECRET};

const HIDDEN: &str = "Hid9den";

/// Variables in addition to a valid environment, the configuration file, and a part of the expected message.
struct Row(&'static [(&'static str, &'static str)], &'static str, &'static str);

const NOTHING: &[(&str, &str)] = &[];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Secrets.
    Row(&[("STRIPE_WEBHOOK_SECRET", "")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is empty"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "  ")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is empty"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "\"whsec_Hid9den\"")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret contains a quotation mark"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "'whsec_Hid9den'")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret contains a quotation mark"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9den\n")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret contains white space"),
    Row(&[("STRIPE_WEBHOOK_SECRET", " whsec_Hid9den")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret contains white space"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9den, whsec_Hid9den2")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret contains white space"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9den,")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is empty"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_...")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_your_secret")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "changeme")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_replace_me_with_your_secret")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Change_Me_Hid9den_123")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_ThisIsAnExampleHid9den")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9den-dummy-0123456")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_TODO_Hid9den_0123456")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9denxxxxxxxxxxxxx")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9denHid9denHid9den")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_5JqXo2v8Zt1RkLw9Yb3Nf7Hd4Gc6Ms0P,whsec_replace_Hid9den_0123")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "${STRIPE_SECRET}")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret is a placeholder"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "sk_test_Hid9den")], "", "STRIPE_WEBHOOK_SECRET: this is an API key or an endpoint id"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "we_Hid9den")], "", "STRIPE_WEBHOOK_SECRET: this is an API key or an endpoint id"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9den,sk_test_Hid9den")], "", "STRIPE_WEBHOOK_SECRET: this is an API key or an endpoint id"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "Hid9denHid9den")], "", "STRIPE_WEBHOOK_SECRET must be the signing secret of the webhook endpoint: whsec_ and"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9denHid9denX")], "", "STRIPE_WEBHOOK_SECRET must be the signing secret of the webhook endpoint: whsec_ and"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9den,a,b,c,d,e")], "", "STRIPE_WEBHOOK_SECRET: there are more than 5"),
    Row(&[("STRIPE_WEBHOOK_SECRET", "whsec_Hid9dén")], "", "STRIPE_WEBHOOK_SECRET: the webhook signing secret contains a character that no secret has"),
    // Variables.
    Row(&[("FAIREPLACE_LISTN", "127.0.0.1:3000")], "", "FAIREPLACE_LISTN is not a setting; the most similar one is FAIREPLACE_LISTEN"),
    Row(&[("FAIREPLACE_WEBHOOK_SECRET", "whsec_Hid9den")], "", "FAIREPLACE_WEBHOOK_SECRET is not a setting; the most similar one is STRIPE_WEBHOOK_SECRET"),
    Row(&[("FAIREPLACE_MODE", "production")], "", "FAIREPLACE_MODE must be live or test"),
    Row(&[("FAIREPLACE_MODE", "")], "", "FAIREPLACE_MODE must be live or test"),
    Row(&[("FAIREPLACE_MODE", "Test")], "", "FAIREPLACE_MODE must be live or test"),
    Row(&[("FAIREPLACE_LISTEN", "3000")], "", "FAIREPLACE_LISTEN must be an address and a port"),
    Row(&[("FAIREPLACE_LISTEN", "localhost:3000")], "", "FAIREPLACE_LISTEN must be an address and a port"),
    Row(&[("FAIREPLACE_LISTEN", "127.0.0.1:99999")], "", "FAIREPLACE_LISTEN must be an address and a port"),
    Row(&[("FAIREPLACE_TRUSTED_PROXIES", "proxy.internal")], "", "`proxy.internal` is not valid"),
    Row(&[("FAIREPLACE_TRUSTED_PROXIES", "10.0.0.0/33")], "", "`10.0.0.0/33` is not valid"),
    Row(&[("FAIREPLACE_TRUSTED_PROXIES", "")], "", "FAIREPLACE_TRUSTED_PROXIES must be `loopback`, `none`, or addresses"),
    Row(&[("FAIREPLACE_STRIPE_ACCOUNT", "Acme")], "", "FAIREPLACE_STRIPE_ACCOUNT must be an account id"),
    Row(&[("FAIREPLACE_REFUND_ROUNDING", "round")], "", "FAIREPLACE_REFUND_ROUNDING must be floor or ceil"),
    Row(&[("FAIREPLACE_TERMS_FROM", "charge")], "", "FAIREPLACE_TERMS_FROM must be session or payment_intent"),
    Row(&[("FAIREPLACE_REVERSAL_WAIT_MINUTES", "0")], "", "FAIREPLACE_REVERSAL_WAIT_MINUTES must be minutes from 1"),
    Row(&[("FAIREPLACE_KNOWN_TENANTS_ONLY", "yes")], "", "FAIREPLACE_KNOWN_TENANTS_ONLY must be true or false"),
    Row(&[("FAIREPLACE_METADATA_TENANT", "")], "", "FAIREPLACE_METADATA_TENANT must be a metadata key of 1 to 40 characters"),
    Row(&[("FAIREPLACE_METADATA_PACKAGE", "package\n")], "", "FAIREPLACE_METADATA_PACKAGE must be a metadata key"),
    Row(&[("FAIREPLACE_METADATA_CREDITS", "a_key_that_has_more_than_forty_characters")], "", "FAIREPLACE_METADATA_CREDITS must be a metadata key"),
    Row(&[("FAIREPLACE_LOG", "loud")], "", "FAIREPLACE_LOG must be error, warn, info, debug or trace"),
    Row(&[("FAIREPLACE_LOG_FORMAT", "xml")], "", "FAIREPLACE_LOG_FORMAT must be text or json"),
    Row(&[("FAIREPLACE_REQUESTS_PER_HOUR", "-1")], "", "FAIREPLACE_REQUESTS_PER_HOUR must be requests, a whole number from 0 (no limit)"),
    Row(&[("FAIREPLACE_REQUESTS_PER_HOUR", "many")], "", "FAIREPLACE_REQUESTS_PER_HOUR must be requests"),
    // The database.
    Row(&[("DATABASE_URL", "faireplace.db")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "sqlite:")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "sqlite://")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "sqlite::memory:")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "sqlite://:memory:")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "sqlite:~/faireplace.db")], "", "DATABASE_URL must be sqlite:PATH, without ~"),
    Row(&[("DATABASE_URL", "sqlite:faireplace.db?mode=rwc")], "", "DATABASE_URL must be sqlite:PATH, without ~ and without parameters"),
    Row(&[("DATABASE_URL", "mysql://erin:Hid9den@db/books")], "", "DATABASE_URL must be sqlite:PATH"),
    Row(&[("DATABASE_URL", "postgres://erin:Hid9den@db/books")], "", "DATABASE_URL: this release keeps its books in SQLite only"),
    // The file.
    Row(&[("FAIREPLACE_CONFIG", "missing.toml")], "", "missing.toml: "),
    Row(NOTHING, "listn = \"127.0.0.1:3000\"", "faireplace.toml: `listn` is not a setting; the most similar one is `listen`"),
    Row(NOTHING, "webhook_secret = \"whsec_Hid9den\"", "faireplace.toml: `webhook_secret` is not a setting"),
    Row(NOTHING, "FAIREPLACE_MODE = \"test\"", "faireplace.toml: `FAIREPLACE_MODE` is not a setting; in the file it is `mode`"),
    Row(NOTHING, "DATABASE_URL = \"sqlite:a.db\"", "`DATABASE_URL` is not a setting; in the file it is `database_url`"),
    Row(NOTHING, "[stripe]\nwebhook_secret = \"whsec_Hid9den\"", "faireplace.toml: `stripe` is not a setting"),
    Row(NOTHING, "stripe_webhook_secret = \"whsec_Hid9den", "faireplace.toml: "),
    Row(NOTHING, "stripe_webhook_secret = whsec_Hid9den", "faireplace.toml: "),
    Row(NOTHING, "stripe_webhook_secret \"whsec_Hid9den\"", "faireplace.toml: "),
    Row(NOTHING, "stripe_webhook_secret = \"a\"\nstripe_webhook_secret = \"whsec_Hid9den\"", "faireplace.toml: "),
    Row(NOTHING, "listen = 3000", "FAIREPLACE_LISTEN must be an address and a port"),
    Row(NOTHING, "known_tenants_only = 1", "FAIREPLACE_KNOWN_TENANTS_ONLY must be true or false"),
    // The catalogue.
    Row(NOTHING, "packages = []", "the catalogue is empty"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 0\nprice = 1\ncurrency = \"eur\"", "package `a`: credits must be from 1"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1000000001\nprice = 1\ncurrency = \"eur\"", "package `a`: credits must be from 1 to 1000000000"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = -1\ncurrency = \"eur\"", "package `a`: price must be in minor units"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 250.00\ncurrency = \"eur\"", "[[packages]]"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1\ncurrency = \"euro\"", "package `a`: currency must be three letters"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1", "currency"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1\ncurrency = \"eur\"\ncolour = 1", "colour"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1\ncurrency = \"eur\"\n[[packages]]\nname = \"a\"\ncredits = 2\nprice = 1\ncurrency = \"eur\"", "package `a` is in the catalogue twice"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1\ncurrency = \"eur\"\nstripe_price = \"prod_1\"", "package `a`: stripe_price must be the id of a Price"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1\ncurrency = \"eur\"\nstripe_price = \"price_ 1\"", "package `a`: stripe_price must be the id of a Price"),
    Row(NOTHING, "[[packages]]\nname = \"a\"\ncredits = 1\nprice = 1\ncurrency = \"eur\"\ntitle = \" \"", "package `a`: title must have 1 to 250 characters"),
    Row(NOTHING, "[[packages]]\nname = \"\"\ncredits = 1\nprice = 1\ncurrency = \"eur\"", "package ``: name must have 1 to 100 characters"),
    Row(&[("FAIREPLACE_AUTOMATIC_TAX", "yes")], "", "FAIREPLACE_AUTOMATIC_TAX must be true or false"),
];

#[test]
fn unusable_settings_are_rejected_by_name_and_no_secret_is_shown() {
    for Row(variables, file, expected) in ROWS {
        let mut deployment = Deployment::default();
        if !file.is_empty() {
            // The environment would override the file.
            deployment = Deployment::empty().with_file("faireplace.toml", file);
        }
        for (name, value) in *variables {
            deployment = deployment.with(name, value);
        }
        let given = format!("{variables:?} {file:?}");
        println!("{given}");
        for command in ["serve", "config show", "audit verify", "doctor"] {
            let ended = deployment.run(command);
            let (code, output) = match command {
                // It reports all its findings on standard output.
                "doctor" => (1, &ended.stdout),
                _ => (78, &ended.stderr),
            };
            assert_eq!(ended.code, Some(code), "{given}:\n{ended}");
            assert!(output.contains(expected), "{given}: `{expected}` is not in:\n{ended}");
            let table = ended.stdout.contains("FAIREPLACE_LISTEN");
            assert!(table || command != "config show" || !expected.contains("is not a setting"), "{ended}");
            for hidden in [HIDDEN, SECRET] {
                assert!(!ended.to_string().contains(hidden), "{given}: a secret is shown:\n{ended}");
            }
        }
        let left = std::fs::read_dir(deployment.folder()).expect("our own folder").count();
        assert_eq!(left, usize::from(!file.is_empty()), "{given}: files were created");
    }
}

const LIVE: (&str, &str) = ("FAIREPLACE_MODE", "live");

/// Settings that can be parsed and are wrong nevertheless.
#[rustfmt::skip]
const MISTAKES: &[Row] = &[
    Row(&[LIVE, ("STRIPE_WEBHOOK_SECRET", "whsec_with_underscores_Hid9den")], "", "STRIPE_WEBHOOK_SECRET is not a Stripe secret"),
    Row(&[LIVE, ("STRIPE_WEBHOOK_SECRET", "whsec_emulator_known_to_everybody")], "", "would grant credits to anyone"),
    Row(&[LIVE, ("STRIPE_API_BASE", "http://stripe.example")], "", "STRIPE_API_BASE must be an https URL in live mode"),
    Row(&[LIVE, ("STRIPE_API_BASE", "api.stripe.com")], "", "STRIPE_API_BASE must be an https URL in live mode"),
    Row(&[("DATABASE_URL", "sqlite:.")], "", "DATABASE_URL names a directory"),
    Row(&[("DATABASE_URL", "sqlite:missing/books/faireplace.db")], "", "mkdir -p missing/books"),
    Row(&[("DATABASE_URL", "sqlite:/dev/null/faireplace.db")], "", "/dev/null in DATABASE_URL is not an existing directory"),
    Row(NOTHING, "mode = \"test\"\nlisten = \"127.0.0.1:0\"", "STRIPE_WEBHOOK_SECRET is not set. Copy it from the endpoint"),
];

#[test]
fn mistakes_stop_serve_and_fail_doctor_and_no_secret_is_shown() {
    for Row(variables, file, expected) in MISTAKES {
        let mut deployment = Deployment::default();
        if !file.is_empty() {
            deployment = Deployment::empty().with_file("faireplace.toml", file);
        }
        for (name, value) in *variables {
            deployment = deployment.with(name, value);
        }
        for (command, code) in [("serve", 78), ("doctor", 1), ("config show", 0)] {
            let ended = deployment.run(command);
            assert_eq!(ended.code, Some(code), "{variables:?}:\n{ended}");
            let output = if command == "serve" { &ended.stderr } else { &ended.stdout };
            assert!(output.contains(expected), "{variables:?}: `{expected}` is not in:\n{ended}");
            assert!(!ended.to_string().contains(HIDDEN), "{variables:?}: a secret is shown:\n{ended}");
        }
        let left = std::fs::read_dir(deployment.folder()).expect("our own folder").count();
        assert_eq!(left, usize::from(!file.is_empty()), "{variables:?}: files were created");
    }
}

#[test]
fn a_world_readable_secret_is_rejected_in_live_mode_and_reported_in_test_mode() {
    const WITH: &str = "stripe_webhook_secret = \"whsec_Hid9denRkLw9Yb3Nf7Hd4Gc6Ms0P\"";
    const WITHOUT: &str = "log = \"info\"";
    let message = "every user of this machine can read STRIPE_WEBHOOK_SECRET in faireplace.toml. Fix it: \
                chmod o-rwx faireplace.toml";
    // Mode, content and permissions of the file, exit code of `doctor`, and the mark before its message.
    for (mode, text, permissions, code, mark) in [
        ("live", WITH, 0o644, 1, "✗"),
        ("live", WITH, 0o604, 1, "✗"),
        ("live", WITH, 0o640, 0, ""),
        ("live", WITH, 0o600, 0, ""),
        ("live", WITHOUT, 0o644, 0, ""),
        ("test", WITH, 0o644, 0, "!"),
        ("test", WITH, 0o640, 0, ""),
    ] {
        // The secret in the file counts, although the environment overrides it.
        let deployment =
            Deployment::default().with("FAIREPLACE_MODE", mode).with_file("faireplace.toml", text);
        let permitted = std::fs::Permissions::from_mode(permissions);
        std::fs::set_permissions(deployment.path("faireplace.toml"), permitted).expect("the file is ours");
        let ended = deployment.run("doctor");
        assert_eq!(ended.code, Some(code), "{mode} {permissions:o}: {ended}");
        let output = !mark.is_empty() && ended.stdout.contains(&format!("{mark} {message}"));
        assert_eq!(output, !mark.is_empty(), "{mode} {permissions:o}: {ended}");
        assert_eq!(ended.stdout.contains(message), output, "{mode} {permissions:o}: {ended}");
        match mark {
            "✗" => {
                let ended = deployment.run("serve");
                assert_eq!(ended.code, Some(78), "{ended}");
                assert!(ended.stderr.contains(message), "{ended}");
            }
            _ => {
                let log = deployment.serve().log();
                assert_eq!(log.contains(message), output, "{log}");
                assert!(!log.contains(HIDDEN), "{log}");
            }
        }
    }
}

#[test]
fn a_database_of_the_other_mode_and_a_foreign_file_are_rejected_unchanged() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let deployment = deployment.with("FAIREPLACE_MODE", "live");
    let ended = deployment.run("serve");
    assert_eq!(ended.code, Some(78), "{ended}");
    assert!(ended.stderr.contains("belongs to test mode and this deployment runs in live mode"), "{ended}");
    assert!(ended.stderr.contains("DATABASE_URL=sqlite:live.db"), "{ended}");

    let text = "a shopping list, and no database at all\n".repeat(100);
    let deployment = Deployment::default().with_file("faireplace.db", &text);
    let ended = deployment.run("serve");
    assert!(ended.code.is_some_and(|code| code != 0), "{ended}");
    assert!(ended.stderr.contains("faireplace.db") && ended.stderr.contains("not a"), "{ended}");
    assert_eq!(std::fs::read_to_string(deployment.path("faireplace.db")).ok(), Some(text));
}

#[test]
fn dev_rejects_live_mode() {
    let ended = Deployment::default().with("FAIREPLACE_MODE", "live").run("dev");
    assert_eq!(ended.code, Some(78), "{ended}");
    assert!(ended.stderr.contains("FAIREPLACE_MODE must be test"), "{ended}");
}
