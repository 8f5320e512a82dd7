//! Settings: whatever cannot be used is refused by name before anything starts, no secret is ever shown, and
//! what is accepted does what it says.

mod accepted;
mod refused;
