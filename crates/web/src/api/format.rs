//! The query parameter `format` of reports and statements.

use utoipa::ToSchema;

use super::Query;
use crate::answer::Problem;

/// The format of a report or statement.
#[derive(Clone, Copy, ToSchema)]
#[schema(as = Format, rename_all = "lowercase")]
pub(crate) enum ReportFormat {
    Json,
    Csv,
}

impl ReportFormat {
    pub(crate) fn of(query: &Query) -> Result<Self, Problem> {
        match query.get("format") {
            None | Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(Problem::value("format", "json or csv")),
        }
    }
}
