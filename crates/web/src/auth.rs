//! API keys: shown once, stored as a hash. A tenant key sees only its tenant; objects of other tenants look
//! as if they did not exist. A service key spends and sells for any tenant. An operator key administers, and
//! moves credits only by actions, which count against the limits of its person.

use axum::http::{HeaderMap, header};
use engine::entropy;
use ledger::chain::hex;
use ledger::{Cause, TenantId, Timestamp};
use sha2::{Digest, Sha256};
use store::{Access, KeyHolder, KeyKind, KeyRow, PersonRow, Scope, Store, StoreError};

use crate::answer::{Problem, ProblemKind};
use crate::schema::name_schemas;

/// Permission to read balances, history and payments.
pub const CREDITS_READ: &str = "credits:read";
/// Permission to buy and spend.
pub const CREDITS_WRITE: &str = "credits:write";
/// Permission to administer and to read everything.
pub const OPERATOR: &str = "operator";

name_schemas! {
    /// What a key may do.
    Permission: [CREDITS_READ, CREDITS_WRITE, OPERATOR].into_iter();
}

/// Shown to tenants in place of the operator and the reason.
pub(crate) const DECISION: &str = "a decision by the operator";

/// The holder of a valid key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key.
    pub key: KeyRow,
}

impl Caller {
    /// Authenticates the caller by the `Authorization` header.
    ///
    /// 401 if there is no key or it does not work. The message is always the same, so that nothing can be
    /// learned from it.
    pub async fn authenticate(header: Option<&str>, store: &Store, now: Timestamp) -> Result<Self, Problem> {
        let refused = || {
            Problem::new(
                ProblemKind::Unauthorized,
                "This needs an API key that works: `Authorization: Bearer fp_…`, see `faireplace keys`. \
                 Nothing was changed.",
            )
        };
        let token = header.and_then(|text| text.strip_prefix("Bearer ")).ok_or_else(refused)?;
        let key = store.find_key(hash(token)).await?.ok_or_else(refused)?;
        if key.works(now) { Ok(Self { key }) } else { Err(refused()) }
    }

    /// The tenant of a request: the key's own, or for a service or an operator the one in `tenant_id`.
    ///
    /// 404 if a tenant names another tenant, 422 if a service or an operator names none.
    pub fn tenant(&self, asked: Option<&str>) -> Result<TenantId, Problem> {
        let expected = "the tenant's UUID, as in `?tenant_id=550e8400-e29b-41d4-a716-446655440000`";
        let asked = match asked {
            Some(text) => Some(TenantId::parse(text).ok_or_else(|| Problem::value("tenant_id", expected))?),
            None => None,
        };
        match (self.key.tenant(), asked) {
            (Some(own), None) => Ok(own),
            (Some(own), Some(asked)) if own == asked => Ok(own),
            (Some(_), Some(_)) => Err(Problem::not_found("tenant")),
            (None, Some(asked)) => Ok(asked),
            (None, None) => Err(Problem::value("tenant_id", expected)),
        }
    }

    /// Whether this is an operator key.
    pub fn is_operator(&self) -> bool {
        self.key.kind() == KeyKind::Operator
    }

    /// Whether this is a tenant key, which sees only its tenant.
    pub(crate) fn is_tenant(&self) -> bool {
        self.key.kind() == KeyKind::Tenant
    }

    /// The tenant to list: None, for all tenants, if a service or an operator names none.
    ///
    /// # Errors
    /// As [`Self::tenant`].
    pub(crate) fn whose(&self, asked: Option<&str>) -> Result<Option<TenantId>, Problem> {
        if asked.is_none() && !self.is_tenant() { Ok(None) } else { self.tenant(asked).map(Some) }
    }

    /// The scope in which an `Idempotency-Key` of this caller is unique.
    pub(crate) fn scope(&self) -> Scope {
        if self.is_tenant() { Scope::Tenant } else { Scope::Service }
    }

    /// A cause, if this caller may see it: the reasons of operators are for operators only.
    pub(crate) fn visible_cause<'a>(&self, cause: &'a Cause) -> Option<&'a Cause> {
        let internal = matches!(cause, Cause::Operator { .. });
        (self.is_operator() || !internal).then_some(cause)
    }

    /// Refuses a tenant key without this permission. Other keys have both permissions.
    ///
    /// # Errors
    /// 403, naming the permission.
    pub fn require(&self, permission: &str) -> Result<(), Problem> {
        let lacks = match self.key.holder {
            KeyHolder::Tenant { access: Access::Read, .. } => permission != CREDITS_READ,
            KeyHolder::Tenant { access: Access::Write, .. } => permission != CREDITS_WRITE,
            KeyHolder::Tenant { access: Access::Full, .. } => false,
            KeyHolder::Service | KeyHolder::Person(_) | KeyHolder::Machine => false,
        };
        if !lacks {
            return Ok(());
        }
        let message = format!("This key lacks the permission {permission}. Nothing was changed.");
        Err(Problem::new(ProblemKind::Forbidden, message))
    }

    /// Refuses an operator key, which moves credits by actions only.
    ///
    /// 403, naming the kind of key that may.
    pub(crate) fn may_spend(&self) -> Result<(), Problem> {
        if !self.is_operator() {
            return Ok(());
        }
        let message = "An operator key cannot spend, hold or purchase. Nothing was changed. Use the tenant's \
                       key or, for a backend that acts for every tenant, a service key: \
                       `faireplace keys create NAME --service --reason WHY`.";
        Err(Problem::new(ProblemKind::Forbidden, message))
    }
}

/// 403: the key acts for no person.
pub(crate) fn nobody_acts() -> Problem {
    Problem::new(
        ProblemKind::Forbidden,
        "This key acts for no registered person. While several people are registered, this machine's own \
         key only reads; each person acts with an operator key of their own (FAIREPLACE_OPERATOR_KEY). \
         Nothing was changed.",
    )
}

/// The `Authorization` header. None if there are several, because a proxy may have used another one than we
/// would.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    said.next().filter(|_| said.next().is_none())?.to_str().ok()
}

/// Creates a key of the deployment itself, without an action: the machine's key, and the keys for `dev`.
/// Returns its secret, which is not stored.
///
/// The store's error; no key was created.
pub async fn create_key(
    store: &Store,
    name: String,
    holder: KeyHolder,
    now: Timestamp,
) -> Result<String, StoreError> {
    let (secret, hash) = new_secret();
    store.create_key(new_key(name, holder, None, now), hash).await?;
    Ok(secret)
}

/// A key to create.
pub fn new_key(name: String, holder: KeyHolder, expires_at: Option<Timestamp>, now: Timestamp) -> KeyRow {
    KeyRow { id: new_id(now), name, holder, created_at: now, expires_at, revoked_at: None }
}

/// A person to register.
pub fn new_person(name: String, now: Timestamp) -> PersonRow {
    let id = format!("person_{}", entropy::unique_id(now).simple());
    PersonRow { id, name, created_at: now, created_by: None, removed_at: None }
}

/// The id of a new key. It is not secret.
pub(crate) fn new_id(now: Timestamp) -> String {
    format!("key_{}", entropy::unique_id(now).simple())
}

/// The secret of a new key, shown once, and its hash, which is stored.
pub fn new_secret() -> (String, [u8; 32]) {
    let secret = format!("fp_{}", hex(&entropy::bytes::<32>()));
    let hash = hash(&secret);
    (secret, hash)
}

/// The stored hash of a secret. The secret has 256 random bits, so an unsalted hash is enough.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}
