//! Responses to requests that no route takes.

use super::Unmatched;
use crate::answer::{Problem, ProblemKind};

/// 404: there is no such route.
pub(crate) async fn route(_: Unmatched) -> Problem {
    Problem::no_route()
}

/// 405: the route exists for other methods.
pub(crate) async fn method(_: Unmatched) -> Problem {
    let message = "This route does not take this method; see the `Allow` header. Nothing was changed.";
    Problem::new(ProblemKind::MethodNotAllowed, message)
}
