//! What happens to money at Stripe, one file per noun: buying, paying, refunding, disputing. Each change
//! makes the events that Stripe makes, in Stripe's order (docs.stripe.com/api/events/types). And the agenda
//! as it comes due, so that the world below knows nothing of what happens in it.
//!
//! Not here: how requests ask for it (`api`, `page`), and who is told (`world::emit`).

pub mod checkout;
pub mod dispute;
pub mod endpoint;
pub mod payment;
pub mod refund;

use crate::world::{Task, World};

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
    pub fn hasten(&mut self, object: &str) -> usize {
        let tasks = self.agenda.take_about(object);
        let count = tasks.len();
        for task in tasks {
            self.run(task);
        }
        count
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::Attempt { delivery, again } => self.ready(delivery, again),
            Task::Flush { endpoint } => self.flush(&endpoint),
            Task::ExpireSession(session) => checkout::expire(self, &session),
            Task::SettleCharge(charge) => payment::settle(self, &charge),
            Task::ClearDebit(charge) => payment::clear(self, &charge),
            Task::CompleteRefund(refund) => refund::complete(self, &refund),
            Task::ReferenceRefund(refund) => refund::reference(self, &refund),
            Task::FailRefund(refund) => refund::fail(self, &refund, "expired_or_canceled_card"),
            Task::Dispute { charge, reason, inquiry } => dispute::open(self, &charge, &reason, inquiry),
            Task::Warn(charge) => dispute::warn(self, &charge),
            Task::DecideDispute(dispute) => dispute::decide(self, &dispute),
        }
    }
}
