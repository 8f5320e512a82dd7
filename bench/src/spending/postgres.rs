//! The comparison with PostgreSQL: a new cluster with default durability, in which one function call locks
//! the tenant's row, checks the balance, subtracts the credits and inserts a transaction. `pgbench` calls the
//! function, which is PostgreSQL's best case: no HTTP, prepared statements, a Unix socket.

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
CREATE FUNCTION spend(tenant_id int, amount bigint, key uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE remaining bigint;
BEGIN
    SELECT credits - amount INTO remaining FROM balances WHERE tenant = tenant_id FOR UPDATE;
    IF remaining < 0 THEN RAISE EXCEPTION 'INSUFFICIENT_CREDITS'; END IF;
    UPDATE balances SET credits = remaining WHERE tenant = tenant_id;
    INSERT INTO transactions (tenant, key, amount, balance_after) VALUES (tenant_id, key, -amount, remaining);
    RETURN remaining;
END $$;";

/// A running cluster.
pub(super) struct Postgres {
    server: Child,
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
}

impl Postgres {
    /// Creates a cluster, starts it on a Unix socket in its own folder, and gives every tenant credits.
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
        let spread =
            format!("\\set tenant random(1, {tenants})\nSELECT spend(:tenant, 1, gen_random_uuid());\n");
        fs::write(postgres.folder.join("spread.sql"), spread)?;
        Ok(postgres)
    }

    /// Spends per second on one row.
    pub(super) fn hot(&self, connections: u32, time: Duration) -> anyhow::Result<u64> {
        self.bench("hot.sql", connections, time)
    }

    /// Spends per second on all rows.
    pub(super) fn spread(&self, connections: u32, time: Duration) -> anyhow::Result<u64> {
        self.bench("spread.sql", connections, time)
    }

    fn bench(&self, script: &str, connections: u32, time: Duration) -> anyhow::Result<u64> {
        let (connections, seconds) = (connections.to_string(), time.as_secs().to_string());
        let options = ["-n", "-M", "prepared", "-j", "2", "-c", &connections, "-T", &seconds, "-f", script];
        let output = self.run("pgbench", &options)?;
        let rate = output.lines().find_map(|line| line.strip_prefix("tps = ")?.split('.').next());
        Ok(rate.with_context(|| format!("pgbench printed: {output}"))?.parse()?)
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
        // SIGINT is PostgreSQL's fast shutdown. Errors mean that it has ended already.
        let _ = Command::new("kill").args(["-s", "INT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

/// Debian installs the server's programs outside PATH, in a folder per version.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    found.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "psql", "pgbench"].iter().all(|program| folder.join(program).exists())
    };
    found
        .into_iter()
        .find(complete)
        .context("PostgreSQL is not installed; on Debian: apt-get install postgresql")
}

/// User and group to run PostgreSQL as: those of its package if we are root, because it refuses to run as
/// root.
fn unprivileged() -> anyhow::Result<Option<(u32, u32)>> {
    let status = fs::read_to_string("/proc/self/status")?;
    if !status.lines().any(|line| line.starts_with("Uid:\t0\t")) {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let fields = users.lines().find_map(|line| line.strip_prefix("postgres:x:"));
    let mut numbers =
        fields.context("PostgreSQL cannot run as root, and there is no user postgres")?.split(':');
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
