//! The control page: the clock, the endpoints, every object and every event, with what can be done to them.
//!
//! Not here: doing it, and reading it out of the world; the view holds strings and integers only.

use super::{Delivery, EventRow, clock, money::money, tone};
use askama::Template;

/// All that the control page shows.
#[derive(Clone, Debug)]
pub struct ControlView {
    /// Unix seconds, virtual.
    pub now: i64,
    /// The clock moves only when it is advanced.
    pub frozen: bool,
    /// When something is due next, Unix seconds, virtual.
    pub next_due: Option<i64>,
    /// What everything random is drawn from.
    pub seed: u64,
    /// For `STRIPE_API_BASE`.
    pub api_base: String,
    /// For `STRIPE_SECRET_KEY`.
    pub api_key: String,
    /// The version that the API speaks unless asked for another.
    pub api_version: String,
    /// What the last button did, or why it did not.
    pub notice: Option<Notice>,
    /// In the order they were made.
    pub endpoints: Vec<Endpoint>,
    /// The newest first, as all of these lists.
    pub payments: Listing<PaymentRow>,
    /// Charges.
    pub charges: Listing<ChargeRow>,
    /// Refunds.
    pub refunds: Listing<RefundRow>,
    /// Disputes.
    pub disputes: Listing<DisputeRow>,
    /// Events.
    pub events: Listing<EventRow>,
}

/// A sentence at the head of the page.
#[derive(Clone, Debug)]
pub struct Notice {
    /// It was done; else it was refused.
    pub good: bool,
    /// What and why.
    pub text: String,
}

/// The newest of many.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// Those that are shown.
    pub rows: Vec<T>,
    /// How many there are.
    pub total: usize,
}

/// A webhook endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `we_…`
    pub id: String,
    /// Where it is.
    pub url: String,
    /// Not disabled.
    pub enabled: bool,
    /// Its deliveries are kept back.
    pub held: bool,
    /// The signing secret.
    pub secret: String,
    /// The version that its events are rendered for.
    pub version: String,
    /// Deliveries that it accepted.
    pub accepted: u64,
    /// Deliveries that are waiting, for a first or a further attempt.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
    /// How it misbehaves.
    pub knobs: Knobs,
}

/// How deliveries to an endpoint misbehave. All zero: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Knobs {
    /// What the draws are made from.
    pub seed: u64,
    /// Per cent of events delivered twice.
    pub duplicate: u8,
    /// Per cent of changes for which two events are made.
    pub twin: u8,
    /// Per cent of events that are never made.
    pub never: u8,
    /// Per cent of deliveries sent as two copies at the same time.
    pub simultaneous: u8,
    /// Per cent of deliveries whose answer is lost.
    pub lost_answer: u8,
    /// Deliveries are delayed by up to this, each by another span.
    pub disorder_seconds: u32,
    /// Deliveries wait until there are this many.
    pub burst: u32,
    /// The signature's clock is off by this.
    pub clock_skew_seconds: i64,
}

/// A Checkout session.
#[derive(Clone, Debug)]
pub struct PaymentRow {
    /// `cs_…`
    pub id: String,
    /// The hosted page, while it can be paid.
    pub url: Option<String>,
    /// Who pays, as far as known.
    pub customer: String,
    /// Minor units.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `open`, `complete`, `expired`.
    pub status: String,
    /// `paid`, `unpaid`, `no_payment_required`.
    pub payment_status: String,
    /// Something is scheduled for it: a bank's answer.
    pub scheduled: bool,
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
    /// It is or was disputed.
    pub disputed: bool,
    /// Something is scheduled for it: a dispute.
    pub scheduled: bool,
}

/// A refund.
#[derive(Clone, Debug)]
pub struct RefundRow {
    /// `re_…`
    pub id: String,
    /// Of this charge.
    pub charge: String,
    /// Minor units.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `pending`, `succeeded`, `failed`, `canceled`.
    pub status: String,
    /// Something is scheduled for it: a success or a failure.
    pub scheduled: bool,
}

