//! Makes one event of a given type about a sale: takes the steps that lead to it, and picks it out.

use std::fmt;
use std::sync::LazyLock;

use stripe::write::WrittenEvent;

use super::run::Run;
use super::step::{STEPS_TO, steps_to};
use super::{Sale, UnknownEventType};

/// Every event type that [`event`] can make: those that `stripe` reads, except those of invoices.
#[must_use]
pub fn event_names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> =
        LazyLock::new(|| STEPS_TO.iter().map(|(type_name, _)| *type_name).collect());
    &NAMES
}

/// One event of this type about `sale`, created at `sale.created`.
///
/// `nonce` (`[A-Za-z0-9_]`, at most 50 characters) becomes a part of the event's id: the same nonce makes a
/// duplicate, another nonce a new event about the same payment. `amount`, in minor units, is the amount of
/// the refund, the dispute or the capture if the event is about one, else what the customer pays. Without it,
/// the event is about the whole of `sale.amount`.
///
/// The event is made whether or not Stripe sends its type in `sale.api_version`.
///
/// # Errors
/// An unknown type, or an amount that Stripe would refuse.
pub fn event(
    type_name: &str,
    sale: &Sale,
    nonce: &str,
    amount: Option<i64>,
) -> Result<WrittenEvent, EventFault> {
    let steps = steps_to(type_name).ok_or_else(|| EventFault::Unknown(UnknownEventType::new(type_name)))?;
    let is_part = steps.iter().any(|step| step.takes_amount());
    let (total, part) = if is_part { (sale.amount, amount) } else { (amount.unwrap_or(sale.amount), None) };
    let made = |start: i64| {
        let mut run = Run::new(sale, start, total, part);
        run.take(steps);
        run.last(type_name).ok_or_else(|| EventFault::Refused { type_name: type_name.to_owned() })
    };
    let mut event = made(sale.created)?;
    if event.created != sale.created {
        // Some steps take days: they began so much earlier.
        let took = event.created.saturating_sub(sale.created);
        event = made(sale.created.saturating_sub(took))?;
    }
    let id = format!("evt_{}_{nonce}_{}", sale.reference, type_name.replace('.', "_"));
    Ok(super::run::written(&event, sale, id))
}

/// Why there is no such event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFault {
    /// No event of this type can be made.
    Unknown(UnknownEventType),
    /// Stripe would refuse the amount.
    Refused {
        /// What was asked for.
        type_name: String,
    },
}

impl fmt::Display for EventFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::Refused { type_name } => write!(
                f,
                "Stripe sends no {type_name} for that amount: it must be at least 1 and at most what was paid"
            ),
        }
    }
}

impl std::error::Error for EventFault {}
