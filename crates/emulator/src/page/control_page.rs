//! The control page: the clock, the endpoints, the objects and the events, each with its buttons.

use super::{DeliveryEntry, EventEntry, clock, money::money, tone};
use crate::act::control::{Figure, figures};
use crate::object::Misbehaviour;
use askama::Template;

/// The values on the control page.
#[derive(Clone, Debug)]
pub struct ControlPage {
    /// Unix seconds, virtual.
    pub now: i64,
    /// Whether the clock stands still until it is advanced.
    pub frozen: bool,
    /// When the next task is due, virtual Unix seconds.
    pub next_due: Option<i64>,
    /// The seed of ids and secrets.
    pub seed: u64,
    /// For `STRIPE_API_BASE`.
    pub api_base: String,
    /// For `STRIPE_SECRET_KEY`.
    pub api_key: String,
    /// The default API version.
    pub api_version: String,
    /// Why the last command was refused.
    pub banner: Option<Banner>,
    /// Oldest first.
    pub endpoints: Vec<EndpointCard>,
    /// Checkout sessions; newest first, as in all of these lists.
    pub payments: Newest<SessionRow>,
    /// Charges.
    pub charges: Newest<ChargeRow>,
    /// Refunds.
    pub refunds: Newest<RefundRow>,
    /// Disputes.
    pub disputes: Newest<DisputeRow>,
    /// Events.
    pub events: Newest<EventEntry>,
}

/// A message at the top of the page.
#[derive(Clone, Debug)]
pub struct Banner {
    /// Whether it is good news.
    pub good: bool,
    /// The message.
    pub text: String,
}

/// The newest of many objects.
#[derive(Clone, Debug)]
pub struct Newest<T> {
    /// The rows that are shown.
    pub rows: Vec<T>,
    /// The total number.
    pub total: usize,
}

/// A webhook endpoint.
#[derive(Clone, Debug)]
pub struct EndpointCard {
    /// `we_…`
    pub id: String,
    /// Its URL.
    pub url: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Whether its deliveries are held back.
    pub held: bool,
    /// The signing secret.
    pub secret: String,
    /// The API version of its events.
    pub version: String,
    /// The number of accepted deliveries.
    pub accepted: u64,
    /// The number of deliveries that wait for an attempt.
    pub waiting: u64,
    /// The number of deliveries that were given up.
    pub given_up: u64,
    /// How its deliveries misbehave.
    pub misbehaviour: Misbehaviour,
}

/// A Checkout session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// `cs_…`
    pub id: String,
    /// The path of its payment page, while it is open.
    pub url: Option<String>,
    /// The customer's email or name; may be empty.
    pub customer: String,
    /// Minor units.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `open`, `complete`, `expired`.
    pub status: String,
    /// `paid`, `unpaid`, `no_payment_required`.
    pub payment_status: String,
}

/// A charge.
#[derive(Clone, Debug)]
pub struct ChargeRow {
    /// `ch_…`
    pub id: String,
    /// `Visa •••• 4242`.
    pub method: String,
    /// Minor units.
    pub amount: i64,
    /// Minor units.
    pub refunded: i64,
    /// Three letters.
    pub currency: String,
    /// `succeeded`, `pending`, `failed`.
    pub status: String,
    /// Whether it was ever disputed.
    pub disputed: bool,
    /// The label of the button that runs its next scheduled effect.
    pub coming: Option<&'static str>,
}

/// A refund.
#[derive(Clone, Debug)]
pub struct RefundRow {
    /// `re_…`
    pub id: String,
    /// The refunded or disputed charge.
    pub charge: String,
    /// Minor units.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `pending`, `succeeded`, `failed`, `canceled`.
    pub status: String,
    /// The label of the button that runs its next scheduled effect.
    pub coming: Option<&'static str>,
}

/// A dispute.
#[derive(Clone, Debug)]
pub struct DisputeRow {
    /// `du_…` or `dp_…`
    pub id: String,
    /// The refunded or disputed charge.
    pub charge: String,
    /// `fraudulent` …
    pub reason: String,
    /// Minor units.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `needs_response` …
    pub status: String,
    /// Whether it can still be decided.
    pub open: bool,
    /// Whether it is an inquiry, which losing evidence escalates to a dispute.
    pub inquiry: bool,
}

