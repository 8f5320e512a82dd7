//! Settings that are well-formed but wrong: those that keep `serve` from starting, and those that it warns
//! about. `serve`, `doctor` and `config show` share this list, so they agree. Malformed settings are refused
//! in `checked`, Stripe's key in `api_key`.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::http::Uri;
use rustix::fs::{Access, access};
use store::Mode;
use stripe::Secret;

use super::{Config, Database, Raw};
use crate::emulation;
use crate::failure::Failure;
use crate::operator_key;
use crate::outgoing::is_this_machine;

/// The findings, as messages without secrets.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    /// Findings that keep `serve` from starting.
    pub(crate) refused: Vec<String>,
    /// Findings that `serve` warns about.
    pub(crate) named: Vec<String>,
}

impl Mistakes {
    /// Checks the settings and the files that they name. Nothing is created or changed.
    pub(crate) fn find(raw: &Raw, config: &Config) -> Self {
        let mut found = Self::default();
        found.settings_file(raw, config.mode);
        found.secrets(config.secrets.as_deref(), config.mode);
        found.api_base(config);
        found.database(&config.database, config.mode);
        found.listen(config.listen);
        found
    }

    /// # Errors
    /// Exit code 78, if a finding keeps `serve` from starting.
    pub(crate) fn refuse(&self) -> Result<(), Failure> {
        if self.refused.is_empty() { Ok(()) } else { Err(Failure::configuration(self.refused.join("\n"))) }
    }

    /// Warns in test mode, refuses in live mode, where it would cost money.
    fn refuse_if_live(&mut self, mode: Mode, text: String) {
        match mode {
            Mode::Live => self.refused.push(text),
            Mode::Test => self.named.push(text),
        }
    }

    fn settings_file(&mut self, raw: &Raw, mode: Mode) {
        let Some((file, secret)) = raw.file.as_deref().zip(raw.secret_in_file) else { return };
        if is_readable_by_everybody(file) {
            let text = format!(
                "every user of this machine can read {secret} in {file}. Fix it: chmod o-rwx {file}",
                file = file.display()
            );
            self.refuse_if_live(mode, text);
        }
    }

    fn secrets(&mut self, secrets: Option<&[Secret]>, mode: Mode) {
        let Some(secrets) = secrets else {
            return self.refused.push(
                "STRIPE_WEBHOOK_SECRET is not set. Copy it from the endpoint in Stripe's Dashboard, or from \
                 `stripe listen --print-secret`. To try the program without Stripe: `faireplace dev`"
                    .to_owned(),
            );
        };
        let live = mode == Mode::Live;
        if live && secrets.iter().any(|secret| secret.expose() == emulation::SECRET) {
            self.refused.push(
                "STRIPE_WEBHOOK_SECRET is the emulator's public secret: a live deployment that accepted it \
                 would grant credits to anyone. Set your endpoint's secret, or FAIREPLACE_MODE=test"
                    .to_owned(),
            );
        } else if live && !secrets.iter().all(is_like_stripes) {
            self.refused.push(
                "STRIPE_WEBHOOK_SECRET is not a Stripe secret: those have only letters and digits after \
                 whsec_. Copy your endpoint's secret from Stripe's Dashboard, or set FAIREPLACE_MODE=test"
                    .to_owned(),
            );
        }
        let texts: Vec<_> = secrets.iter().map(Secret::expose).collect();
        if (1..texts.len()).any(|number| texts[..number].contains(&texts[number])) {
            self.named.push(
                "STRIPE_WEBHOOK_SECRET contains the same secret twice; while you rotate a secret, set the \
                 old and the new one"
                    .to_owned(),
            );
        }
    }

    /// Checked even without a key: the time is requested there while the machine's clock is in doubt.
    fn api_base(&mut self, config: &Config) {
        let Some(base) = config.stripe_base.as_deref().filter(|_| config.mode == Mode::Live) else { return };
        let safe = base.parse::<Uri>().is_ok_and(|url| {
            url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && is_this_machine(&url))
        });
        if !safe {
            self.refused.push(
                "STRIPE_API_BASE must be an https URL in live mode: without TLS anybody on the network could \
                 answer in Stripe's place. Unset it to use https://api.stripe.com"
                    .to_owned(),
            );
        }
    }

    fn database(&mut self, database: &Database, mode: Mode) {
        let (path, folder) = (&database.path, database.folder());
        let (file, place) = (path.display(), folder.display());
        let may_write = |path: &Path, how| access(path, Access::WRITE_OK | how).is_ok();
        if path.is_dir() {
            self.refused.push(format!(
                "DATABASE_URL names a directory, {file}; it must name a file: sqlite:{file}/faireplace.db"
            ));
        } else if !folder.is_dir() {
            self.refused.push(format!(
                "{place} in DATABASE_URL is not an existing directory, and it is not created \
                 automatically. Create it (mkdir -p {place}), mount it, or correct DATABASE_URL"
            ));
        } else if !may_write(folder, Access::EXEC_OK) {
            self.refused.push(format!(
                "this user cannot write in {place}, the directory in DATABASE_URL; SQLite keeps files beside \
                 the database. Give the directory to the user who runs the service, or correct DATABASE_URL"
            ));
        } else if path.exists() && !may_write(path, Access::READ_OK) {
            self.refused.push(format!(
                "this user cannot read and write {file}. Give the file to the user who runs the service"
            ));
        }
        for path in [path.clone(), operator_key::path(database)] {
            if is_readable_by_everybody(&path) {
                let path = path.display();
                let text = "every user of this machine can read";
                self.named.push(format!("{text} {path}. Fix it: chmod o-rwx {path}"));
            }
        }
        let real = folder.canonicalize().unwrap_or_default();
        let fleeting = ["/tmp", "/dev/shm", "/run"].into_iter().find(|start| real.starts_with(start));
        if let Some(fleeting) = fleeting.filter(|_| mode == Mode::Live) {
            self.named.push(format!(
                "the database is in {fleeting}, which may be emptied when the machine restarts; choose \
                 another place with DATABASE_URL"
            ));
        }
    }

    fn listen(&mut self, listen: SocketAddr) {
        if !listen.ip().is_loopback() {
            self.named.push(format!(
                "FAIREPLACE_LISTEN is {listen}, without TLS: API keys travel unencrypted. Put a TLS proxy in \
                 front, and do not expose this port"
            ));
        }
    }
}

fn is_readable_by_everybody(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

/// Stripe's secrets have letters and digits; some tools generate base64.
fn is_like_stripes(secret: &Secret) -> bool {
    let rest = secret.expose().strip_prefix("whsec_").unwrap_or_default();
    rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}
