//! Scenarios: the life of one payment, from Checkout to the last refund or dispute, and the events that
//! Stripe sends about it. Each runs in a [`World`](crate::world::World) of its own: without HTTP, and always
//! with the same bytes for the same sale.
//!
//! ```
//! use emulator::scenario::{Sale, Scenario, event, metadata};
//! use stripe::write::ApiVersion;
//!
//! let sale = Sale {
//!     reference: "r1".to_owned(),
//!     metadata: metadata([("order", "7")]),
//!     description: "A book".to_owned(),
//!     amount: 4_999,
//!     currency: "eur".to_owned(),
//!     created: 1_790_000_000,
//!     livemode: false,
//!     api_version: ApiVersion::default(),
//! };
//! let events = Scenario::DisputeLost.events(&sale);
//! assert_eq!(events[0].type_name, "payment_intent.created");
//! assert_eq!(events.last().unwrap().type_name, "charge.dispute.closed");
//!
//! let refunded = event("charge.refunded", &sale, "n1", Some(2_500)).unwrap();
//! assert_eq!(refunded.id, "evt_r1_n1_charge_refunded");
//! ```
//!
//! Not here: what a payment is worth in credits (`ledger`), and delivery.

mod event;
mod run;
mod sale;
mod step;
mod unknown;

use stripe::write::WrittenEvent;

pub use event::{EventFault, event, event_names};
pub use sale::{Sale, metadata};
pub use step::{Step, steps_to};
pub use unknown::UnknownEventType;

use run::Run;
use step::{DEBIT, DECLINED, GOOD, REFUND_FAILS, REFUND_PENDS};

/// The life of one payment.
///
/// Scenarios that begin alike share their first events, ids included: after [`Scenario::Purchase`], the
/// events of [`Scenario::DisputeLost`] about the same sale repeat the purchase and go on to the dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// Paid by card.
    Purchase,
    /// Paid by card; half is refunded a day later.
    PartialRefund,
    /// Paid by card; everything is refunded, and the refund is pending at first.
    PendingRefund,
    /// Paid by card; everything is refunded, and the refund fails a week later.
    FailedRefund,
    /// Paid by card; disputed, and the merchant wins.
    DisputeWon,
    /// Paid by card; disputed, and the merchant loses.
    DisputeLost,
    /// Paid by SEPA debit: Checkout completes at once, the money arrives four days later.
    Async,
    /// The card is declined, and the session expires.
    Declined,
}

impl Scenario {
    /// Every scenario, the simplest first.
    pub const ALL: [Self; 8] = [
        Self::Purchase,
        Self::PartialRefund,
        Self::PendingRefund,
        Self::FailedRefund,
        Self::DisputeWon,
        Self::DisputeLost,
        Self::Async,
        Self::Declined,
    ];

    /// The name on a command line: `partial-refund`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::PartialRefund => "partial-refund",
            Self::PendingRefund => "pending-refund",
            Self::FailedRefund => "failed-refund",
            Self::DisputeWon => "dispute-won",
            Self::DisputeLost => "dispute-lost",
            Self::Async => "async",
            Self::Declined => "declined",
        }
    }

    /// The scenario with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// One sentence for a list of scenarios.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Purchase => "A customer pays by card.",
            Self::PartialRefund => "Half of a card payment is refunded a day later.",
            Self::PendingRefund => "A card payment is refunded in full; the refund is pending at first.",
            Self::FailedRefund => "A card payment is refunded in full, and the refund fails a week later.",
            Self::DisputeWon => "The customer disputes a card payment. The merchant wins; the money returns.",
            Self::DisputeLost => "The customer disputes a card payment. The merchant loses.",
            Self::Async => "A SEPA debit: Checkout completes unpaid, and the money arrives four days later.",
            Self::Declined => "The card is declined, and the session expires.",
        }
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(self) -> &'static [Step] {
        use Step::{Answer, Dispute, Expire, FinishCharge, FinishRefund, Pay, Refund, RefundHalf, Wait};
        const HOUR: i64 = 60 * 60;
        const DAY: i64 = 24 * HOUR;
        match self {
            Self::Purchase => &[Pay(GOOD), Wait(DAY)],
            Self::PartialRefund => &[Pay(GOOD), Wait(DAY), RefundHalf, FinishRefund],
            Self::PendingRefund => &[Pay(REFUND_PENDS), Wait(DAY), Refund, FinishRefund],
            Self::FailedRefund => &[Pay(REFUND_FAILS), Wait(DAY), Refund, FinishRefund],
            Self::DisputeWon => {
                &[Pay(GOOD), Wait(5 * DAY), Dispute, Wait(2 * DAY), Answer("winning_evidence")]
            }
            Self::DisputeLost => {
                &[Pay(GOOD), Wait(5 * DAY), Dispute, Wait(2 * DAY), Answer("losing_evidence")]
            }
            Self::Async => &[Pay(DEBIT), FinishCharge],
            Self::Declined => &[Pay(DECLINED), Wait(HOUR), Expire],
        }
    }

    /// The events that an endpoint of the sale's API version receives, at most twelve, in the order in which
    /// Stripe creates them: `created` never decreases. The customer pays at `sale.created`; the last event
    /// comes up to eight days later.
    ///
    /// A step that Stripe would refuse, such as a refund of half a cent, makes no event.
    #[must_use]
    pub fn events(self, sale: &Sale) -> Vec<WrittenEvent> {
        let mut run = Run::new(sale, sale.created, sale.amount, None);
        run.take(self.steps());
        run.written()
    }
}