#[derive(Template)]
#[template(path = "control_page.html")]
struct ControlTemplate<'a> {
    view: &'a ControlPage,
}

/// The control page as HTML.
pub fn control(view: &ControlPage) -> String {
    super::rendered(&ControlTemplate { view })
}

impl ControlTemplate<'_> {
    fn next(&self, delivery: &DeliveryEntry) -> Option<String> {
        delivery.next(self.view.now)
    }

    fn masked_key(&self) -> String {
        masked(&self.view.api_key)
    }
}

impl ControlPage {
    fn moment(&self) -> String {
        clock::moment(self.now)
    }

    fn due(&self) -> Option<String> {
        self.next_due.map(|then| clock::until(self.now, then))
    }
}

impl<T> Newest<T> {
    /// `3`, or `50 of 1,204`.
    fn count(&self) -> String {
        let total = super::money::grouped(&self.total.to_string());
        if self.rows.len() < self.total { format!("{} of {total}", self.rows.len()) } else { total }
    }
}

impl EndpointCard {
    /// The fields of the misbehaviour form.
    fn knobs(&self) -> Vec<KnobField> {
        let words = |name| match name {
            "duplicate" => ("Duplicates", "% of accepted deliveries are sent again"),
            "twin" => ("Twins", "% of changes make two events"),
            "never" => ("Never", "% of changes make no event"),
            "simultaneous" => ("Simultaneous", "% of attempts are sent as two copies"),
            "lost_answer" => ("Lost responses", "% of responses are lost"),
            "disorder_seconds" => ("Disorder", "seconds of delay at most"),
            "burst" => ("Bursts", "deliveries wait for each other"),
            _ => ("Clock skew", "seconds"),
        };
        let figures = figures(&self.misbehaviour).into_iter().map(|Figure { name, value, min, max }| {
            let (label, help) = words(name);
            KnobField { name, label, help, value: value.into(), min: min.into(), max: max.into() }
        });
        let seed = KnobField {
            name: "seed",
            label: "Seed",
            help: "the same seed draws the same cases",
            value: self.misbehaviour.seed.into(),
            min: 0,
            max: u64::MAX.into(),
        };
        figures.chain([seed]).collect()
    }
}

struct KnobField {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    value: i128,
    min: i128,
    max: i128,
}

impl EndpointCard {
    fn misbehaves(&self) -> bool {
        Misbehaviour { seed: 0, ..self.misbehaviour } != Misbehaviour::default()
    }

    fn masked(&self) -> String {
        masked(&self.secret)
    }
}

impl SessionRow {
    fn price(&self) -> String {
        money(self.amount, &self.currency)
    }

    fn tone(&self) -> &'static str {
        tone(&self.status)
    }

    fn payment_tone(&self) -> &'static str {
        tone(&self.payment_status)
    }
}

impl RefundRow {
    fn price(&self) -> String {
        money(self.amount, &self.currency)
    }

    fn tone(&self) -> &'static str {
        tone(&self.status)
    }
}

impl DisputeRow {
    fn price(&self) -> String {
        money(self.amount, &self.currency)
    }

    fn tone(&self) -> &'static str {
        tone(&self.status)
    }
}

impl ChargeRow {
    fn price(&self) -> String {
        money(self.amount, &self.currency)
    }

    fn returned(&self) -> String {
        money(self.refunded, &self.currency)
    }

    fn is_refunded(&self) -> bool {
        self.refunded > 0
    }

    fn tone(&self) -> &'static str {
        tone(&self.status)
    }

    fn paid(&self) -> bool {
        self.status == "succeeded"
    }

    fn refundable(&self) -> bool {
        self.paid() && self.refunded < self.amount
    }
}

/// The kind of a secret and the end of a long one: enough to tell two apart, not enough to use one.
fn masked(secret: &str) -> String {
    let kind = ["whsec_", "sk_test_", "rk_test_"].into_iter().find(|kind| secret.starts_with(kind));
    let kind = kind.unwrap_or_default();
    let long = secret.len() >= kind.len() + 16;
    let tail = secret.len().checked_sub(4).filter(|_| long).and_then(|start| secret.get(start..));
    format!("{kind}••••••••{}", tail.unwrap_or_default())
}
