//! The Stripe account's secret key. It is never printed, and it must be of the deployment's mode.

use std::fmt;

use store::Mode;

use crate::failure::Failure;

/// A secret or restricted key of the Stripe account.
#[derive(Clone)]
pub(crate) struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

impl ApiKey {
    /// The key as configured, not yet checked.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The emulator's public key.
    pub(crate) fn of_emulator() -> Self {
        Self::new(emulator::API_KEY)
    }

    /// Refuses a malformed key and a key of the other mode: payments made with it would never count here.
    ///
    /// # Errors
    /// Exit code 78; the message does not contain the key.
    pub(crate) fn require(&self, mode: Mode) -> Result<&Self, Failure> {
        let plain = self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let begins = |kind: &str| {
            let rest = self.0.strip_prefix("sk_").or_else(|| self.0.strip_prefix("rk_"));
            rest.and_then(|rest| rest.strip_prefix(kind)).is_some_and(|rest| !rest.is_empty())
        };
        let (own, other) = match mode {
            Mode::Live => ("live_", "test_"),
            Mode::Test => ("test_", "live_"),
        };
        if self.0.splitn(3, '_').nth(2).is_some_and(stripe::is_placeholder) {
            return Err(Failure::configuration(
                "STRIPE_SECRET_KEY is a placeholder: replace it with your account's key (sk_… or rk_…), or \
                 unset it",
            ));
        }
        if plain && begins(own) {
            return Ok(self);
        }
        let mode = mode.as_str();
        Err(Failure::configuration(if plain && begins(other) {
            format!(
                "STRIPE_SECRET_KEY is of the other mode: FAIREPLACE_MODE is {mode}, so it must start with \
                 sk_{own} or rk_{own}; payments made with this key would never count here"
            )
        } else {
            format!("STRIPE_SECRET_KEY must be a key of the account: sk_{own}… or rk_{own}…")
        }))
    }

    /// The key, to be sent to Stripe only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
