//! Requests that are refused for how they came: a target that is too long, a body that is late, one request
//! or large body too many. They are answered like every other fault, and their connection closes.
//! Not here: faults in the head itself, which hyper answers on its own (400, 431), and the deadline of a body
//! (`deadlines`).

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
};
use engine::Clock;
use uuid::Uuid;

use super::{deadlines::BodyFault, exchange::NoRoom, headers::RequestId};
use crate::{
    answer::{Meta, Problem, ProblemKind},
    limits::Limits,
};

/// Answers 414 for a target that is too long, 503 where there is no room for the request, and, whatever the
/// handler said, 408 when its body failed for being late and 503 when for want of memory.
pub fn refuse<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    limits: &Limits,
    clock: Clock,
) -> Router<S> {
    let limits = *limits;
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let clock = clock.clone();
        async move {
            let id = request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| id.0);
            let fault = request.extensions().get::<BodyFault>().cloned().unwrap_or_default();
            let problem = match unread(&request, &limits) {
                Some(problem) => problem,
                None => {
                    let answer = next.run(request).await;
                    match failed(&fault) {
                        Some(problem) => problem,
                        None => return answer,
                    }
                }
            };
            let mut response = Meta::new(id, &clock).error(&problem);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }))
}

/// Why the request is not handled at all.
fn unread(request: &Request, limits: &Limits) -> Option<Problem> {
    let most = limits.target_bytes;
    if request.uri().path_and_query().is_some_and(|it| it.as_str().len() > most) {
        let message = format!("A path and its query may have {most} bytes. Nothing was changed.");
        return Some(Problem::new(ProblemKind::UriTooLong, message));
    }
    let message = match request.extensions().get::<NoRoom>()? {
        NoRoom::ForClient => format!(
            "Your address has {} requests under way, which is as many as one address may have. Nothing was \
             changed; ask again when one of them is answered.",
            limits.requests_per_client
        ),
        NoRoom::ForBody => format!(
            "There are too many bodies of more than {} bytes at this moment. Nothing was changed; send it \
             again.",
            limits.small_body_bytes
        ),
    };
    Some(Problem::new(ProblemKind::Unavailable, message))
}

/// Why the handler did not get the whole body.
fn failed(fault: &BodyFault) -> Option<Problem> {
    if fault.is_late() {
        let message = "The body was not complete in time. Nothing was changed.";
        return Some(Problem::new(ProblemKind::RequestTimeout, message));
    }
    let message = "There is no memory for another body at this moment. Nothing was changed; send it again.";
    fault.is_without_memory().then(|| Problem::new(ProblemKind::Unavailable, message))
}
