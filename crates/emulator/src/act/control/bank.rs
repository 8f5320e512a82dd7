//! What banks, sellers and time do to payments: disputes, refunds, expiry, and what is scheduled for later.

use std::collections::BTreeMap;

use serde::Deserialize;
use stripe::write::SessionStatus;

use super::{ControlCommand, ControlRefusal, Noun};
use crate::act::refund::NewRefund;
use crate::act::{checkout, dispute, fraud_warning, refund};
use crate::object::MetadataMap;
use crate::world::World;

/// Expires an open Checkout session.
#[derive(Clone, Debug)]
pub struct ExpireSession {
    /// `cs_…`
    pub session: String,
}

impl ControlCommand for ExpireSession {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        let session =
            world.sessions.get(&self.session).ok_or_else(|| Noun::Session.missing(&self.session))?;
        if session.status != SessionStatus::Open {
            return Err(ControlRefusal::SessionNotOpen);
        }
        checkout::expire(world, &self.session);
        Ok(())
    }
}

/// Refunds a charge at the customer's request.
#[derive(Clone, Debug)]
pub struct RefundCharge {
    /// `ch_…`
    pub charge: String,
    /// How much of the charge.
    pub part: RefundPart,
}

/// How much of a charge to refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundPart {
    /// Half of what was captured, rounded up to a minor unit.
    Half,
    /// Everything that is left.
    All,
}

impl ControlCommand for RefundCharge {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        let charge = world.charges.get(&self.charge).ok_or_else(|| Noun::Charge.missing(&self.charge))?;
        let amount = match self.part {
            RefundPart::Half => Some(charge.amount_captured - charge.amount_captured / 2),
            RefundPart::All => None,
        };
        let reason = Some("requested_by_customer".to_owned());
        let new = NewRefund { charge: self.charge, amount, reason, metadata: MetadataMap::new() };
        refund::create(world, new)?;
        Ok(())
    }
}

/// The customer's bank disputes a charge, asks about it, or warns of fraud.
#[derive(Clone, Debug)]
pub struct OpenDispute {
    /// `ch_…`
    pub charge: String,
    /// What the bank does.
    pub kind: DisputeKind,
    /// Stripe's word for the reason of a dispute or an inquiry: `fraudulent` …
    pub reason: String,
}

/// What the customer's bank does about a charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeKind {
    /// The bank takes the money back.
    #[default]
    Dispute,
    /// The bank only asks; no money moves.
    Inquiry,
    /// The card network warns that the charge looks fraudulent; no money moves.
    FraudWarning,
}

/// The id of the object that [`OpenDispute`] created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenedDispute {
    /// A dispute or an inquiry: `du_…`
    Dispute(String),
    /// An early fraud warning: `issfr_…`
    Warning(String),
}

impl ControlCommand for OpenDispute {
    type Done = OpenedDispute;

    fn run(self, world: &mut World) -> Result<OpenedDispute, ControlRefusal> {
        if world.charges.get(&self.charge).is_none() {
            return Err(Noun::Charge.missing(&self.charge));
        }
        let inquiry = self.kind == DisputeKind::Inquiry;
        let opened = match self.kind {
            DisputeKind::FraudWarning => {
                fraud_warning::issue(world, &self.charge).map(OpenedDispute::Warning)
            }
            DisputeKind::Dispute | DisputeKind::Inquiry => {
                dispute::open(world, &self.charge, &self.reason, inquiry).map(OpenedDispute::Dispute)
            }
        };
        opened.ok_or(ControlRefusal::NothingToDispute)
    }
}

/// Decides an open dispute or inquiry.
#[derive(Clone, Debug)]
pub struct DecideDispute {
    /// `du_…`
    pub dispute: String,
    /// How it ends.
    pub decision: DisputeDecision,
}

/// How a dispute ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeDecision {
    /// The seller submits winning evidence. It closes an inquiry.
    Win,
    /// The seller submits losing evidence. It turns an inquiry into a dispute.
    Lose,
    /// The seller accepts the dispute without evidence.
    Close,
}

impl ControlCommand for DecideDispute {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        if world.disputes.get(&self.dispute).is_none() {
            return Err(Noun::Dispute.missing(&self.dispute));
        }
        let evidence = match self.decision {
            DisputeDecision::Win => Some("winning_evidence"),
            DisputeDecision::Lose => Some("losing_evidence"),
            DisputeDecision::Close => None,
        };
        let was_open = match evidence {
            None => dispute::close(world, &self.dispute),
            Some(text) => {
                let evidence = BTreeMap::from([("uncategorized_text".to_owned(), text.to_owned())]);
                dispute::answer(world, &self.dispute, evidence, |_| (), true)
            }
        };
        if was_open { Ok(()) } else { Err(ControlRefusal::DisputeClosed) }
    }
}

/// Executes the tasks that are scheduled for one object now, without advancing the clock. Reports their
/// number: 0 for an object that has none, or that does not exist.
#[derive(Clone, Debug)]
pub struct Hasten {
    /// The id of a session, charge, refund or dispute.
    pub object: String,
}

impl ControlCommand for Hasten {
    type Done = usize;

    fn run(self, world: &mut World) -> Result<usize, ControlRefusal> {
        Ok(world.hasten(&self.object))
    }
}
