//! The versions of Stripe's API whose events can be written: one of each shape that matters to money.
//!
//! Deliberately not here: the releases in between, which differ from these in nothing that is written.

/// The API version that an endpoint is pinned to (docs.stripe.com/changelog).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// `2022-11-15`: no `refund.*` events for a refund of a charge; charges and payment intents name an
    /// invoice.
    V2022_11_15,
    /// `2025-03-31.basil`: `refund.*` events for every refund (since acacia); no invoice on either object.
    Basil,
    /// `2026-10-28.endive`, the newest: sessions have no `currency_conversion` (since clover), and
    /// newer names in `ui_mode` (since dahlia).
    #[default]
    Endive,
}

impl ApiVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V2022_11_15, Self::Basil, Self::Endive];

    /// As it stands in an event's `api_version`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2022_11_15 => "2022-11-15",
            Self::Basil => "2025-03-31.basil",
            Self::Endive => "2026-10-28.endive",
        }
    }

    /// Whether a refund of a charge makes `refund.*` events: only since 2024-10-28.acacia
    /// (docs.stripe.com/changelog/acacia/2024-10-28/refund-webhook-update).
    pub(crate) fn has_refund_events(self) -> bool {
        self >= Self::Basil
    }

    /// Whether charges and payment intents carry `invoice`: removed by 2025-03-31.basil.
    pub(crate) fn has_invoice(self) -> bool {
        self < Self::Basil
    }

    /// Whether sessions carry `currency_conversion`: removed by 2025-09-30.clover.
    pub(crate) fn has_currency_conversion(self) -> bool {
        self < Self::Endive
    }
}
