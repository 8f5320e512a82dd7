//! `faireplace openapi`: the description of the API, for generators and tools. It needs no service.

use clap::Args;

use crate::terminal::say;

/// Print the OpenAPI 3.1 description of the API
#[derive(Args)]
pub(crate) struct OpenapiArgs {
    /// Print a table of all routes instead, in Markdown
    #[arg(long)]
    routes: bool,
}

impl OpenapiArgs {
    pub(crate) fn run(self) {
        let document = web::routes::document();
        say!("{}", if self.routes { &document.table } else { &document.json }.trim_end());
    }
}
