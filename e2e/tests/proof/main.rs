//! The credits API, checked by third-party tools: a validator, a fuzzer and two client generators read its
//! OpenAPI document, the official Standard Webhooks libraries verify its notices, and the guides and examples
//! are run unchanged.
//!
//! What each operation does is tested in `crates/web`.

mod document;
mod examples;
mod fuzz;
mod generated;
mod guides;
mod notices;
mod world;
