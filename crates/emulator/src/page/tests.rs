//! The content of the pages in each state, and the escaping of every value.

use super::*;
use crate::object::Misbehaviour;

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}gro.live";

fn session(state: PaymentState) -> PaymentPage {
    PaymentPage {
        shop: "Lumen Studio".to_owned(),
        action: "/c/pay/cs_test_a1".to_owned(),
        items: vec![
            ItemRow { name: "100 credits".to_owned(), quantity: 2, amount: 9_000 },
            ItemRow { name: "Priority rendering".to_owned(), quantity: 1, amount: 1_500 },
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

fn attempt(at: i64, answer: Result<u16, &str>, milliseconds: u64) -> AttemptEntry {
    AttemptEntry { at, answer: answer.map_err(str::to_owned), milliseconds }
}

fn event_row(
    id: &str,
    type_name: &str,
    attempts: Vec<AttemptEntry>,
    next_attempt: Option<i64>,
) -> EventEntry {
    let delivered = attempts.iter().any(|attempt| matches!(attempt.answer, Ok(200..=299)));
    EventEntry {
        id: id.to_owned(),
        type_name: type_name.to_owned(),
        created: 1_795_486_504,
        pending_webhooks: u64::from(!delivered),
        deliveries: vec![DeliveryEntry {
            endpoint: "we_1QxEmulator01".to_owned(),
            url: "http://localhost:3000/webhooks/stripe".to_owned(),
            attempts,
            next_attempt,
        }],
    }
}

fn endpoint() -> EndpointCard {
    EndpointCard {
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

fn control_view() -> ControlPage {
    let now = 1_795_486_504;
    let eur = || "eur".to_owned();
    let payment = |id: &str, status: &str, paid: &str, url: Option<&str>| SessionRow {
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
    ControlPage {
        now,
        frozen: true,
        next_due: Some(now + 300),
        seed: 1,
        api_base: "http://127.0.0.1:12111".to_owned(),
        api_key: "sk_test_emulator".to_owned(),
        api_version: "2025-03-31.basil".to_owned(),
        banner: None,
        endpoints: vec![endpoint()],
        payments: Newest {
            rows: vec![
                payment("cs_test_a1QfZ07KpWmT3", "open", "unpaid", Some("/c/pay/cs_test_a1QfZ07KpWmT3")),
                payment("cs_test_a1QfZ05HtRbN8", "complete", "unpaid", None),
                payment("cs_test_a1QfZ01LsVcX2", "complete", "paid", None),
            ],
            total: 3,
        },
        charges: Newest {
            rows: vec![
                charge("ch_3QfZ05HtRbN8", "pending", 0, false),
                charge("ch_3QfZ01LsVcX2", "succeeded", 6_300, true),
                charge("ch_3QfYzzKpWmT3", "failed", 0, false),
            ],
            total: 1_204,
        },
        refunds: Newest {
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
        disputes: Newest {
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
        events: Newest {
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

fn listing<T>() -> Newest<T> {
    Newest { rows: Vec::new(), total: 0 }
}

#[test]
fn each_state_shows_its_actions_only() {
    let challenge = PaymentState::Challenge { last4: "3155".to_owned() };
    for (state, shown, hidden) in [
        (PaymentState::Open, "Pay €126.00", "This checkout"),
        (challenge, "value=\"complete\">Complete authentication", "name=\"number\""),
        (PaymentState::Processing, "being processed", "Back to the shop"),
        (PaymentState::Failed, "The bank declined the debit", "name=\"number\""),
        (
            PaymentState::Complete,
            "href=\"https://shop.example/thanks?session_id=cs_test_a1\"",
            "Back to the shop",
        ),
        (PaymentState::Expired, "Back to the shop", "name=\"number\""),
    ] {
        let page = checkout(&session(state.clone()));
        assert!(page.contains(shown), "{state:?} shows {shown}");
        assert!(!page.contains(hidden), "{state:?} does not show {hidden}");
        assert!(page.contains("No money moves here"), "{state:?}");
    }
}

#[test]
fn every_test_number_is_a_button_of_the_form() {
    let page = checkout(&session(PaymentState::Open));
    let button = |field: &str, number: &str| {
        format!("form=\"pay\" formnovalidate name=\"{field}\" value=\"{number}\"")
    };
    for card in crate::cards::CARDS {
        assert_eq!(page.matches(&button("card", card.number)).count(), 1, "{}", card.number);
    }
    assert!(page.contains(&button("debit", "AT611904300234573201")));
    let only_card = checkout(&PaymentPage { takes_debit: false, ..session(PaymentState::Open) });
    assert!(!only_card.contains("IBAN") && !only_card.contains("type=\"radio\""));
    let only_debit = checkout(&PaymentPage { takes_card: false, ..session(PaymentState::Open) });
    assert!(
        !only_debit.contains("name=\"number\"") && !only_debit.contains(&button("card", "4242424242424242"))
    );
}

#[test]
fn an_error_is_announced_to_screen_readers() {
    let error = Some("Your card was declined.".to_owned());
    let page = checkout(&PaymentPage { error, ..session(PaymentState::Open) });
    assert!(page.contains("role=\"alert\"") && page.contains("id=\"error\">Your card was declined."));
    assert!(page.contains("aria-describedby=\"error\""));
}

#[test]
fn every_value_is_escaped() {
    let hostile = || HOSTILE.to_owned();
    let payment = checkout(&PaymentPage {
        shop: hostile(),
        name: hostile(),
        email: hostile(),
        error: Some(hostile()),
        items: vec![ItemRow { name: hostile(), quantity: 3, amount: 12 }],
        currency: hostile(),
        cancel_url: Some(format!("javascript:{HOSTILE}")),
        ..session(PaymentState::Open)
    });
    let mut view = control_view();
    view.banner = Some(Banner { good: false, text: hostile() });
    view.endpoints[0].url = hostile();
    view.endpoints[0].secret = hostile();
    view.payments.rows[0].customer = hostile();
    view.charges.rows[0].method = hostile();
    view.disputes.rows[0].reason = hostile();
    view.events.rows[0].deliveries[0].url = hostile();
    view.events.rows[0].deliveries[0].attempts[0].answer = Err(hostile());
    let event_view = EventPage {
        now: 0,
        event: event_row("evt_1", HOSTILE, vec![], None),
        body: hostile(),
        version: hostile(),
    };
    for page in [payment, control(&view), event(&event_view)] {
        assert!(!page.contains("<script>"), "{page}");
        assert!(!page.contains("alert(1)</"), "{page}");
        assert!(!page.contains("javascript:"), "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;"));
    }
}

#[test]
fn nothing_is_loaded_from_other_hosts() {
    let pages = [checkout(&session(PaymentState::Open)), control(&control_view())];
    for page in pages {
        let loads = ["src=\"http", "@import", "url(", "<link rel=\"stylesheet\""];
        assert!(loads.iter().all(|load| !page.contains(load)));
    }
}

#[test]
fn the_control_page_shows_clock_keys_and_objects() {
    let page = control(&control_view());
    for shown in [
        "24 Nov 2026, 02:15:04 UTC",
        ">Stopped<",
        "The next task is due in 5 min.",
        "whsec_••••••••mnop",
        "misbehaving",
        "3 of 1,204",
        "€63.00 refunded",
        "Dispute now",
        "Complete now",
        "needs_response",
        "Failing, 0 of 1",
        "connection refused",
        "Next attempt in 35 min (24 Nov, 02:50:04)",
        "Waiting",
        "Delivered",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    let charges = page.matches("value=\"half\"").count();
    assert_eq!(charges, 1, "only charges that took money can be refunded");
    let empty = ControlPage {
        endpoints: Vec::new(),
        payments: listing(),
        charges: listing(),
        refunds: listing(),
        disputes: listing(),
        events: listing(),
        next_due: None,
        frozen: false,
        ..control_view()
    };
    let page = control(&empty);
    for shown in ["Running", "Nothing is scheduled.", "No charge yet.", "No event yet."] {
        assert!(page.contains(shown), "{shown}");
    }
}
