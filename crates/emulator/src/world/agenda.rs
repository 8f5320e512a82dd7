//! Scheduled tasks, by the moment at which they are due. Tasks of the same moment run in the order in which
//! they were added.
//!
//! Not here: what they do (`act`, `outbox`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One scheduled task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduledTask {
    /// A delivery is attempted. `again`: outside the retry schedule, as a duplicate or a manual resend.
    Attempt {
        /// Which one.
        delivery: u64,
        /// Whether the attempt leaves the retry schedule as it is.
        again: bool,
    },
    /// The deliveries that wait for a burst are sent, however few they are.
    Flush {
        /// The endpoint.
        endpoint: String,
    },
    /// An unpaid session expires.
    ExpireSession(String),
    /// Stripe books a charge to the balance.
    SettleCharge(String),
    /// A SEPA debit succeeds or fails.
    ClearDebit(String),
    /// A pending refund succeeds.
    CompleteRefund(String),
    /// A refund's reference number becomes known.
    ReferenceRefund(String),
    /// A refund fails.
    FailRefund(String),
    /// The customer's bank disputes a charge, with this reason.
    Dispute {
        /// The charge.
        charge: String,
        /// Stripe's word for the reason.
        reason: String,
        /// Whether it is an inquiry, which moves no money.
        inquiry: bool,
    },
    /// The bank issues an early fraud warning.
    Warn(String),
    /// The deadline for evidence, or the bank's deadline for a decision, has passed.
    DecideDispute(String),
}

impl ScheduledTask {
    /// The session, charge, refund or dispute that the task is about. Deliveries have none.
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

/// The tasks by the moment at which they are due.
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

    /// Removes the next task if it is due at `now_ms`. Returns when it was due, and the task.
    pub(crate) fn take_due(&mut self, now_ms: i64) -> Option<(i64, ScheduledTask)> {
        let next = self.tasks.first_entry()?;
        let due = next.key().0;
        (due <= now_ms).then(|| (due, next.remove()))
    }

    /// Removes every task about this object, and returns them in order.
    pub(crate) fn take_about(&mut self, object: &str) -> Vec<ScheduledTask> {
        let about = |task: &ScheduledTask| task.object() == Some(object);
        let keys: Vec<_> = self.tasks.iter().filter(|(_, task)| about(task)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.tasks.remove(key)).collect()
    }

    /// When the next task about this object is due, in Unix milliseconds.
    pub(crate) fn due_about(&self, object: &str) -> Option<i64> {
        self.tasks.iter().find(|(_, task)| task.object() == Some(object)).map(|(key, _)| key.0)
    }

    /// The deliveries with a scheduled attempt.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = u64> {
        self.tasks.values().filter_map(|task| match task {
            ScheduledTask::Attempt { delivery, .. } => Some(*delivery),
            _ => None,
        })
    }

    /// The tasks about objects, the soonest first; not deliveries.
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
