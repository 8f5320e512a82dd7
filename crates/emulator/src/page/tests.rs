//! What the pages say in each state, and that no name can break out of its place.
//!
//! With `PAGES_TO=DIRECTORY` in the environment nothing changes: to look at a page, run the emulator.

use super::*;
use crate::object::Misbehaviour;

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}gro.live";

fn session(state: State) -> CheckoutView {
    CheckoutView {
        shop: "Lumen Studio".to_owned(),
        action: "/c/pay/cs_test_a1".to_owned(),
        items: vec![
            Item { name: "100 credits".to_owned(), quantity: 2, amount: 9_000 },
            Item { name: "Priority rendering".to_owned(), quantity: 1, amount: 1_500 },
        ],
        subtotal: 10_500,
        tax: Some(2_100),
        total: 12_600,
        currency: "eur".to_owned(),
        email: "ada@example.com".to_owned(),
        name: String::new(),
        email_fixed: false,
        takes_card: true,
        takes_debit: true,
        debit_chosen: false,
        error: None,
        state,
        cancel_url: Some("https://shop.example/cart".to_owned()),
        success_url: Some("https://shop.example/thanks?session_id=cs_test_a1".to_owned()),
    }
}

fn attempt(at: i64, answer: Result<u16, &str>, milliseconds: u64) -> Attempt {
    Attempt { at, answer: answer.map_err(str::to_owned), milliseconds }
}

fn event_row(id: &str, type_name: &str, attempts: Vec<Attempt>, next_attempt: Option<i64>) -> EventRow {
    let delivered = attempts.iter().any(|attempt| matches!(attempt.answer, Ok(200..=299)));
    EventRow {
        id: id.to_owned(),
        type_name: type_name.to_owned(),
        created: 1_795_486_504,
        pending_webhooks: u64::from(!delivered),
        deliveries: vec![Delivery {
            endpoint: "we_1QxEmulator01".to_owned(),
            url: "http://localhost:3000/webhooks/stripe".to_owned(),
            attempts,
            next_attempt,
        }],
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: "we_1QxEmulator01".to_owned(),
        url: "http://localhost:3000/webhooks/stripe".to_owned(),
        enabled: true,
        held: false,
        secret: "whsec_emulator0123456789abcdefghijklmnop".to_owned(),
        version: "2025-03-31.basil".to_owned(),
        accepted: 12,
        waiting: 2,
        given_up: 0,
        misbehaviour: Misbehaviour { duplicate: 20, ..Misbehaviour::default() },
    }
}

fn desk() -> ControlView {
    let now = 1_795_486_504;
    let eur = || "eur".to_owned();
    let payment = |id: &str, status: &str, paid: &str, url: Option<&str>| PaymentRow {
        id: id.to_owned(),
        url: url.map(str::to_owned),
        customer: "ada@example.com".to_owned(),
        amount: 12_600,
        currency: eur(),
        status: status.to_owned(),
        payment_status: paid.to_owned(),
    };
    let charge = |id: &str, status: &str, refunded, disputed| ChargeRow {
        id: id.to_owned(),
        method: "Visa •••• 4242".to_owned(),
        amount: 12_600,
        refunded,
        currency: eur(),
        status: status.to_owned(),
        disputed,
        coming: disputed.then_some("Dispute now"),
    };
    ControlView {
        now,
        frozen: true,
        next_due: Some(now + 300),
        seed: 1,
        api_base: "http://127.0.0.1:12111".to_owned(),
        api_key: "sk_test_emulator".to_owned(),
        api_version: "2025-03-31.basil".to_owned(),
        notice: None,
        endpoints: vec![endpoint()],
        payments: Listing {
            rows: vec![
                payment("cs_test_a1QfZ07KpWmT3", "open", "unpaid", Some("/c/pay/cs_test_a1QfZ07KpWmT3")),
                payment("cs_test_a1QfZ05HtRbN8", "complete", "unpaid", None),
                payment("cs_test_a1QfZ01LsVcX2", "complete", "paid", None),
            ],
            total: 3,
        },
        charges: Listing {
            rows: vec![
                charge("ch_3QfZ05HtRbN8", "pending", 0, false),
                charge("ch_3QfZ01LsVcX2", "succeeded", 6_300, true),
                charge("ch_3QfYzzKpWmT3", "failed", 0, false),
            ],
            total: 1_204,
        },
        refunds: Listing {
            rows: vec![RefundRow {
                id: "re_3QfZ01LsVcX2".to_owned(),
                charge: "ch_3QfZ01LsVcX2".to_owned(),
                amount: 6_300,
                currency: eur(),
                status: "pending".to_owned(),
                coming: Some("Complete now"),
            }],
            total: 1,
        },
        disputes: Listing {
            rows: vec![DisputeRow {
                id: "du_1QfZ09LsVcX2".to_owned(),
                charge: "ch_3QfZ01LsVcX2".to_owned(),
                reason: "fraudulent".to_owned(),
                amount: 6_300,
                currency: eur(),
                status: "needs_response".to_owned(),
                open: true,
                inquiry: false,
            }],
            total: 1,
        },
        events: Listing {
            rows: vec![
                event_row(
                    "evt_1QfZ0BLsVcX2",
                    "charge.dispute.funds_withdrawn",
                    vec![attempt(now, Ok(500), 4), attempt(now + 300, Err("connection refused"), 1)],
                    Some(now + 2_100),
                ),
                event_row("evt_1QfZ0ALsVcX2", "charge.dispute.created", vec![], Some(now)),
                event_row(
                    "evt_1QfZ02LsVcX2",
                    "checkout.session.completed",
                    vec![attempt(now, Ok(200), 12)],
                    None,
                ),
            ],
            total: 14,
        },
    }
}

