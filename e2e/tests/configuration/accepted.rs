//! Valid configurations, and their effect on the service.

use e2e::deployment::{Deployment, SECRET};
use e2e::service::Service;
use serde_json::{Value, json};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const OTHER_SECRET: &str = "whsec_9xQv3BnTfE7RjWm5LdKc1ZsHyA0GuP2o";
const CATALOGUE: &str = "
[[packages]]
name = \"10_credits\"
credits = 10
price = 25000
currency = \"eur\"
";

/// The event of a paid session with this metadata, as small as in FairePlace's webhook guide.
fn paid(id: &str, amount: i64, currency: &str, metadata: &Value) -> String {
    json!({
        "id": format!("evt_{id}"), "type": "checkout.session.completed", "created": 1_708_425_600,
        "data": { "object": {
            "id": format!("cs_{id}"), "payment_status": "paid", "amount_total": amount, "currency": currency,
            "metadata": metadata,
        } },
    })
    .to_string()
}

fn guide(credits: &str) -> Value {
    json!({ "tenant_id": TENANT, "package": "10_credits", "credits": credits })
}

fn deliver(service: &Service, body: &str) {
    assert_eq!(service.deliver(body), 200, "{body}");
    service.settle();
}

fn available(service: &Service) -> i64 {
    service.balance(TENANT)["available"].as_i64().expect("a number")
}

#[test]
fn both_secrets_are_accepted_during_a_rotation_and_only_one_before_and_after() {
    let body = paid("roll", 25_000, "eur", &guide("10"));
    let rows = [
        (SECRET.to_owned(), [200, 400]),
        (format!("{SECRET},{OTHER_SECRET}"), [200, 200]),
        (OTHER_SECRET.to_owned(), [400, 200]),
    ];
    let mut deployment = Deployment::default();
    for (secrets, expected) in rows {
        deployment = deployment.with("STRIPE_WEBHOOK_SECRET", &secrets);
        let service = deployment.serve();
        let statuses = [SECRET, OTHER_SECRET].map(|secret| service.deliver_signed(&body, secret).status);
        assert_eq!(statuses, expected);
        service.settle();
        assert_eq!(available(&service), 10, "delivered several times, granted once");
        let log = service.log();
        assert!(!log.contains(SECRET) && !log.contains(OTHER_SECRET), "{log}");
        let shown = deployment.done("config show");
        assert!(!shown.contains("whsec_4") && !shown.contains("whsec_9"), "{shown}");
    }
}

#[test]
fn the_other_metadata_shape_is_accepted_when_configured() {
    let other = json!({ "tenant_id": TENANT, "user_id": "u_1", "package_id": "10_credits" });
    let body = paid("shape", 25_000, "eur", &other);
    let deployment = Deployment::default().with_file("faireplace.toml", CATALOGUE);
    let service = deployment.serve();
    deliver(&service, &body);
    assert_eq!(available(&service), 0);
    assert!(deployment.done("quarantine list").contains("package_unknown"));
    service.stop();
    // Configure the key, and read the event again.
    let deployment = deployment.with("FAIREPLACE_METADATA_PACKAGE", "package_id");
    let service = deployment.serve();
    deployment.done("events replay evt_shape");
    service.settle();
    assert_eq!(available(&service), 10);
    assert!(deployment.done("quarantine list").contains("No open items"), "the item closed by itself");
    deliver(&service, &paid("shape2", 25_000, "eur", &other));
    assert_eq!(available(&service), 20);
}

#[test]
fn a_purchase_that_differs_from_the_catalogue_is_quarantined() {
    let deployment = Deployment::default().with_file("faireplace.toml", CATALOGUE);
    let service = deployment.serve();
    deliver(&service, &paid("right", 25_000, "eur", &guide("10")));
    assert_eq!(available(&service), 10);
    let unlisted = json!({ "tenant_id": TENANT, "package": "11_credits", "credits": "10" });
    let rows = [
        ("cheap", paid("cheap", 1, "eur", &guide("10")), "price_mismatch"),
        ("many", paid("many", 25_000, "eur", &guide("1000")), "credits_mismatch"),
        ("yen", paid("yen", 25_000, "jpy", &guide("10")), "currency_mismatch"),
        ("unlisted", paid("unlisted", 25_000, "eur", &unlisted), "package_unknown"),
        ("float", paid("float", 25_000, "eur", &guide("10.0")), "credits_invalid"),
    ];
    for (number, (id, body, reason)) in rows.iter().enumerate() {
        deliver(&service, body);
        assert_eq!(available(&service), 10, "{id} granted nothing");
        let list = deployment.done("quarantine list");
        let row = list.lines().find(|line| line.contains(&format!("cs_{id}")));
        assert!(row.is_some_and(|row| row.contains(reason)), "{id}: no {reason} in:\n{list}");
        let shown = deployment.done(&format!("quarantine show {}", number + 1));
        assert!(shown.contains(reason), "{shown}");
    }
    let output = deployment.done("quarantine resolve 1 --reason goodwill --credits 4");
    assert!(output.contains("resolved: granted"), "{output}");
    assert_eq!(available(&service), 14);
    let status = deployment.done("doctor");
    assert!(status.contains("in quarantine: 4 items"), "{status}");
    assert!(status.contains("catalogue: 1 package; anything else is quarantined"), "{status}");
}

