//! Requests that are refused before or despite their handler: a target that is too long, a body that is late,
//! too many requests or large bodies. The response is an ordinary error, and the connection closes. hyper
//! itself responds to a faulty head (400, 431).

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::IntoResponse as _,
};

use super::{deadlines::BodyFault, exchange::NoRoom};
use crate::{
    answer::{Problem, ProblemKind},
    limits::Limits,
};

/// Answers 414 to a target that is too long, 503 when there is no capacity for the request, and, whatever the
/// handler returned, 408 when its body was late and 503 when there was no memory for it.
pub fn refuse<S: Clone + Send + Sync + 'static>(router: Router<S>, limits: &Limits) -> Router<S> {
    router.layer(middleware::from_fn_with_state(
        *limits,
        async |State(limits): State<Limits>, request: Request, next: Next| {
            let fault = request.extensions().get::<BodyFault>().cloned().unwrap_or_default();
            let problem = match unread(&request, &limits) {
                Some(problem) => problem,
                None => {
                    let response = next.run(request).await;
                    match failed(&fault) {
                        Some(problem) => problem,
                        None => return response,
                    }
                }
            };
            let mut response = problem.into_response();
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        },
    ))
}

/// Why the request is not handled.
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
