//! Whole lives of one payment, event by event, in the order in which Stripe would create the events.
//!
//! Deliberately not here: sending them, and what a network does to them (duplicates, delays, other orders).

mod chapter;

use crate::write::{Purchase, WrittenEvent};
use chapter::{Chapter, half};

/// One life of a payment, from the first event to the last.
///
/// Stories share their beginnings, ids and bytes included: after `purchase`, telling `dispute-lost` about the
/// same [`Purchase`] repeats the purchase (duplicates) and goes on to the dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Story {
    /// Paid by card, and nothing more.
    Purchase,
    /// Paid by card; a day later half of it is refunded.
    PartialRefund,
    /// Paid by card; all of it is refunded, and the refund fails a week later.
    FailedRefund,
    /// Paid by card; the bank takes the money back, and returns it.
    DisputeWon,
    /// Paid by card; the bank takes the money back, and keeps it.
    DisputeLost,
    /// Paid by SEPA debit: complete at once, paid four days later.
    Async,
    /// The card is declined, and the customer gives up.
    Declined,
}

impl Story {
    /// Every story, the plainest first.
    pub const ALL: [Self; 7] = [
        Self::Purchase,
        Self::PartialRefund,
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
            Self::FailedRefund => "failed-refund",
            Self::DisputeWon => "dispute-won",
            Self::DisputeLost => "dispute-lost",
            Self::Async => "async",
            Self::Declined => "declined",
        }
    }

    /// The story of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|story| story.name() == name)
    }

    /// One sentence for a list of stories.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Purchase => "A customer pays by card and keeps the credits.",
            Self::PartialRefund => "A day after the purchase half of the money is refunded.",
            Self::FailedRefund => "All of the money is refunded, and the refund fails a week later.",
            Self::DisputeWon => {
                "The customer's bank takes the money back; the dispute is won and it returns."
            }
            Self::DisputeLost => "The customer's bank takes the money back; the dispute is lost.",
            Self::Async => "A SEPA debit: Checkout completes unpaid, and the money arrives four days later.",
            Self::Declined => "The card is declined, and the session expires.",
        }
    }

    /// The events, in the order in which Stripe would create them, at most twelve; `created` never decreases.
    ///
    /// Time begins with `purchase.created` and goes on for up to three weeks after it.
    #[must_use]
    pub fn events(self, purchase: &Purchase) -> Vec<WrittenEvent> {
        let chapters: &[Chapter] = match self {
            Self::Purchase => &[Chapter::Paid],
            Self::PartialRefund => &[Chapter::Paid, Chapter::HalfRefunded],
            Self::FailedRefund => &[Chapter::Paid, Chapter::RefundedInVain],
            Self::DisputeWon => &[Chapter::Paid, Chapter::Disputed, Chapter::DisputeWon],
            Self::DisputeLost => &[Chapter::Paid, Chapter::Disputed, Chapter::DisputeLost],
            Self::Async => &[Chapter::PaidLater],
            Self::Declined => &[Chapter::Declined],
        };
        chapters.iter().flat_map(|chapter| chapter.events(purchase)).collect()
    }

    /// The credits that are available to the tenant at the end, if nothing else ever happened to it.
    ///
    /// Refunds round in the tenant's favour: `credits − floor(credits · refunded / amount)`.
    #[must_use]
    pub fn expected_credits(self, purchase: &Purchase) -> u32 {
        let credits = purchase.credits;
        match self {
            Self::Purchase | Self::FailedRefund | Self::DisputeWon | Self::Async => credits,
            Self::DisputeLost | Self::Declined => 0,
            Self::PartialRefund => {
                let paid = i128::from(purchase.amount_total).max(1);
                let refunded = i128::from(half(purchase)).max(0);
                let revoked = i128::from(credits) * refunded / paid;
                credits.saturating_sub(u32::try_from(revoked).unwrap_or(credits))
            }
        }
    }
}
