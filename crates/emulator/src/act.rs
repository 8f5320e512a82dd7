//! What happens to money at Stripe, one file per noun: buying, paying, refunding, disputing. Each change
//! makes the events that Stripe makes, in Stripe's order (docs.stripe.com/api/events/types).
//!
//! Not here: how requests ask for it (`api`, `page`), and who is told (`world::emit`).

pub mod checkout;
pub mod dispute;
pub mod endpoint;
pub mod payment;
pub mod refund;

use crate::world::{Task, World};

/// What the agenda says happens now.
pub(crate) fn run(world: &mut World, task: Task) {
    match task {
        Task::ExpireSession(session) => checkout::expire(world, &session),
        Task::SettleCharge(charge) => payment::settle(world, &charge),
        Task::ClearDebit(charge) => payment::clear(world, &charge),
        Task::CompleteRefund(refund) => refund::complete(world, &refund),
        Task::ReferenceRefund(refund) => refund::reference(world, &refund),
        Task::FailRefund(refund) => refund::fail(world, &refund, "expired_or_canceled_card"),
        Task::Dispute { charge, reason, inquiry } => dispute::open(world, &charge, &reason, inquiry),
        Task::Warn(charge) => dispute::warn(world, &charge),
        Task::DecideDispute(dispute) => dispute::decide(world, &dispute),
        // These are the outbox's.
        Task::Attempt { .. } | Task::Flush { .. } => {}
    }
}
