//! Every HTTP limit, with its unit and its reason. Limits of a single resource are in that resource's file.

use std::time::Duration;

/// The limits of one service. The defaults are for production; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. At the limit a new one replaces the one that has been idle or receiving the longest
    /// (`server/connections.rs`). If all of them are working, it waits in the kernel's backlog.
    pub connections: usize,
    /// Of these, from one address (one /64 of IPv6) that is not a trusted proxy.
    pub connections_per_address: usize,
    /// Concurrent requests of one client behind a trusted proxy; beyond it 503.
    pub requests_per_client: usize,
    /// How long a connection may be idle or receiving before it may close for another connection or its large
    /// body: long enough for a client on a busy machine to send a request. It does not apply when memory or
    /// descriptors run out.
    pub stay: Duration,
    /// From the connection to its first byte. Short, because a client connects to send a request.
    pub first_byte: Duration,
    /// From the first byte to the end of the first request's head.
    pub head: Duration,
    /// From a response to the end of the next request's head. It should be longer than the idle time-out of a
    /// proxy, which might otherwise send a request on a connection that is being closed.
    pub keep_alive: Duration,
    /// For receiving the whole body, once the handler waits for it; then 408.
    pub body: Duration,
    /// How long a client may read no byte of its response; then the connection closes.
    pub write: Duration,
    /// Bytes of the request line and the header fields together; then 431. At least 8192, the minimum of
    /// hyper.
    pub head_bytes: usize,
    /// Header fields in one request; then 431.
    pub head_fields: usize,
    /// Bytes of the request target; then 414.
    pub target_bytes: usize,
    /// The largest small body, in bytes. Stripe's events have a few kilobytes.
    pub small_body_bytes: u64,
    /// Concurrent bodies that are larger, or whose length is not declared. Beyond it, a body that is larger
    /// than the new one, or that has been arriving for long, gives up its place; if there is none, 503 at
    /// once.
    pub large_bodies: usize,
    /// Bytes of the bodies that are being received or handled, over all connections. Beyond it the connection
    /// that has been receiving the longest closes; if all are working, 503.
    pub body_bytes: usize,
    /// Bytes of a webhook's body; then 413. Stripe publishes no maximum, and 64 KiB is known to be too small.
    /// At most the size that the store decompresses.
    pub webhook_body_bytes: usize,
    /// Bytes of an API request's body; then 413.
    pub api_body_bytes: usize,
    /// For handling one webhook, from its head to its response; then 503, and Stripe sends it again.
    pub webhook: Duration,
    /// For handling one command or adjustment, from its body to its response; then 503, and the client
    /// retries with the same `Idempotency-Key`. It does not apply to a purchase, which waits for Stripe: the
    /// gateway has its own time-out (20 seconds in the program), and `engine::purchase` limits how many wait.
    pub command: Duration,
    /// Concurrent requests of the API; beyond it 503 at once. Together with streams and webhooks fewer than
    /// the connections, so that a delivery can always be received.
    pub api_requests: usize,
    /// Webhooks that are stored concurrently; beyond it 503 at once, because a queue would only delay the
    /// response.
    pub intake_permits: usize,
    /// Open streams; beyond it 429. Each needs a connection, and the memory of one notice.
    pub streams: usize,
    /// Of these, with keys of one tenant.
    pub streams_per_tenant: usize,
    /// The interval between keep-alive comments on a stream, and between checks that its key still works.
    /// Shorter than the idle time-out of proxies.
    pub heartbeat: Duration,
    /// From the signal to stop until busy connections are closed. Shorter than the 30 seconds after which
    /// most process supervisors kill a process.
    pub drain: Duration,
    /// Requests per hour of all keys of one tenant together; then 429. 0 for no limit.
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
