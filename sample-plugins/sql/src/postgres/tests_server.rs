//! A server of PostgreSQL for the tests that need one.
//!
//! Invariant: the server ends with the last test that uses it, and with the program, however that ends.
//!
//! One server is shared by all tests that run at the same time in one program; each test has a database of its own. The
//! server's parent is a shell that waits for its input to end: what holds the other end is this program, so that even one
//! that is killed leaves no server behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, Weak};

use plugin_api::testing::Harness;
use tempfile::TempDir;

/// What is said when there is no PostgreSQL.
const MISSING: &str = "these tests need PostgreSQL: install Debian's package `postgresql` (initdb and postgres are looked \
                       for in PATH and in /usr/lib/postgresql/*/bin), or leave them out by their names, which have \
                       `on_postgres` in them";

/// Starts the server and stops it when its input ends.
const SUPERVISOR: &str = "\"$@\" & server=$!; cat > /dev/null; kill -INT $server; wait $server";

const PASSWORD: &str = "hunter2";

static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A running server.
pub(crate) struct Server {
    supervisor: Child,
    input: Option<ChildStdin>,
    folder: TempDir,
    port: u16,
}

/// A database of one test's own.
pub(crate) struct Database {
    server: Arc<Server>,
    name: String,
}

/// The server, which is started when nobody else uses it.
fn server() -> Arc<Server> {
    let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = running.upgrade() {
        return server;
    }
    // A port that was free may be taken before the server has it.
    let server = (0..5)
        .find_map(|_| Server::start().ok())
        .expect("the server does not start");
    let server = Arc::new(server);
    *running = Arc::downgrade(&server);
    server
}

fn binary(name: &str) -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&in_path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Whom the server runs as: it refuses to be root.
fn user() -> Option<(u32, u32)> {
    let is_root = fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")));
    if !is_root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = users.lines().find(|line| line.starts_with("postgres:"));
    let ids = entry.and_then(|line| {
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    Some(ids.unwrap_or((65_534, 65_534)))
}

fn command(program: &Path, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command
}

impl Server {
    fn start() -> Result<Self, String> {
        let (initdb, postgres) = (
            binary("initdb").expect(MISSING),
            binary("postgres").expect(MISSING),
        );
        let user = user();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        for (name, text) in [
            ("password", PASSWORD.to_owned()),
            ("server.crt", certified.cert.pem()),
            ("server.key", certified.signing_key.serialize_pem()),
        ] {
            fs::write(path.join(name), text).unwrap();
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let readable = path.join("ca.crt");
        fs::write(&readable, certified.cert.pem()).unwrap();
        if let Some((user, group)) = user {
            for name in ["", "password", "server.crt", "server.key"] {
                chown(path.join(name), Some(user), Some(group)).unwrap();
            }
        }

        let made = command(&initdb, user, &path)
            .args([
                "-D",
                "data",
                "-U",
                "admin",
                "--pwfile=password",
                "--auth-local=trust",
            ])
            .args([
                "--auth-host=scram-sha-256",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
            ])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );

        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut supervisor = command(Path::new("/bin/sh"), user, &path)
            .args(["-c", SUPERVISOR, "sh"])
            .arg(&postgres)
            .args(["-D", "data", "-k"])
            .arg(&path)
            .arg("-p")
            .arg(port.to_string())
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
            ])
            .args([
                "-c",
                "synchronous_commit=off",
                "-c",
                "shared_buffers=16MB",
                "-c",
                "max_connections=60",
            ])
            .args([
                "-c",
                "ssl=on",
                "-c",
                "ssl_cert_file=../server.crt",
                "-c",
                "ssl_key_file=../server.key",
            ])
            .args(["-c", "autovacuum=off", "-c", "lc_messages=C"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = supervisor.stdin.take();
        let log = BufReader::new(supervisor.stderr.take().unwrap());
        let (sender, receiver) = channel();
        std::thread::spawn(move || watch(log, &sender));
        let server = Self {
            supervisor,
            input,
            folder,
            port,
        };
        match receiver.recv() {
            Ok(Ok(())) => Ok(server),
            Ok(Err(log)) => Err(log),
            Err(_) => Err("the server said nothing".to_owned()),
        }
    }
}

/// Reads what the server says, so that it never waits for a reader, and tells when it is ready.
fn watch(log: impl BufRead, told: &Sender<Result<(), String>>) {
    let mut said = String::new();
    for line in log.lines().map_while(Result::ok) {
        if line.contains("database system is ready to accept connections") {
            let _ = told.send(Ok(()));
        }
        said.push_str(&line);
        said.push('\n');
    }
    let _ = told.send(Err(said));
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.supervisor.wait();
    }
}

impl Database {
    /// A database with these tables; `name` is the test's.
    pub(crate) fn new(name: &str, tables: &str) -> Self {
        let server = server();
        let database = Self {
            server,
            name: name.to_owned(),
        };
        database.admin("postgres", &format!("CREATE DATABASE {name}"));
        database.admin(name, tables);
        database
    }

    fn admin(&self, database: &str, text: &str) {
        let config = format!(
            "host={} port={} user=admin dbname={database}",
            self.server.folder.path().display(),
            self.server.port
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls)
                .await
                .unwrap();
            let driver = tokio::spawn(connection);
            client
                .batch_execute(text)
                .await
                .unwrap_or_else(|error| panic!("{text}: {error:?}"));
            drop(client);
            driver.await.unwrap().unwrap();
        });
    }

    /// Runs statements past everything that is tested.
    pub(crate) fn execute(&self, text: &str) {
        self.admin(&self.name, text);
    }

    /// The first value of the first row of a query, past everything that is tested.
    pub(crate) fn seen(&self, query: &str) -> String {
        let config = format!(
            "host={} port={} user=admin dbname={}",
            self.server.folder.path().display(),
            self.server.port,
            self.name
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            let rows = client.simple_query(query).await.unwrap();
            let row = rows.into_iter().find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
                _ => None,
            });
            row.unwrap_or_default()
        })
    }

    /// Its address for a user, over TCP.
    pub(crate) fn address(&self, user: &str, options: &str) -> String {
        format!(
            "postgres://{user}:{PASSWORD}@localhost:{}/{}?hostaddr=127.0.0.1&{options}",
            self.server.port, self.name
        )
    }

    /// The file with the certificate of the server's authority.
    pub(crate) fn authority(&self) -> String {
        self.server.folder.path().join("ca.crt").display().to_string()
    }

    /// A harness of a tenant with this database.
    pub(crate) fn harness(&self, tenant: &str) -> Harness {
        Harness::new()
            .tenant(tenant)
            .secret("DATABASE_URL", &self.address("admin", "sslmode=disable"))
    }
}
