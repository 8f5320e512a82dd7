//! The secret and key that `dev` generated, kept beside the database so that `trigger` can sign events and a
//! restart uses the same ones. `serve` never reads this file.

use ledger::TenantId;
use ledger::chain::hex;
use serde::{Deserialize, Serialize};
use stripe::Secret;

use crate::config::Database;
use crate::failure::Failure;
use crate::operator_key::write_private;

const SUFFIX: &str = ".dev.json";

/// The tenant of examples: that of the guide's sample.
pub(crate) const DEMO_TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The generated values.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct DevFile {
    pub(crate) webhook_secret: String,
    pub(crate) api_key: Option<String>,
    pub(crate) tenant: TenantId,
    /// URL of the last run's emulator.
    #[serde(default)]
    pub(crate) emulator: Option<String>,
}

impl DevFile {
    /// Reads the file beside this database, if it exists.
    pub(crate) fn read(database: &Database) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(database.beside(SUFFIX)).ok()?).ok()
    }

    /// Creates the values, with a random secret.
    pub(crate) fn new(random: &[u8; 32]) -> Option<Self> {
        let webhook_secret = format!("whsec_{}", hex(random));
        Some(Self { webhook_secret, api_key: None, tenant: TenantId::parse(DEMO_TENANT)?, emulator: None })
    }

    /// Writes the file.
    pub(crate) fn write(&self, database: &Database) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::failed(error.to_string()))?;
        write_private(&database.beside(SUFFIX), &text)
    }

    /// The secret, ready for use.
    pub(crate) fn secret(&self) -> Result<Secret, Failure> {
        Secret::parse(&self.webhook_secret)
            .map_err(|fault| Failure::failed(format!("the dev secret: {fault}")))
    }
}
