//! The layer that writes the envelope of API responses: handlers need neither the request's id nor the time.
//! The format is in `answer::envelope`.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use engine::Clock;
use uuid::Uuid;

use super::headers::RequestId;
use crate::answer::write_envelope;

/// Writes the bodies of the responses of `router`'s handlers and layers. Needs [`RequestId`], which
/// [`stamp`](super::headers::stamp) sets.
pub fn envelope<S: Clone + Send + Sync + 'static>(router: Router<S>, clock: Clock) -> Router<S> {
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let clock = clock.clone();
        async move {
            let id = request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| id.0);
            let response = next.run(request).await;
            write_envelope(response, id, clock.now())
        }
    }))
}
