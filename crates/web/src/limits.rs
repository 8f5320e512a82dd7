//! Every HTTP limit, with its unit and its reason.
//!
//! Not here: limits of one noun, which stand in its file, and those of the store and of the loops, which
//! belong to their crates.

use std::time::Duration;

/// What one service allows its clients. The defaults are the ones that run in production; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. At the limit a new one takes the place of the one that has been idle or receiving
    /// the longest (`server/connections.rs`); where each is owed an answer, it waits in the kernel's backlog.
    pub connections: usize,
    /// Of these, from one address (one /64 of IPv6) that is not a trusted proxy.
    pub connections_per_address: usize,
    /// Requests under way of one client behind a trusted proxy; beyond it 503.
    pub requests_per_client: usize,
    /// How long every connection may be idle or receiving before it closes for another, or for another's
    /// large body: long enough for a client on a busy machine to send a request. Memory and descriptors have
    /// no such grace.
    pub stay: Duration,
    /// From the connection to its first byte. A client connects because it has something to say.
    pub first_byte: Duration,
    /// From the first byte to the end of the first request's head.
    pub head: Duration,
    /// From an answer to the end of the next request's head. Longer than what a proxy keeps a connection for
    /// is best, or the proxy sends into a connection that is just being closed.
    pub keep_alive: Duration,
    /// For the whole body, once the handler waits for it; then 408.
    pub body: Duration,
    /// Without the client taking one byte of its answer; then the connection is cut.
    pub write: Duration,
    /// Bytes of the request line and the header fields together; then 431. At least 8192, the least that
    /// hyper takes.
    pub head_bytes: usize,
    /// Header fields in one request; then 431.
    pub head_fields: usize,
    /// Bytes of the request target; then 414.
    pub target_bytes: usize,
    /// Bytes of a body that is small. Stripe's events have a few kilobytes.
    pub small_body_bytes: u64,
    /// Bodies that are larger, or do not say how large they are, at one moment. Beyond it one that is larger
    /// than the new one, or has been coming for long, gives its place away; where none is, 503 at once.
    pub large_bodies: usize,
    /// Bytes of the bodies that are being received or worked on, over all connections. Beyond it the
    /// connection that has been sending the longest closes; where each is owed an answer, 503.
    pub body_bytes: usize,
    /// Bytes of a webhook's body; then 413. Stripe publishes no maximum, and 64 KiB is known to be too small.
    /// No more than the store unpacks.
    pub webhook_body_bytes: usize,
    /// Bytes of an API request's body; then 413.
    pub api_body_bytes: usize,
    /// For one webhook inside the service, from its head to its answer; then 503, and Stripe sends it again.
    pub webhook: Duration,
    /// For one command or adjustment inside the service, from its body to its answer; then 503, and the
    /// client asks again under the same `Idempotency-Key`. A purchase waits for Stripe: whoever asks Stripe
    /// bounds it (20 seconds in the program), and `engine::purchase` how many wait at once.
    pub command: Duration,
    /// Requests of the API that are handled at one moment; beyond it 503 at once. With streams and webhooks
    /// fewer than connections, so that there is always room to receive a delivery.
    pub api_requests: usize,
    /// Webhooks that are being stored at one moment; beyond it 503 at once, because a queue would only answer
    /// later.
    pub intake_permits: usize,
    /// Live streams at one moment; beyond it 429. Each costs a connection, and no memory but one notice.
    pub streams: usize,
    /// Of these, with keys of one tenant.
    pub streams_per_tenant: usize,
    /// Between two signs of life on a stream, and between two looks whether its key still works. Shorter than
    /// what proxies keep a silent connection for.
    pub heartbeat: Duration,
    /// From the order to stop until connections still busy are cut. Shorter than the 30 seconds after which
    /// the usual process supervisors kill.
    pub drain: Duration,
    /// Requests that all keys of one tenant may make in an hour together; then 429. 0: as many as they like.
    pub requests_per_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 256,
            requests_per_client: 256,
            stay: Duration::from_millis(250),
            first_byte: Duration::from_secs(5),
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(60),
            body: Duration::from_secs(10),
            write: Duration::from_secs(10),
            head_bytes: 16 * 1024,
            head_fields: 64,
            target_bytes: 2 * 1024,
            small_body_bytes: 64 * 1024,
            large_bodies: 8,
            body_bytes: 24 * 1024 * 1024,
            webhook_body_bytes: store::body::MAX_BODY_BYTES,
            api_body_bytes: 64 * 1024,
            webhook: Duration::from_secs(5),
            command: Duration::from_secs(5),
            api_requests: 384,
            intake_permits: 256,
            streams: 256,
            streams_per_tenant: 4,
            heartbeat: Duration::from_secs(15),
            drain: Duration::from_secs(20),
            requests_per_hour: 1000,
        }
    }
}
