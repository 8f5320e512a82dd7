//! Idempotency keys: the client's key and the fingerprint of its request, which are stored permanently with
//! the answer.

use ledger::TenantId;

/// The idempotency key of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who sent it: a tenant and a service may use the same key for different requests.
    pub scope: Scope,
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
}

/// The key under which an answer is stored. A tenant and a service may use the same `Idempotency-Key` for
/// different requests.
pub(crate) type ScopedKey = (TenantId, Scope, String);

impl IdempotencyKey {
    /// The key under which the answer for this tenant is stored.
    pub(crate) fn scoped_to(&self, tenant: TenantId) -> ScopedKey {
        (tenant, self.scope, self.key.clone())
    }
}

/// Who sent a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Sent with an API key of the tenant.
    Tenant,
    /// Sent with a service key on behalf of the tenant.
    Service,
}

impl Scope {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Service => "service",
        }
    }
}
