//! What happens to money at Stripe, one file per noun: buying, paying, refunding, disputing. Each change
//! makes the events that Stripe makes, in Stripe's order (docs.stripe.com/api/events/types). And the agenda
//! as it comes due, so that the world below knows nothing of what happens in it.
//!
//! Not here: how requests ask for it (`api`, `page`), and who is told (`world::emit`).

pub mod checkout;
pub mod control;
pub mod dispute;
pub mod endpoint;
pub mod payment;
pub mod refund;

use crate::world::{ScheduledTask, World};

impl World {
    /// Brings the world to this moment: everything that has fallen due happens, in order, each at its time.
    /// Answers how many things that were.
    pub fn run_until(&mut self, now_ms: i64) -> u64 {
        let mut ran = 0;
        while let Some((due, task)) = self.agenda.take_due(now_ms) {
            self.now_ms = self.now_ms.max(due);
            self.request = None;
            self.run(task);
            ran += 1;
        }
        // A machine's clock may be put back; the account's never is.
        self.now_ms = self.now_ms.max(now_ms);
        ran
    }

    /// Everything that is on the agenda for this object happens now, without turning the clock. Answers how
    /// many things that were: none, when nothing was to come.
    pub(crate) fn hasten(&mut self, object: &str) -> usize {
        let tasks = self.agenda.take_about(object);
        let count = tasks.len();
        for task in tasks {
            self.run(task);
        }
        count
    }

    fn run(&mut self, task: ScheduledTask) {
        match task {
            ScheduledTask::Attempt { delivery, again } => self.ready(delivery, again),
            ScheduledTask::Flush { endpoint } => self.flush(&endpoint),
            ScheduledTask::ExpireSession(session) => checkout::expire(self, &session),
            ScheduledTask::SettleCharge(charge) => payment::settle(self, &charge),
            ScheduledTask::ClearDebit(charge) => payment::clear(self, &charge),
            ScheduledTask::CompleteRefund(refund) => refund::complete(self, &refund),
            ScheduledTask::ReferenceRefund(refund) => refund::reference(self, &refund),
            ScheduledTask::FailRefund(refund) => refund::fail(self, &refund, "expired_or_canceled_card"),
            ScheduledTask::Dispute { charge, reason, inquiry } => {
                dispute::open(self, &charge, &reason, inquiry);
            }
            ScheduledTask::Warn(charge) => {
                dispute::warn(self, &charge);
            }
            ScheduledTask::DecideDispute(dispute) => dispute::decide(self, &dispute),
        }
    }
}