/// A dispute.
#[derive(Clone, Debug)]
pub struct DisputeRow {
    /// `du_…` or `dp_…`
    pub id: String,
    /// Of this charge.
    pub charge: String,
    /// `fraudulent` …
    pub reason: String,
    /// Minor units.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `needs_response` …
    pub status: String,
    /// It waits for evidence, or to be closed.
    pub open: bool,
}

#[derive(Template)]
#[template(path = "control.html")]
struct Page<'a> {
    view: &'a ControlView,
}

/// The control page as HTML.
pub fn control(view: &ControlView) -> String {
    super::rendered(&Page { view })
}

impl Page<'_> {
    fn next(&self, delivery: &Delivery) -> Option<String> {
        delivery.next(self.view.now)
    }

    fn masked_key(&self) -> String {
        masked(&self.view.api_key)
    }
}

impl ControlView {
    fn moment(&self) -> String {
        clock::moment(self.now)
    }

    fn due(&self) -> Option<String> {
        self.next_due.map(|then| clock::until(self.now, then))
    }
}

impl<T> Listing<T> {
    /// `3`, or `50 of 1,204`.
    fn count(&self) -> String {
        let total = super::money::grouped(&self.total.to_string());
        if self.rows.len() < self.total { format!("{} of {total}", self.rows.len()) } else { total }
    }
}

impl Knobs {
    fn percentages(&self) -> [Knob; 5] {
        let knob = |name, label, help, value: u8| Knob {
            name,
            label,
            help,
            value: i64::from(value),
            min: 0,
            max: 100,
        };
        [
            knob("duplicate", "Duplicates", "per cent of events sent again", self.duplicate),
            knob("twin", "Twins", "per cent of changes with two events", self.twin),
            knob("never", "Never", "per cent of events that are not made", self.never),
            knob("simultaneous", "Simultaneous", "per cent sent as two copies at once", self.simultaneous),
            knob("lost_answer", "Lost answers", "per cent sent, but the answer is lost", self.lost_answer),
        ]
    }

    fn others(&self) -> [Knob; 4] {
        let knob = |name, label, help, value, min, max| Knob { name, label, help, value, min, max };
        let day = 86_400;
        let seed = i64::try_from(self.seed).unwrap_or(i64::MAX);
        [
            knob(
                "disorder_seconds",
                "Disorder",
                "seconds that each may be late",
                self.disorder_seconds.into(),
                0,
                day,
            ),
            knob("burst", "Bursts", "sent only when so many are waiting", self.burst.into(), 0, 10_000),
            knob(
                "clock_skew_seconds",
                "Clock skew",
                "seconds in the signature",
                self.clock_skew_seconds,
                -day,
                day,
            ),
            knob("seed", "Seed", "the same seed, the same mishaps", seed, 0, i64::MAX),
        ]
    }

    fn all(&self) -> impl Iterator<Item = Knob> {
        self.percentages().into_iter().chain(self.others())
    }
}

struct Knob {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    value: i64,
    min: i64,
    max: i64,
}

impl Endpoint {
    fn misbehaves(&self) -> bool {
        Knobs { seed: 0, ..self.knobs } != Knobs::default()
    }

    fn masked(&self) -> String {
        masked(&self.secret)
    }
}

impl PaymentRow {
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

    fn refundable(&self) -> bool {
        self.status == "succeeded" && self.refunded < self.amount
    }
}

/// Enough to tell two secrets apart, not enough to use one: what stands before the first or second `_`, and the
/// last four.
fn masked(secret: &str) -> String {
    let characters: Vec<char> = secret.chars().collect();
    let head = secret.split_inclusive('_').take(2).map(str::len).sum::<usize>();
    let head = if secret.starts_with("whsec_") {
        6
    } else if head < secret.len() {
        head
    } else {
        0
    };
    let tail: String = characters.iter().skip(characters.len().saturating_sub(4)).collect();
    format!(
        "{}••••••••{}",
        secret.get(..head).unwrap_or_default(),
        if characters.len() > head + 8 { &tail } else { "" }
    )
}
