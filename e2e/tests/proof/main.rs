//! The credits API, judged by tools that nobody here wrote: a validator, a fuzzer and two generators of
//! clients read its document, the official libraries of Standard Webhooks verify its notices, and its guides
//! and examples are run as they stand.
//!
//! Not here: what each operation does (`crates/web`), and what happens under load or when processes die.

mod document;
mod examples;
mod fuzz;
mod generated;
mod guides;
mod notices;
mod world;
