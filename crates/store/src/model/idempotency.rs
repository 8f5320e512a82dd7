//! What makes a command the same command: the name that its client gave it, and what it asked. Kept for ever
//! with its answer. Not here: how a fingerprint is made (`web`), and the answers.

use ledger::TenantId;

/// One command's name, and what it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose name it is: a tenant and a service may use the same one for two things.
    pub scope: Scope,
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// Of what was asked: SHA-256.
    pub fingerprint: [u8; 32],
}

/// What it is kept under. A tenant and a service may use the same key for two things.
pub(crate) type KeyName = (TenantId, Scope, String);

impl IdempotencyKey {
    /// What its answer is kept under, where it is about this tenant.
    pub(crate) fn name(&self, tenant: TenantId) -> KeyName {
        (tenant, self.scope, self.key.clone())
    }
}

/// Whose command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Sent with a key of the tenant.
    Tenant,
    /// Sent with a service key, for the tenant.
    Service,
}

impl Scope {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Service => "service",
        }
    }
}
