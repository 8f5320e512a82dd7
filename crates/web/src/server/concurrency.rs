//! The limit on API requests that are handled at the same time: it leaves connections free for webhooks and
//! health checks, which are not counted here.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use tokio::sync::Semaphore;

use crate::answer::{Problem, ProblemKind};

/// Lets `most` requests of these routes run at the same time, and answers the others 503 at once: in a queue
/// they would only be answered later.
pub(crate) fn limit_concurrency<S>(routes: Router<S>, most: usize) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let permits = Arc::new(Semaphore::new(most));
    routes.layer(middleware::from_fn_with_state(
        permits,
        async |State(permits): State<Arc<Semaphore>>, request: Request, next: Next| {
            if let Ok(_permit) = permits.try_acquire() {
                return next.run(request).await;
            }
            let message = "There are too many requests at this moment. Nothing was changed; ask again.";
            Problem::new(ProblemKind::Unavailable, message).into_response()
        },
    ))
}
