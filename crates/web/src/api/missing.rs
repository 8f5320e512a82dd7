//! What is answered where there is nothing.

use axum::response::Response;

use super::Stray;
use crate::answer::{Problem, ProblemKind};

/// No such route.
pub(crate) async fn route(Stray(request): Stray) -> Response {
    request.meta.error(&Problem::no_route())
}

/// The route exists, for other methods.
pub(crate) async fn method(Stray(request): Stray) -> Response {
    let message = "This route does not take this method; see the `Allow` header. Nothing was changed.";
    request.meta.error(&Problem::new(ProblemKind::MethodNotAllowed, message))
}
