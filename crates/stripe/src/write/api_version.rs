//! The versions of Stripe's API whose events can be written: one of each shape that matters to money.
//!
//! Deliberately not here: the releases in between, which differ from these in nothing that is written.

use serde::{Deserialize, Serialize};

/// The API version that an endpoint is pinned to (docs.stripe.com/changelog).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ApiVersion {
    /// `2022-11-15`: no `refund.*` events for a refund of a charge; charges and payment intents name an
    /// invoice.
    #[serde(rename = "2022-11-15")]
    V2022_11_15,
    /// `2025-03-31.basil`: `refund.*` events for every refund (since acacia); no invoice on either object.
    #[serde(rename = "2025-03-31.basil")]
    Basil,
    /// `2026-10-28.endive`, the newest: sessions have no `currency_conversion` (since clover), and
    /// newer names in `ui_mode` (since dahlia).
    #[serde(rename = "2026-10-28.endive")]
    #[default]
    Endive,
}

impl ApiVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V2022_11_15, Self::Basil, Self::Endive];

    /// As it stands in an event's `api_version`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2022_11_15 => "2022-11-15",
            Self::Basil => "2025-03-31.basil",
            Self::Endive => "2026-10-28.endive",
        }
    }

    /// The newest of these that is not newer than the version that `text` names: `2024-06-20` is written as
    /// `2022-11-15`, `2025-09-30.clover` as `2025-03-31.basil`. None for what is older than every one of
    /// these, or not a version at all.
    #[must_use]
    pub fn parse_nearest(text: &str) -> Option<Self> {
        let date = date_of(text)?;
        Self::ALL.into_iter().rev().find(|version| date_of(version.as_str()) <= Some(date))
    }

    /// Whether a refund of a charge makes `refund.*` events: only since 2024-10-28.acacia
    /// (docs.stripe.com/changelog/acacia/2024-10-28/refund-webhook-update).
    #[must_use]
    pub fn has_refund_events(self) -> bool {
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

    /// Whether objects carry what became general after 2025-03-31.basil: `managed_payments`,
    /// `allowed_payment_method_types` and the like (the types of stripe-node 23.1.0).
    pub(crate) fn has_newest_fields(self) -> bool {
        self >= Self::Endive
    }
}

/// `2026-08-26` of `2026-08-26.dahlia`; as texts, such dates compare as days do.
fn date_of(version: &str) -> Option<&str> {
    let (date, name) = version.split_once('.').unwrap_or((version, "unnamed"));
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    let formed = date.len() == 10
        && date.bytes().zip(*b"0000-00-00").all(|(byte, form)| match form {
            b'-' => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let month = date.get(5..7).is_some_and(|month| ("01"..="12").contains(&month));
    let day = date.get(8..).is_some_and(|day| ("01"..="31").contains(&day));
    (named && formed && month && day).then_some(date)
}
