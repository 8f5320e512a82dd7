//! People and API keys as they are stored. A key is held by a tenant, by a service, by a person, or by the
//! machine: a key of any other combination cannot be written down.
//! Not here: secrets, which are stored nowhere, and what each kind may do (`web`).

use ledger::{TenantId, Timestamp, named};
use serde::{Deserialize, Serialize};

/// A registered person: somebody who may operate this deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// `person_…`.
    pub id: String,
    /// Unique among the people who are registered, whatever its case.
    pub name: String,
    /// When they were registered.
    pub created_at: Timestamp,
    /// The id of the person who registered them; none for the first, and after a recovery.
    pub created_by: Option<String>,
    /// When they were removed.
    pub removed_at: Option<Timestamp>,
}

named! {
    /// What a key is for.
    KeyKind {
        /// It acts for one tenant.
        Tenant = "tenant",
        /// A backend that spends and sells for any tenant.
        Service = "service",
        /// A person who administers.
        Operator = "operator",
    }
}

/// Who holds a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyHolder {
    /// A tenant.
    Tenant {
        /// Which.
        tenant: TenantId,
        /// What the key may do with its credits.
        access: Access,
    },
    /// A backend of the deployment.
    Service,
    /// A registered person, by their id.
    Person(String),
    /// Whoever may read the key file beside the database. While one person is registered, that person.
    Machine,
}

named! {
    /// What a tenant's key may do with the tenant's credits.
    Access {
        /// Look.
        Read = "credits:read",
        /// Buy, spend and hold.
        Write = "credits:write",
        /// Both.
        Full = "credits:read credits:write",
    }
}

/// An API key as it is stored: without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Its public name, e.g. `key_018f…`.
    pub id: String,
    /// What it is for, in the words of whoever created it.
    pub name: String,
    /// Who holds it.
    pub holder: KeyHolder,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, if it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl KeyRow {
    /// Whether it opens anything at this moment.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// What it is for.
    pub fn kind(&self) -> KeyKind {
        match self.holder {
            KeyHolder::Tenant { .. } => KeyKind::Tenant,
            KeyHolder::Service => KeyKind::Service,
            KeyHolder::Person(_) | KeyHolder::Machine => KeyKind::Operator,
        }
    }

    /// The tenant that it acts for; none for a service's or an operator's.
    pub fn tenant(&self) -> Option<TenantId> {
        match self.holder {
            KeyHolder::Tenant { tenant, .. } => Some(tenant),
            KeyHolder::Service | KeyHolder::Person(_) | KeyHolder::Machine => None,
        }
    }
}

/// Replacing lost people, with the service stopped.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// `act_…`.
    pub id: String,
    /// The names of those who are lost; none for everyone.
    pub lost: Option<Vec<String>>,
    /// The person who takes their place.
    pub person: PersonRow,
    /// That person's key.
    pub key: KeyRow,
    /// The hash of its secret.
    pub hash: [u8; 32],
    /// Why.
    pub reason: String,
}