#[test]
fn writes_samples() {
    let Some(directory) = option_env!("PAGES_TO") else { return };
    let write = |name: &str, page: String| std::fs::write(format!("{directory}/{name}.html"), page).unwrap();
    let open = session(State::Open);
    write("open", checkout(&open));
    write(
        "one",
        checkout(&CheckoutView {
            items: vec![Item { name: "10 credits".to_owned(), quantity: 1, amount: 500 }],
            currency: "jpy".to_owned(),
            total: 500,
            subtotal: 500,
            tax: None,
            takes_debit: false,
            email: String::new(),
            ..open.clone()
        }),
    );
    write(
        "declined",
        checkout(&CheckoutView { error: Some("Your card was declined.".to_owned()), ..open.clone() }),
    );
    write("debit", checkout(&CheckoutView { debit_chosen: true, ..open.clone() }));
    write(
        "hostile",
        checkout(&CheckoutView {
            shop: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            email: HOSTILE.to_owned(),
            error: Some(HOSTILE.to_owned()),
            items: vec![Item { name: HOSTILE.repeat(4), quantity: 3, amount: 12 }],
            ..open
        }),
    );
    write("challenge", checkout(&session(State::Challenge { last4: "3155".to_owned() })));
    write("processing", checkout(&session(State::Processing)));
    write("complete", checkout(&session(State::Complete)));
    write("expired", checkout(&session(State::Expired)));
    write("desk", control(&desk()));
    let mut busy = desk();
    busy.frozen = false;
    busy.notice = Some(Notice {
        good: false,
        text: "Refund amount (€126.00) is greater than unrefunded amount on charge (€63.00)".to_owned(),
    });
    let second = Endpoint {
        held: true,
        enabled: false,
        id: "we_2".to_owned(),
        misbehaviour: Misbehaviour::default(),
        ..endpoint()
    };
    busy.endpoints.push(second);
    let page = control(&busy)
        .replace("<details class=\"event\">", "<details class=\"event\" open>")
        .replace("<details class=\"fold\">", "<details class=\"fold\" open>");
    write("busy", page);
    let none = ControlView {
        endpoints: vec![],
        payments: Listing { rows: vec![], total: 0 },
        charges: Listing { rows: vec![], total: 0 },
        refunds: Listing { rows: vec![], total: 0 },
        disputes: Listing { rows: vec![], total: 0 },
        events: Listing { rows: vec![], total: 0 },
        next_due: None,
        ..desk()
    };
    write("empty", control(&none));
    write("event", event(&EventView { now: desk().now, event: desk().events.rows.remove(0), body: "{\n  \"id\": \"evt_1QfZ0BLsVcX2\",\n  \"object\": \"event\",\n  \"type\": \"charge.dispute.funds_withdrawn\"\n}".to_owned(), version: "2025-03-31.basil".to_owned() }));
}
