//! What happens to payments at Stripe, one file per noun: checkout, payment, refund, dispute. Each change
//! emits the events that Stripe emits, in Stripe's order (docs.stripe.com/api/events/types). This module also
//! runs scheduled tasks, so that `world` does not depend on what they do.
//!
//! Not here: requests for these changes (`api`, `page`), and which endpoints receive the events
//! (`world::emit`).

pub(crate) mod capture;
pub mod checkout;
pub mod control;
pub mod dispute;
pub mod endpoint;
pub mod fraud_warning;
pub mod payment;
pub mod refund;

use crate::world::{ScheduledTask, World};

impl World {
    /// Runs every task that is due at this moment, in order, each at its own time. Returns how many ran.
    pub fn run_until(&mut self, now_ms: i64) -> u64 {
        let mut ran = 0;
        while let Some((due, task)) = self.agenda.take_due(now_ms) {
            self.now_ms = self.now_ms.max(due);
            self.request = None;
            self.run(task);
            ran += 1;
        }
        // The machine's clock may be set back; the account's clock never goes back.
        self.now_ms = self.now_ms.max(now_ms);
        ran
    }

    /// Runs every task that is scheduled for this object now, without advancing the clock. Returns how many
    /// ran.
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
            ScheduledTask::Attempt { delivery, again } => self.enqueue(delivery, again),
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
                fraud_warning::issue(self, &charge);
            }
            ScheduledTask::DecideDispute(dispute) => dispute::decide(self, &dispute),
        }
    }
}
