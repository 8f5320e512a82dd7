//! Requests that did not arrive as a whole: a target that is too long, a body that is late. They are answered
//! like every other fault, and their connection closes.
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

use super::{deadlines::Lateness, headers::RequestId};
use crate::{
    answer::{Meta, Problem, ProblemKind},
    limits::Limits,
};

/// Answers 414 for a target that is too long, and 408, whatever the handler said, when its body failed for
/// being late.
pub fn refuse<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    limits: &Limits,
    clock: Clock,
) -> Router<S> {
    let most = limits.target_bytes;
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let clock = clock.clone();
        async move {
            let id = request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| id.0);
            let lateness = request.extensions().get::<Lateness>().cloned();
            let problem = if request.uri().path_and_query().is_some_and(|it| it.as_str().len() > most) {
                let message = format!("A path and its query may have {most} bytes. Nothing was changed.");
                Problem::new(ProblemKind::UriTooLong, message)
            } else {
                let answer = next.run(request).await;
                if !lateness.is_some_and(|lateness| lateness.is_late()) {
                    return answer;
                }
                let message = "The body was not complete in time. Nothing was changed.";
                Problem::new(ProblemKind::RequestTimeout, message)
            };
            let mut response = Meta::new(id, &clock).error(&problem);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }))
}
