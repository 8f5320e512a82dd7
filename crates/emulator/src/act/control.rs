//! Everything that can be done to the account from outside Stripe's own API: the clock, the customer, the
//! bank, the network. The control page and the control API both go through the commands in this module, so a
//! limit or a check is written once and holds on both.
//!
//! A command is a value with a [`run`](ControlCommand::run). It checks its limits first, then that the
//! objects it names exist, then that they are in a state that allows it; a refused command has changed
//! nothing.

mod bank;
mod customer;
mod endpoints;

use std::fmt;

pub use bank::{
    DecideDispute, DisputeDecision, DisputeKind, ExpireSession, Hasten, OpenDispute, OpenedDispute,
};
pub use bank::{RefundCharge, RefundPart};
pub(crate) use customer::shops_email;
pub use customer::{AnswerChallenge, Pay, Payer, PaymentNumber};
pub use endpoints::{Enable, Figure, HoldDeliveries, Misbehave, Release, Resend, RotateSecret};
pub use endpoints::{MAX_COPIES, MAX_GRACE_PERIOD_SECONDS, figures};

use super::refund::RefundRefusal;
use crate::cards::PaymentRefusal;
use crate::world::World;

/// The longest advance of the clock, in seconds: 136 years.
pub const MAX_ADVANCE_SECONDS: u32 = u32::MAX;

/// One change of the account.
pub trait ControlCommand {
    /// What the command reports when it was executed.
    type Done;

    /// Executes the command.
    ///
    /// # Errors
    /// [`ControlRefusal`]. Nothing was changed.
    fn run(self, world: &mut World) -> Result<Self::Done, ControlRefusal>;
}

/// Why a command was refused. Its text is shown as it is by the page and by the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlRefusal {
    /// An object that does not exist.
    #[error("No such {noun}: '{id}'")]
    NoSuch {
        /// Which kind of object.
        noun: Noun,
        /// The id that was given.
        id: String,
    },
    /// A number outside its limits.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The session was paid, or it expired.
    #[error("The session is not open any more; it was paid, or it expired.")]
    SessionNotOpen,
    /// The session does not accept cards, or does not accept SEPA debits.
    #[error("This checkout does not take that payment method.")]
    MethodNotAccepted,
    /// The card number or IBAN is wrong, or is not one of Stripe's test numbers.
    #[error("{}", .0.message)]
    Number(PaymentRefusal),
    /// No bank has asked for 3-D Secure.
    #[error("The bank has not asked the customer to confirm a payment.")]
    NotChallenged,
    /// The charge failed or is still pending, so nobody can dispute it.
    #[error("The charge took no money, so there is nothing to dispute.")]
    NothingToDispute,
    /// The dispute was won, lost or closed before.
    #[error("This dispute is already closed.")]
    DisputeClosed,
    /// The charge cannot be refunded.
    #[error(transparent)]
    Refund(#[from] RefundRefusal),
}

/// A number that is outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be between {min} and {max}.")]
pub struct OutOfRange {
    /// The name of the number, as a field of the form or of the JSON body.
    pub field: &'static str,
    /// The least that is accepted.
    pub min: i64,
    /// The most that is accepted.
    pub max: i64,
}

/// A kind of object that a command can name, with Stripe's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A Checkout session.
    Session,
    /// A charge.
    Charge,
    /// A dispute or an inquiry.
    Dispute,
    /// An event of the last 30 days.
    Event,
    /// A webhook endpoint.
    Endpoint,
}

impl Noun {
    /// Stripe's word, as in `No such checkout.session`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "checkout.session",
            Self::Charge => "charge",
            Self::Dispute => "dispute",
            Self::Event => "event",
            Self::Endpoint => "webhook_endpoint",
        }
    }

    fn missing(self, id: &str) -> ControlRefusal {
        // The message repeats the id; a long id is cut off.
        ControlRefusal::NoSuch { noun: self, id: id.chars().take(200).collect() }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The seconds by which to advance the clock, checked against the limit. Advancing waits for deliveries, so
/// it is not a [`ControlCommand`].
///
/// # Errors
/// When it is more than [`MAX_ADVANCE_SECONDS`].
pub fn advance_seconds(seconds: u64) -> Result<u32, ControlRefusal> {
    let too_far = OutOfRange { field: "seconds", min: 0, max: MAX_ADVANCE_SECONDS.into() };
    u32::try_from(seconds).map_err(|_| too_far.into())
}
