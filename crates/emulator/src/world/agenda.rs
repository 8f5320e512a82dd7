//! What is going to happen, and when. Things due at the same moment happen in the order in which they were
//! put down.
//!
//! Not here: what they do (`act`, `outbox`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One thing that is going to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduledTask {
    /// A delivery is tried. `again`: on top of the schedule, as a duplicate or because somebody asked.
    Attempt {
        /// Which.
        delivery: u64,
        /// Whether the schedule goes on as if it had not been.
        again: bool,
    },
    /// Deliveries that gathered for a burst go out, however few they are.
    Flush {
        /// Of which endpoint.
        endpoint: String,
    },
    /// A session that nobody paid for expires.
    ExpireSession(String),
    /// Stripe books a charge's money to the balance.
    SettleCharge(String),
    /// The bank pays a debit, or refuses to.
    ClearDebit(String),
    /// A pending refund goes through.
    CompleteRefund(String),
    /// A refund's reference number becomes known.
    ReferenceRefund(String),
    /// A refund comes back.
    FailRefund(String),
    /// The customer's bank disputes a charge, with this reason.
    Dispute {
        /// Which charge.
        charge: String,
        /// Stripe's word for the reason.
        reason: String,
        /// Whether it only asks, and moves no money.
        inquiry: bool,
    },
    /// The bank warns that a charge looks fraudulent.
    Warn(String),
    /// The time to answer a dispute, or the bank's time to decide it, is over.
    DecideDispute(String),
}

impl ScheduledTask {
    /// The object that it is about: a session, charge, refund or dispute. Deliveries are about none.
    fn object(&self) -> Option<&str> {
        match self {
            Self::ExpireSession(id)
            | Self::SettleCharge(id)
            | Self::ClearDebit(id)
            | Self::CompleteRefund(id)
            | Self::ReferenceRefund(id)
            | Self::FailRefund(id)
            | Self::Warn(id)
            | Self::DecideDispute(id)
            | Self::Dispute { charge: id, .. } => Some(id),
            Self::Attempt { .. } | Self::Flush { .. } => None,
        }
    }
}

/// The tasks by the moment when they fall due.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(i64, u64, ScheduledTask)>", into = "Vec<(i64, u64, ScheduledTask)>")]
pub(crate) struct Agenda {
    tasks: BTreeMap<(i64, u64), ScheduledTask>,
    added: u64,
}

impl Agenda {
    pub(crate) fn add(&mut self, due_ms: i64, task: ScheduledTask) {
        self.added += 1;
        self.tasks.insert((due_ms, self.added), task);
    }

    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.tasks.keys().next().map(|(due, _)| *due)
    }

    /// The next task, if it is due by then, and when it was.
    pub(crate) fn take_due(&mut self, now_ms: i64) -> Option<(i64, ScheduledTask)> {
        let next = self.tasks.first_entry()?;
        let due = next.key().0;
        (due <= now_ms).then(|| (due, next.remove()))
    }

    /// Every task about this object, in order.
    pub(crate) fn take_about(&mut self, object: &str) -> Vec<ScheduledTask> {
        let about = |task: &ScheduledTask| task.object() == Some(object);
        let keys: Vec<_> = self.tasks.iter().filter(|(_, task)| about(task)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.tasks.remove(key)).collect()
    }

    /// The deliveries that will be tried.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = u64> {
        self.tasks.values().filter_map(|task| match task {
            ScheduledTask::Attempt { delivery, .. } => Some(*delivery),
            _ => None,
        })
    }

    /// What is going to happen to objects, not to deliveries, the soonest first.
    pub(crate) fn upcoming(&self) -> impl Iterator<Item = (i64, &ScheduledTask)> {
        self.tasks.iter().filter(|(_, task)| task.object().is_some()).map(|(key, task)| (key.0, task))
    }
}

impl From<Vec<(i64, u64, ScheduledTask)>> for Agenda {
    fn from(tasks: Vec<(i64, u64, ScheduledTask)>) -> Self {
        let added = tasks.iter().map(|(_, order, _)| *order).max().unwrap_or_default();
        Self { tasks: tasks.into_iter().map(|(due, order, task)| ((due, order), task)).collect(), added }
    }
}

impl From<Agenda> for Vec<(i64, u64, ScheduledTask)> {
    fn from(agenda: Agenda) -> Self {
        agenda.tasks.into_iter().map(|((due, order), task)| (due, order, task)).collect()
    }
}
