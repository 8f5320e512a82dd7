//! PostgreSQL beside us: a cluster of its own with its default durability, in which one function call locks
//! the tenant's row, checks it, takes the credits and writes a line. `pgbench` calls it, which is its best
//! case: no HTTP, prepared statements, a socket of the file system.
//!
//! What is deliberately not here: PostgreSQL itself. Where its programs are missing, the caller says so.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::peers;

const SCHEMA: &str = "
CREATE TABLE balances (tenant int PRIMARY KEY, credits bigint NOT NULL CHECK (credits >= 0));
CREATE TABLE transactions (seq bigserial PRIMARY KEY, tenant int NOT NULL, key uuid NOT NULL,
    amount bigint NOT NULL, balance_after bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, key));
CREATE FUNCTION spend(who int, amount bigint, key uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE left_over bigint;
BEGIN
    SELECT credits - amount INTO left_over FROM balances WHERE tenant = who FOR UPDATE;
    IF left_over < 0 THEN RAISE EXCEPTION 'INSUFFICIENT_CREDITS'; END IF;
    UPDATE balances SET credits = left_over WHERE tenant = who;
    INSERT INTO transactions (tenant, key, amount, balance_after) VALUES (who, key, -amount, left_over);
    RETURN left_over;
END $$;";

/// A running cluster.
pub(super) struct Postgres {
    server: Child,
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
}

impl Postgres {
    /// Makes a cluster, starts it on a socket in its own folder, and gives every tenant credits.
    pub(super) fn start(tenants: u32) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = peers::tools().join("postgres");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let user = unprivileged()?;
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group))?;
        }
        let made = as_user(&programs.join("initdb"), user)
            .args(["--auth=trust", "--encoding=UTF8", "--username=bench", "--pgdata"])
            .arg(folder.join("data"))
            .current_dir(&folder)
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let server = as_user(&programs.join("postgres"), user)
            .args(["-c", "listen_addresses=", "-c", "max_connections=300", "-k"])
            .arg(&folder)
            .arg("-D")
            .arg(folder.join("data"))
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let postgres = Self { server, programs, folder, user };
        let rows = format!("INSERT INTO balances SELECT n, 1000000000 FROM generate_series(0, {tenants}) n;");
        for attempt in 1.. {
            match postgres.run("psql", &["-q", "-c", "SELECT 1"]) {
                Ok(_) => break,
                Err(error) if attempt == 100 => return Err(error),
                Err(_) => sleep(Duration::from_millis(100)),
            }
        }
        postgres.run("psql", &["-q", "-v", "ON_ERROR_STOP=1", "-c", SCHEMA, "-c", &rows])?;
        fs::write(postgres.folder.join("hot.sql"), "SELECT spend(0, 1, gen_random_uuid());\n")?;
        let spread = format!("\\set who random(1, {tenants})\nSELECT spend(:who, 1, gen_random_uuid());\n");
        fs::write(postgres.folder.join("spread.sql"), spread)?;
        Ok(postgres)
    }

    /// Spends in a second on one row.
    pub(super) fn hot(&self, connections: u32, time: Duration) -> anyhow::Result<u64> {
        self.bench("hot.sql", connections, time)
    }

    /// Spends in a second on all rows.
    pub(super) fn spread(&self, connections: u32, time: Duration) -> anyhow::Result<u64> {
        self.bench("spread.sql", connections, time)
    }

    fn bench(&self, script: &str, connections: u32, time: Duration) -> anyhow::Result<u64> {
        let (connections, seconds) = (connections.to_string(), time.as_secs().to_string());
        let options = ["-n", "-M", "prepared", "-j", "2", "-c", &connections, "-T", &seconds, "-f", script];
        let said = self.run("pgbench", &options)?;
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split('.').next());
        Ok(rate.with_context(|| format!("pgbench said: {said}"))?.parse()?)
    }

    fn run(&self, program: &str, options: &[&str]) -> anyhow::Result<String> {
        let output = as_user(&self.programs.join(program), self.user)
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "bench"])
            .args(options)
            .arg("postgres")
            .current_dir(&self.folder)
            .output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is its fast shutdown; of a process that has already ended, all of them say so.
        let _ = Command::new("kill").args(["-s", "INT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

/// Debian keeps the server's programs off the path, by version.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    found.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "psql", "pgbench"].iter().all(|program| folder.join(program).exists())
    };
    found.into_iter().find(complete).context("it is not installed; on Debian: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn unprivileged() -> anyhow::Result<Option<(u32, u32)>> {
    let status = fs::read_to_string("/proc/self/status")?;
    if !status.lines().any(|line| line.starts_with("Uid:\t0\t")) {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let fields = users.lines().find_map(|line| line.strip_prefix("postgres:x:"));
    let mut numbers = fields.context("it cannot run as root, and there is no user postgres")?.split(':');
    let mut number = || numbers.next().and_then(|text| text.parse().ok()).context("/etc/passwd");
    Ok(Some((number()?, number()?)))
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command
}
