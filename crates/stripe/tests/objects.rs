//! The same object in the shapes of several API versions must read the same, and bad fields must be named.

use stripe::{
    BalanceTransaction, ChargeSnapshot, CheckoutSessionSnapshot, DisputeSnapshot, DisputeStatus,
    EarlyFraudWarningSnapshot, Envelope, Faults, InvoiceSnapshot, Metadata, Object, PaymentIntentSnapshot,
    PaymentStatus, ReadFault, RefundSnapshot, RefundStatus,
};

const VERSIONS: [&str; 3] = ["2022-11-15", "2025-03-31.basil", "2026-10-28.endive"];
const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn payment_intent() -> Option<String> {
    text("pi_3PgafxB7WZ01zgkW0Vq9Abcd")
}

fn charge() -> Option<String> {
    text("ch_3PgafxB7WZ01zgkW0uU1Efgh")
}

fn read(body: &[u8]) -> Result<Object, ReadFault> {
    match Envelope::parse(body)? {
        Envelope::Snapshot(event) => event.object(),
        Envelope::Thin(event) => panic!("{event:?} is thin"),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Metadata has no public constructor, so objects are compared without it, and it is compared separately.
fn check_versions(name: &str, expected: &Object, tenant_in_metadata: bool) {
    for version in VERSIONS {
        let mut object = read(&fixture(&format!("{name}.{version}"))).unwrap();
        if let Some(metadata) = metadata_of(&mut object) {
            let tenant = tenant_in_metadata.then_some(TENANT);
            assert_eq!(metadata.get("tenant_id"), tenant, "{name} {version}");
        }
        assert_eq!(object, *expected, "{name} {version}");
    }
}

fn metadata_of(object: &mut Object) -> Option<Metadata> {
    match object {
        Object::CheckoutSession(session) => Some(std::mem::take(&mut session.metadata)),
        Object::PaymentIntent(intent) => Some(std::mem::take(&mut intent.metadata)),
        Object::Charge(charge) => Some(std::mem::take(&mut charge.metadata)),
        Object::Refund(_)
        | Object::Dispute(_)
        | Object::Invoice(_)
        | Object::InvoicePayment(_)
        | Object::EarlyFraudWarning(_)
        | Object::Other => None,
    }
}

#[test]
fn a_checkout_session_in_every_version() {
    let session = CheckoutSessionSnapshot {
        id: "cs_test_a1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8".to_owned(),
        payment_status: Some(PaymentStatus::Paid),
        status: text("complete"),
        mode: text("payment"),
        amount_total: Some(24_000),
        amount_subtotal: Some(25_000),
        amount_tax: Some(4_165),
        currency: text("eur"),
        metadata: Metadata::default(),
        payment_intent: payment_intent(),
        client_reference_id: text("user_7"),
        invoice: None,
        subscription: None,
        metadata_unreadable: false,
        faults: Faults::default(),
    };
    check_versions("checkout_session", &Object::CheckoutSession(session), true);
}

#[test]
fn a_charge_in_every_version() {
    let charge = ChargeSnapshot {
        id: charge().unwrap(),
        payment_intent: payment_intent(),
        amount: Some(25_000),
        amount_captured: Some(24_000),
        amount_refunded: 13_500,
        captured: Some(true),
        refunded: false,
        status: text("succeeded"),
        currency: text("eur"),
        failure_code: None,
        metadata: Metadata::default(),
        refunds: Vec::new(),
        invoice: None,
        faults: Faults::default(),
    };
    check_versions("charge", &Object::Charge(charge), true);
}

#[test]
fn a_charge_with_its_refunds_inside() {
    let Ok(Object::Charge(charge)) = read(&fixture("charge.2017-04-06")) else { panic!("no charge") };
    let refunds: Vec<_> =
        charge.refunds.iter().map(|refund| (refund.amount, refund.status.clone())).collect();
    assert_eq!(refunds, [(2_000, Some(RefundStatus::Succeeded)), (1_000, Some(RefundStatus::Pending))]);
    assert_eq!((charge.amount_refunded, charge.amount_captured), (3_000, None));
    assert_eq!(charge.currency.as_deref(), Some("eur"), "sent as EUR");
}

#[test]
fn a_refund_in_every_version() {
    let refund = RefundSnapshot {
        id: "re_3PgafxB7WZ01zgkW0Ref".to_owned(),
        amount: 12_500,
        status: Some(RefundStatus::Failed),
        charge: charge(),
        payment_intent: payment_intent(),
        currency: text("eur"),
        failure_reason: text("expired_or_canceled_card"),
        faults: Faults::default(),
    };
    check_versions("refund", &Object::Refund(refund), false);
}

#[test]
fn a_dispute_in_every_version() {
    let movement = |amount| BalanceTransaction { amount, currency: "eur".to_owned() };
    let dispute = DisputeSnapshot {
        id: "du_1PgbB7WZ01zgkWDis".to_owned(),
        amount: 24_000,
        currency: text("eur"),
        status: DisputeStatus::Lost,
        charge: charge(),
        payment_intent: payment_intent(),
        balance_transactions: vec![movement(-24_000), movement(9_000)],
        reason: text("fraudulent"),
        faults: Faults::default(),
    };
    check_versions("dispute", &Object::Dispute(dispute), false);
}

#[test]
fn a_payment_intent_in_every_version() {
    let intent = PaymentIntentSnapshot {
        id: payment_intent().unwrap(),
        amount: Some(25_000),
        amount_received: Some(24_000),
        status: text("succeeded"),
        currency: text("eur"),
        latest_charge: charge(),
        metadata: Metadata::default(),
        invoice: None,
        faults: Faults::default(),
    };
    check_versions("payment_intent", &Object::PaymentIntent(intent), true);
}

#[test]
fn an_early_fraud_warning_in_every_version() {
    let warning = EarlyFraudWarningSnapshot {
        id: "issfr_1PgB7WZ01zgkWEfw".to_owned(),
        charge: charge(),
        payment_intent: payment_intent(),
        actionable: true,
        fraud_type: text("misc"),
    };
    check_versions("early_fraud_warning", &Object::EarlyFraudWarning(warning), false);
}

#[test]
fn the_bare_sample_of_the_guide() {
    let Ok(Object::CheckoutSession(session)) = read(&fixture("guide-sample")) else { panic!("no session") };
    assert_eq!(session.id, "cs_live_a1b2c3d4e5f6g7h8");
    assert_eq!(session.payment_status, Some(PaymentStatus::Paid));
    assert_eq!((session.amount_total, session.currency.as_deref()), (Some(25_000), Some("eur")));
    let metadata: Vec<_> = session.metadata.iter().collect();
    assert_eq!(metadata, [("tenant_id", TENANT), ("package", "10_credits"), ("credits", "10")]);
    assert_eq!((session.payment_intent, session.mode, session.status), (None, None, None));
}

/// An event of this type with this object.
fn event(kind: &str, object: &str) -> Vec<u8> {
    format!(r#"{{"id":"evt_1","type":"{kind}","created":1,"data":{{"object":{object}}}}}"#).into_bytes()
}

#[test]
fn references_are_text_or_the_expanded_object() {
    for (written, expected) in [
        (r#""pi_1""#, Ok(Some("pi_1"))),
        (r#"{"id":"pi_1","object":"payment_intent","amount":5.5}"#, Ok(Some("pi_1"))),
        ("null", Ok(None)),
        (r#"{"object":"payment_intent"}"#, Err(ReadFault::Missing { field: "payment_intent" })),
        (r#"{"id":"pi_1","id":"pi_2"}"#, Err(ReadFault::DuplicateKey { field: "id" })),
        (r#""""#, Err(ReadFault::Id { field: "payment_intent" })),
        (r#"["pi_1"]"#, Err(ReadFault::WrongType { field: "payment_intent", expected: "text" })),
    ] {
        let body = event("charge.succeeded", &format!(r#"{{"id":"ch_1","payment_intent":{written}}}"#));
        let Ok(Object::Charge(charge)) = read(&body) else { panic!("{written} discards the charge") };
        let read = charge.faults.first().map_or(Ok(charge.payment_intent.as_deref()), Err);
        assert_eq!(read, expected, "{written}");
    }
}

#[test]
fn absent_flags_and_sums_are_false_and_zero() {
    for (object, expected) in [
        (r#"{"id":"ch_1"}"#, (false, 0)),
        (r#"{"id":"ch_1","refunded":null,"amount_refunded":null}"#, (false, 0)),
        (r#"{"id":"ch_1","refunded":true,"amount_refunded":7}"#, (true, 7)),
    ] {
        let Ok(Object::Charge(charge)) = read(&event("charge.updated", object)) else { panic!("no charge") };
        assert_eq!((charge.refunded, charge.amount_refunded), expected, "{object}");
    }
    let bare = event("radar.early_fraud_warning.created", r#"{"id":"issfr_1"}"#);
    let Ok(Object::EarlyFraudWarning(warning)) = read(&bare) else { panic!("no warning") };
    assert!(!warning.actionable);
}

/// Stripe has been seen to send an empty `failure_code` for a declined debit.
#[test]
fn an_empty_explanation_is_none() {
    for (code, expected) in [("\"\"", None), ("\"card_declined\"", text("card_declined")), ("null", None)] {
        let object = format!(r#"{{"id":"ch_1","amount":1,"currency":"eur","failure_code":{code}}}"#);
        let Ok(Object::Charge(charge)) = read(&event("charge.failed", &object)) else { panic!("no charge") };
        assert_eq!(charge.failure_code, expected, "{code}");
    }
}

#[test]
fn unknown_statuses_are_kept_as_text() {
    let body = event("refund.updated", r#"{"id":"re_1","amount":1,"status":"thought_about"}"#);
    let Ok(Object::Refund(refund)) = read(&body) else { panic!("no refund") };
    assert_eq!(refund.status, Some(RefundStatus::Other("thought_about".to_owned())));
}

#[test]
fn the_type_alone_decides_what_the_object_is() {
    let says_charge = r#"{"id":"re_1","object":"charge","amount":1,"status":"pending"}"#;
    assert!(matches!(read(&event("charge.refund.updated", says_charge)), Ok(Object::Refund(_))));
    assert_eq!(read(&event("customer.created", r#"{"id":7,"amount":1.5}"#)), Ok(Object::Other));
}

#[test]
fn amounts_are_integers_within_bounds() {
    let amount = Err(ReadFault::Amount { field: "amount" });
    for (written, expected) in [
        ("0", Ok(0)),
        ("25000", Ok(25_000)),
        ("1000000000000", Ok(1_000_000_000_000)),
        ("1000000000001", amount),
        ("-1", amount),
        ("-0", amount),
        ("100.0", amount),
        ("1e2", amount),
        ("1E2", amount),
        ("1e400", amount),
        ("9223372036854775807", amount),
        ("9223372036854775808", amount),
        ("18446744073709551617", amount),
        ("99999999999999999999999999999999999999999999", amount),
        ("\"100\"", amount),
        ("true", amount),
        ("[100]", amount),
        ("{}", amount),
        ("null", Err(ReadFault::Missing { field: "amount" })),
    ] {
        let body =
            event("refund.created", &format!(r#"{{"id":"re_1","amount":{written},"status":"pending"}}"#));
        let read = read(&body).map(|object| match object {
            Object::Refund(refund) => refund.amount,
            other => panic!("{other:?} is no refund"),
        });
        assert_eq!(read, expected, "{written}");
    }
}

#[test]
fn movements_have_a_sign_within_the_same_bounds() {
    let amount = Err(ReadFault::Amount { field: "amount" });
    for (written, expected) in [
        ("-1000000000000", Ok(-1_000_000_000_000)),
        ("-1", Ok(-1)),
        ("1000000000000", Ok(1_000_000_000_000)),
        ("-1000000000001", amount),
        ("1000000000001", amount),
        ("-9223372036854775808", amount),
        ("-0", amount),
        ("-1.0", amount),
    ] {
        let movement = format!(r#"{{"amount":{written},"currency":"eur"}}"#);
        let object =
            format!(r#"{{"id":"du_1","amount":1,"status":"won","balance_transactions":[{movement}]}}"#);
        let Ok(Object::Dispute(dispute)) = read(&event("charge.dispute.closed", &object)) else {
            panic!("{written} discards the dispute")
        };
        let read = dispute.balance_transactions.first().map(|movement| movement.amount);
        assert_eq!(read.ok_or(()), expected.map_err(|_| ()), "{written}");
        assert_eq!(dispute.faults.first(), expected.err(), "{written}");
    }
}

/// A malformed optional field is reported and affects no other field; a required field must be valid.
#[test]
fn what_cannot_be_read_is_named() {
    let not = |field, expected| ReadFault::WrongType { field, expected };
    let missing = |field| ReadFault::Missing { field };
    let keys: Vec<String> = (0..51).map(|key| format!(r#""k{key}":"v""#)).collect();
    let fifty_one = format!(r#"{{"id":"cs_1","metadata":{{{}}}}}"#, keys.join(","));
    let completed = "checkout.session.completed";
    for (kind, object, fault) in [
        (completed, "{}", missing("id")),
        (completed, r#"{"id":null}"#, missing("id")),
        (completed, r#"{"id":7}"#, not("id", "text")),
        (completed, r#"{"id":"cs_1","payment_status":true}"#, not("payment_status", "text")),
        (completed, r#"{"id":"cs_1","payment_status":"pa id"}"#, ReadFault::Text { field: "payment_status" }),
        (completed, r#"{"id":"cs_1","currency":"e\nr"}"#, ReadFault::Text { field: "currency" }),
        (completed, r#"{"id":"cs_1","metadata":[]}"#, not("metadata", "an object")),
        (completed, r#"{"id":"cs_1","metadata":{"credits":10}}"#, not("metadata", "text")),
        (completed, r#"{"id":"cs_1","metadata":{"credits":null}}"#, not("metadata", "text")),
        (completed, r#"{"id":"cs_1","metadata":{"credits":{}}}"#, not("metadata", "text")),
        (completed, &fifty_one, ReadFault::MetadataTooLarge),
        ("charge.refunded", r#"{"id":"ch_1","amount":5}"#, missing("amount_refunded")),
        ("charge.refunded", r#"{"id":"ch_1","amount_refunded":null}"#, missing("amount_refunded")),
        ("charge.succeeded", r#"{"id":"ch_1","captured":"yes"}"#, not("captured", "true or false")),
        ("charge.succeeded", r#"{"id":"ch_1","refunds":[]}"#, not("refunds", "an object")),
        ("charge.succeeded", r#"{"id":"ch_1","refunds":{"data":{}}}"#, not("data", "an array")),
        (
            "charge.succeeded",
            r#"{"id":"ch_1","refunds":{"data":["re_1"]}}"#,
            not("refunds.data", "an object"),
        ),
        ("refund.created", r#"{"id":"re_1","amount":5,"status":7}"#, not("status", "text")),
        ("charge.dispute.created", r#"{"id":"du_1","status":"lost"}"#, missing("amount")),
        (
            "charge.dispute.created",
            r#"{"id":"du_1","status":"lost","amount":1,"balance_transactions":["txn_1"]}"#,
            not("balance_transactions", "an object"),
        ),
    ] {
        let read = read(&event(kind, object));
        let required = matches!(fault, ReadFault::Missing { .. })
            || matches!(fault, ReadFault::WrongType { field: "id", .. });
        assert_eq!(read.is_err(), required, "{kind} {object}");
        assert_eq!(read.map_or_else(Some, |object| object.fault()), Some(fault), "{kind} {object}");
    }
}

/// Stripe's type allows a refund without a status; the charge with such a refund can be read.
#[test]
fn a_refund_may_have_no_status() {
    let body = event("refund.created", r#"{"id":"re_1","amount":5,"status":null}"#);
    assert!(matches!(read(&body), Ok(Object::Refund(refund)) if refund.status.is_none()));
    let charge = r#"{"id":"ch_1","amount_refunded":5,
        "refunds":{"data":[{"id":"re_1","amount":5,"status":null},{"id":"re_2"},{"id":"re_3","amount":1}]}}"#;
    let Ok(Object::Charge(charge)) = read(&event("charge.refunded", charge)) else { panic!("no charge") };
    assert_eq!((charge.amount_refunded, charge.refunds.len()), (5, 2));
    assert_eq!(charge.faults.first(), Some(ReadFault::Missing { field: "amount" }), "of the second refund");
}

/// The three places of metadata in an invoice, before and since 2025-03-31.basil.
#[test]
fn an_invoice_in_every_version() {
    let of = |object: &str| match read(&event("invoice.paid", object)) {
        Ok(Object::Invoice(invoice)) => invoice,
        other => panic!("{other:?} is no invoice"),
    };
    let old = of(r#"{"id":"in_1","amount_paid":900,"currency":"eur","billing_reason":"subscription_cycle",
        "metadata":{},"subscription":"sub_1","payment_intent":"pi_1","charge":"ch_1",
        "subscription_details":{"metadata":{"tenant_id":"a"}},
        "lines":{"data":[{"id":"il_1","metadata":{"tenant_id":"b"}}]}}"#);
    assert_eq!((old.id.as_str(), old.amount_paid, old.currency.as_deref()), ("in_1", Some(900), Some("eur")));
    assert_eq!((old.subscription.as_deref(), old.payment_intent.as_deref()), (Some("sub_1"), Some("pi_1")));
    assert_eq!((old.charge.as_deref(), old.faults.first()), (Some("ch_1"), None));
    let tenants = |invoice: &InvoiceSnapshot| -> Vec<Option<String>> {
        invoice.metadata.iter().map(|metadata| metadata.get("tenant_id").map(str::to_owned)).collect()
    };
    assert_eq!(tenants(&old), [None, text("a"), text("b")]);
    let basil =
        of(r#"{"id":"in_1","amount_paid":900,"metadata":null,"parent":{"type":"subscription_details",
        "subscription_details":{"metadata":{"tenant_id":"a"},"subscription":"sub_1"}},
        "lines":{"data":[{"metadata":{}}]}}"#);
    assert_eq!((basil.subscription.as_deref(), basil.payment_intent.as_deref()), (Some("sub_1"), None));
    assert_eq!(tenants(&basil), [None, text("a"), None]);
    let by_hand = of(r#"{"id":"in_1","amount_paid":900,"metadata":{"tenant_id":"a"},"parent":null}"#);
    assert_eq!(tenants(&by_hand), [text("a")]);
    let malformed =
        of(r#"{"id":"in_1","amount_paid":900,"lines":[],"parent":7,"metadata":{"tenant_id":"a"}}"#);
    assert_eq!((tenants(&malformed), malformed.faults.first().is_some()), (vec![text("a")], true));
}

#[test]
fn an_invoice_payment_names_its_payment() {
    let of = |object: &str| match read(&event("invoice_payment.paid", object)) {
        Ok(Object::InvoicePayment(paid)) => {
            (paid.invoice, paid.payment_intent, paid.charge, paid.amount_paid)
        }
        other => panic!("{other:?} is no invoice payment"),
    };
    let by_intent = r#"{"id":"inpay_1","invoice":"in_1","amount_paid":900,
        "payment":{"type":"payment_intent","payment_intent":"pi_1"}}"#;
    assert_eq!(of(by_intent), ("in_1".to_owned(), text("pi_1"), None, Some(900)));
    let by_charge = r#"{"id":"inpay_1","invoice":{"id":"in_1"},"payment":{"type":"charge","charge":"ch_1"}}"#;
    assert_eq!(of(by_charge), ("in_1".to_owned(), None, text("ch_1"), None));
}
