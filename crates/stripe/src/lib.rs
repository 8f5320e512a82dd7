//! Being written.

pub mod story;
pub mod write;
