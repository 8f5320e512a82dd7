//! People and API keys as they are stored. A key is held by a tenant, a service, a person or the machine; the
//! types allow no other combination. Only the hashes of secrets are stored.

use ledger::{TenantId, Timestamp, named};
use serde::{Deserialize, Serialize};

/// A person who is or was registered to operate this deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// `person_…`.
    pub id: String,
    /// Unique among registered people, ignoring case.
    pub name: String,
    /// When they were registered.
    pub created_at: Timestamp,
    /// The id of the person who registered them; `None` for the first person and after a recovery.
    pub created_by: Option<String>,
    /// When they were removed.
    pub removed_at: Option<Timestamp>,
}

named! {
    /// The kind of a key.
    KeyKind {
        /// It acts for one tenant.
        Tenant = "tenant",
        /// A backend that spends and sells for any tenant.
        Service = "service",
        /// It acts for a person who operates the deployment.
        Operator = "operator",
    }
}

/// The holder of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyHolder {
    /// A tenant.
    Tenant {
        /// The tenant's id.
        tenant: TenantId,
        /// What the key may do with the tenant's credits.
        access: Access,
    },
    /// A backend.
    Service,
    /// A registered person, by their id.
    Person(String),
    /// Whoever can read the key file beside the database. It acts for the registered person while there is
    /// only one.
    Machine,
}

named! {
    /// What a tenant's key may do with the tenant's credits.
    Access {
        /// Read.
        Read = "credits:read",
        /// Buy, spend and hold credits.
        Write = "credits:write",
        /// Both.
        Full = "credits:read credits:write",
    }
}

/// A stored API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Its id, e.g. `key_018f…`.
    pub id: String,
    /// The name that its creator gave it.
    pub name: String,
    /// Its holder.
    pub holder: KeyHolder,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl KeyRow {
    /// Whether it is valid at this time.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        match self.holder {
            KeyHolder::Tenant { .. } => KeyKind::Tenant,
            KeyHolder::Service => KeyKind::Service,
            KeyHolder::Person(_) | KeyHolder::Machine => KeyKind::Operator,
        }
    }

    /// The tenant that it acts for; `None` for a service's or an operator's key.
    pub fn tenant(&self) -> Option<TenantId> {
        match self.holder {
            KeyHolder::Tenant { tenant, .. } => Some(tenant),
            KeyHolder::Service | KeyHolder::Person(_) | KeyHolder::Machine => None,
        }
    }
}

/// A replacement of people who lost access, made with the service stopped.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// `act_…`.
    pub id: String,
    /// The names of the people to remove; `None` for all.
    pub lost: Option<Vec<String>>,
    /// The new person.
    pub person: PersonRow,
    /// The new person's key.
    pub key: KeyRow,
    /// The hash of its secret.
    pub hash: [u8; 32],
    /// The reason.
    pub reason: String,
}
