//! Settings: unusable ones are rejected by name before anything starts, valid ones have their effect, and no
//! secret is ever shown.

mod accepted;
mod rejected;
