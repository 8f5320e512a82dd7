//! The request for a Checkout session, and how Stripe's answer is read, as tables.
//! Not here: whether Stripe accepts it; `e2e` sends it to the emulator.

use stripe::checkout::{Item, NewSession, OpenSession, error_message};

fn session<'a>() -> NewSession<'a> {
    NewSession {
        reference: "purchase_1",
        item: Item::Described { name: "10 credits", unit_amount: 25_000, currency: "eur" },
        metadata: &[("tenant_id", "t-1"), ("package", "10_credits")],
        success_url: "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
        cancel_url: None,
        customer_email: None,
        automatic_tax: false,
    }
}

/// One pair per line, with brackets and spaces decoded.
fn lines(session: &NewSession<'_>) -> String {
    let readable = [("%5B", "["), ("%5D", "]"), ("%20", " "), ("%3A", ":"), ("%2F", "/"), ("%40", "@")];
    let text = readable.iter().fold(session.form(), |text, (code, sign)| text.replace(code, sign));
    text.replace('&', "\n")
}

#[test]
fn described_on_the_spot() {
    let expected = "\
mode=payment
line_items[0][quantity]=1
line_items[0][price_data][currency]=eur
line_items[0][price_data][unit_amount]=25000
line_items[0][price_data][product_data][name]=10 credits
success_url=https://shop.example/done%3Fsession%3D%7BCHECKOUT_SESSION_ID%7D
client_reference_id=purchase_1
metadata[tenant_id]=t-1
payment_intent_data[metadata][tenant_id]=t-1
metadata[package]=10_credits
payment_intent_data[metadata][package]=10_credits";
    assert_eq!(lines(&session()), expected);
}

#[test]
fn with_a_price_of_the_account_and_everything_else() {
    let full = NewSession {
        item: Item::Price("price_1"),
        metadata: &[],
        success_url: "https://a/?x=1&y=ü#z",
        cancel_url: Some("http://b/"),
        customer_email: Some("a+b@example.com"),
        automatic_tax: true,
        ..session()
    };
    let expected = "\
mode=payment
line_items[0][quantity]=1
line_items[0][price]=price_1
success_url=https://a/%3Fx%3D1%26y%3D%C3%BC%23z
cancel_url=http://b/
client_reference_id=purchase_1
customer_email=a%2Bb@example.com
automatic_tax[enabled]=true";
    assert_eq!(lines(&full), expected);
}

#[test]
fn what_can_be_read_of_an_answer() {
    let whole = r#"{"id":"cs_1","object":"checkout.session","url":"https://pay","expires_at":9,
        "amount_subtotal":25000,"currency":"eur","status":"open"}"#;
    let read = OpenSession::read(whole.as_bytes());
    let expected = OpenSession {
        id: "cs_1".into(),
        url: "https://pay".into(),
        expires_at: 9,
        amount_subtotal: 25_000,
        currency: "eur".into(),
    };
    assert_eq!(read, Some(expected));
    for not_payable in ["", "{}", "<html>", &whole.replace(r#""https://pay""#, "null")] {
        assert_eq!(OpenSession::read(not_payable.as_bytes()), None, "{not_payable}");
    }
    let refused = r#"{"error":{"type":"invalid_request_error","message":"No such price: 'price_1'"}}"#;
    assert_eq!(error_message(refused.as_bytes()).as_deref(), Some("No such price: 'price_1'"));
    assert_eq!(error_message(b"<html>"), None);
}
