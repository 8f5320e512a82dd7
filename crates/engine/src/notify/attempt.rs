//! One attempt: signed with the time of now, sent, and judged. What follows from a response is a pure
//! function of it.
//! Not here: which attempt is next, and recording it.

use std::time::Duration;

use ledger::Timestamp;
use store::{AttemptOutcome, DueDelivery, FinishedAttempt};
use stripe::retry::Schedule;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::transport::{NoticeResponse, SignedRequest, Transport};
use crate::clock::Clock;
use crate::notice;

/// Makes attempts. Cheap to clone.
#[derive(Clone)]
pub(super) struct NoticeSender {
    pub(super) transport: Transport,
    pub(super) schedule: Schedule,
    pub(super) clock: Clock,
}

impl NoticeSender {
    /// Sends one notice once, within the time that an attempt may take.
    pub(super) async fn attempt(&self, delivery: &DueDelivery) -> FinishedAttempt {
        let limit = Duration::from_secs(u64::from(self.schedule.attempt_timeout_seconds()));
        let reply = match request(delivery, self.clock.now()) {
            Ok(request) => self.send(request, limit).await,
            Err(fault) => {
                let (endpoint, sequence) = (&delivery.endpoint, delivery.notice.seq);
                tracing::error!(endpoint, sequence, fault, "a notice could not be written");
                NoticeResponse::Failed(fault.to_owned())
            }
        };
        let (status, error, fate) = judge(&reply, delivery.attempts + 1, &self.schedule, self.clock.now());
        let (endpoint, sequence, id) = (&delivery.endpoint, delivery.notice.seq, &delivery.notice.id);
        tracing::debug!(endpoint, sequence, id, status, error, "a notice was sent");
        let (endpoint, due_at) = (delivery.endpoint.clone(), delivery.due_at);
        FinishedAttempt { endpoint, notice: sequence, due_at, status, error, outcome: fate }
    }

    async fn send(&self, request: SignedRequest, limit: Duration) -> NoticeResponse {
        // In a task of its own, so that a transport that panics fails this attempt and nothing else. The task
        // ends with the set.
        let mut sending = JoinSet::new();
        sending.spawn(self.transport.send(request));
        match timeout(limit, sending.join_next()).await {
            Ok(Some(Ok(reply))) => reply,
            Ok(_) => NoticeResponse::Failed("sending it panicked".to_owned()),
            Err(_) => NoticeResponse::Failed(format!("no answer within {} s", limit.as_secs())),
        }
    }
}

fn request(delivery: &DueDelivery, now: Timestamp) -> Result<SignedRequest, &'static str> {
    let (id, timestamp) = (delivery.notice.id.clone(), now.seconds());
    let body = notice::render(&delivery.notice)?;
    let signature = notice::sign(&delivery.secrets, &id, timestamp, &body)?;
    Ok(SignedRequest { url: delivery.url.clone(), id, timestamp, signature, body })
}

/// What an answer to the `attempts`-th attempt means: its status, what went wrong, and what follows.
fn judge(
    reply: &NoticeResponse,
    attempts: u32,
    schedule: &Schedule,
    now: Timestamp,
) -> (Option<u16>, Option<String>, AttemptOutcome) {
    let again = |asked: Option<i64>| match schedule.next(attempts) {
        Some(delay) => AttemptOutcome::RetryAt(now.plus_seconds(delay.max(asked.unwrap_or_default()))),
        None => AttemptOutcome::Exhausted,
    };
    match reply {
        NoticeResponse::Failed(why) => (None, Some(why.clone()), again(None)),
        NoticeResponse::Answered { status, retry_after_seconds } => {
            let (error, fate) = match status {
                200..=299 => (None, AttemptOutcome::Delivered),
                300..=399 => (Some(format!("it answered {status}: redirects are not followed")), again(None)),
                410 => (Some("it answered 410: it is gone".to_owned()), AttemptOutcome::Gone),
                // It may ask for more time than the schedule gives it, and for no more than that gives at
                // all.
                429 | 503 => {
                    let asked = retry_after_seconds.map(|seconds| seconds.min(longest(schedule)));
                    (Some(format!("it answered {status}")), again(asked))
                }
                _ => (Some(format!("it answered {status}")), again(None)),
            };
            (Some(*status), error, fate)
        }
    }
}

fn longest(schedule: &Schedule) -> i64 {
    (1..).map_while(|attempts| schedule.next(attempts)).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_710_000_000);

    #[test]
    fn what_follows_from_an_answer() {
        let answered = |status, retry_after_seconds| NoticeResponse::Answered { status, retry_after_seconds };
        let again = |seconds| AttemptOutcome::RetryAt(NOW.plus_seconds(seconds));
        for (attempts, reply, expected) in [
            (1, answered(200, None), AttemptOutcome::Delivered),
            (6, answered(299, Some(9)), AttemptOutcome::Delivered),
            (1, answered(302, None), again(300)),
            (1, answered(199, None), again(300)),
            (2, answered(404, None), again(1_800)),
            (5, answered(500, Some(99_999)), again(86_400)),
            (6, answered(500, None), AttemptOutcome::Exhausted),
            (7, answered(500, None), AttemptOutcome::Exhausted),
            (1, answered(410, None), AttemptOutcome::Gone),
            (6, answered(410, None), AttemptOutcome::Gone),
            (1, answered(429, None), again(300)),
            (1, answered(429, Some(10)), again(300)),
            (1, answered(429, Some(301)), again(301)),
            (1, answered(503, Some(86_401)), again(86_400)),
            (1, answered(503, Some(-5)), again(300)),
            (1, answered(503, Some(i64::MAX)), again(86_400)),
            (6, answered(503, Some(10)), AttemptOutcome::Exhausted),
            (1, NoticeResponse::Failed("nobody listens".to_owned()), again(300)),
            (6, NoticeResponse::Failed("nobody listens".to_owned()), AttemptOutcome::Exhausted),
        ] {
            let (_, error, fate) = judge(&reply, attempts, &Schedule::default(), NOW);
            assert_eq!(fate, expected, "attempt {attempts}: {reply:?}");
            assert_eq!(error.is_none(), fate == AttemptOutcome::Delivered, "attempt {attempts}: {reply:?}");
        }
    }
}