#[test]
fn only_known_tenants_may_buy_when_so_configured() {
    let deployment = Deployment::default().with("FAIREPLACE_KNOWN_TENANTS_ONLY", "true");
    let service = deployment.serve();
    deliver(&service, &paid("first", 25_000, "eur", &guide("10")));
    assert_eq!(available(&service), 0);
    assert!(deployment.done("quarantine list").contains("tenant_unknown"));
    deployment.done("quarantine resolve 1 --reason customer");
    assert_eq!(available(&service), 10, "an operator accepted the tenant");
    deliver(&service, &paid("second", 25_000, "eur", &guide("10")));
    assert_eq!(available(&service), 20, "the tenant is known now");
}

#[test]
fn refund_rounding_follows_the_setting() {
    for (rounding, expected) in [("floor", 1), ("ceil", 0)] {
        let deployment = Deployment::default().with("FAIREPLACE_REFUND_ROUNDING", rounding);
        let service = deployment.serve();
        deployment.done("trigger checkout.session.completed --payment r1 --package 1_credit");
        deployment.done("trigger charge.refunded --payment r1 --package 1_credit --amount 1500");
        assert_eq!(available(&service), expected, "half of one credit, {rounding}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let file = format!(
        "listen = \"127.0.0.1:0\"\nmode = \"test\"\nstripe_webhook_secret = \"{OTHER_SECRET}\"\n\
         database_url = \"sqlite:faireplace.db\"\nlog = \"info\"\nlog_format = \"json\"\n"
    );
    let deployment = Deployment::empty().with_file("faireplace.toml", &file);
    let service = deployment.serve();
    let body = paid("file", 25_000, "eur", &guide("10"));
    assert_eq!(service.deliver_signed(&body, OTHER_SECRET).status, 200);
    assert_eq!(service.deliver_signed(&body, SECRET).status, 400);
    let log = service.log();
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    service.stop();

    let deployment = deployment.with("STRIPE_WEBHOOK_SECRET", SECRET).with("FAIREPLACE_LOG_FORMAT", "text");
    let service = deployment.serve();
    assert_eq!(service.deliver_signed(&body, OTHER_SECRET).status, 400);
    assert_eq!(service.deliver_signed(&body, SECRET).status, 200);
    let shown = deployment.done("config show");
    let row =
        |name: &str| shown.lines().find(|line| line.starts_with(name)).expect("every setting is listed");
    assert!(row("STRIPE_WEBHOOK_SECRET").contains("(hidden)"), "{shown}");
    assert!(row("STRIPE_WEBHOOK_SECRET").contains("environment"), "{shown}");
    assert!(row("FAIREPLACE_MODE").contains("faireplace.toml: mode"), "{shown}");
    assert!(row("FAIREPLACE_REFUND_ROUNDING").contains("default"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains(OTHER_SECRET), "{shown}");
}

/// Tests each example line of the guide in its own configuration file.
#[test]
fn trusted_proxies_are_accepted_as_in_the_guide() {
    const GUIDE: &str = include_str!("../../../docs/guides/run-behind-a-proxy.md");
    let lines: Vec<_> = GUIDE.lines().filter(|line| line.starts_with("trusted_proxies = ")).collect();
    assert_eq!(lines.len(), 3);
    for line in lines {
        let deployment = Deployment::default().with_file("faireplace.toml", line);
        let shown = deployment.done("config show");
        let value = line.split('"').nth(1).expect("a value");
        assert!(shown.contains(value) && shown.contains("faireplace.toml"), "{line}: {shown}");
        assert_eq!(deployment.serve().stop().code, Some(0), "{line}");
    }
}

/// People export the variables that `dev` prints for programs, and run commands in the same shell.
#[test]
fn the_variables_for_client_programs_are_not_rejected() {
    let deployment = Deployment::empty()
        .with("FAIREPLACE_URL", "http://127.0.0.1:3000")
        .with("FAIREPLACE_KEY", "fp_of_some_tenant");
    let shown = deployment.done("config show");
    assert!(!shown.contains("fp_of_some_tenant"), "{shown}");
}

/// Settings that may be intended cause warnings: containers need 0.0.0.0, and a test database may be
/// anywhere.
#[test]
fn settings_that_may_be_intended_cause_warnings() {
    let twice = format!("{SECRET},{SECRET}");
    for (name, value, expected) in [
        ("FAIREPLACE_LISTEN", "0.0.0.0:3000", "API keys travel unencrypted"),
        ("FAIREPLACE_LISTEN", "[::]:3000", "API keys travel unencrypted"),
        ("STRIPE_WEBHOOK_SECRET", &twice, "STRIPE_WEBHOOK_SECRET contains the same secret twice"),
        ("DATABASE_URL", "sqlite:/dev/shm/faireplace.db", "the database is in /dev/shm"),
    ] {
        let deployment = Deployment::default().with("FAIREPLACE_MODE", "live").with(name, value);
        let output = deployment.done("config show");
        assert!(output.contains("`serve` warns: ") && output.contains(expected), "{output}");
    }
    let quiet = Deployment::default().done("config show");
    assert!(!quiet.contains("`serve`"), "{quiet}");
}

#[test]
fn secrets_of_stripe_and_of_its_cli_are_accepted_in_live_mode() {
    for secret in [SECRET, "whsec_3b9d0c7f5a1e48263b9d0c7f5a1e4826", "whsec_Yb3Nf7Hd4Gc6+Ms0P/lQ2w=="] {
        let deployment =
            Deployment::default().with("FAIREPLACE_MODE", "live").with("STRIPE_WEBHOOK_SECRET", secret);
        deployment.done("doctor");
    }
}
