//! `faireplace openapi`: the description of the API, for generators and tools. It needs no service.

use clap::Args;

use crate::terminal::say;

/// Print the description of the API, OpenAPI 3.1
#[derive(Args)]
pub(crate) struct OpenapiArgs {}

impl OpenapiArgs {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(crate) fn run(self) {
        say!("{}", web::openapi::document().trim_end());
    }
}
