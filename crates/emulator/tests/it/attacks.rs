//! Lives that try to break the account: amounts at the edge, objects that are gone, metadata that must stay.
//!
//! Not here: attacks over the network (`deliveries`).
