//! `/api/admin`: what operators do. The commands of the binary are clients of these routes, so that whatever
//! can be done on the command line can be done from a program.

pub(crate) mod adjustments;
pub(crate) mod audit;
pub(crate) mod clock;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod quarantine;
pub(crate) mod reports;
pub(crate) mod status;
pub(crate) mod tenants;
