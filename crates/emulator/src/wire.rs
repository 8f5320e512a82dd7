//! How Stripe's API talks: form parameters in, JSON out, errors and lists of one shape. Not here: what any
//! request does.
