//! How many requests of the API are handled at one moment: so that, however many there are, connections are
//! left for deliveries and health, which are not counted here.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::headers::RequestId;
use crate::answer::{Meta, Problem, ProblemKind};
use crate::app::Shared;

/// Handles as many requests of these routes at once as the limits say, and answers 503 to the others at once:
/// in a queue they would only be answered later.
pub(crate) fn limit(routes: Router<Shared>, app: &Shared) -> Router<Shared> {
    let permits = Arc::new(Semaphore::new(app.limits.api_requests));
    let state = (app.clone(), permits);
    routes.layer(middleware::from_fn_with_state(
        state,
        async |State((app, permits)): State<(Shared, Arc<Semaphore>)>, request: Request, next: Next| {
            if let Ok(_permit) = permits.try_acquire() {
                return next.run(request).await;
            }
            let id = request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| id.0);
            let message = "There are too many requests at this moment. Nothing was changed; ask again.";
            Meta::new(id, &app.clock).error(&Problem::new(ProblemKind::Unavailable, message))
        },
    ))
}
