//! Nodes that reach outside: over loopback, into a database, into files.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use patchbay::{Config, TenantId};
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::BenchError;
use super::case::{Case, Reach};

/// What the server answers.
const ANSWER: &str = r#"{"id": 17, "name": "a name of some length", "active": true}"#;

/// A table of two tenants.
const TABLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, tenantId TEXT, name TEXT, level INTEGER);
INSERT INTO people VALUES (17, 'bench', 'a name of some length', 3), (18, 'another', 'a name', 4);";
/// How the two sides look for a row: the node sees the tenant's rows alone by itself.
const OWN: &str = "SELECT id, name, level FROM people WHERE id = ?";
const OF_TENANT: &str = "SELECT id, name, level FROM people WHERE id = ? AND tenantId = ?";
/// Bytes of the file that is read.
const FILE: usize = 4096;

/// A server, a database and a folder, as long as this lives.
pub(super) struct Outside {
    folder: TempDir,
    server: SocketAddr,
}

impl Outside {
    pub(super) fn open() -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::new)?;
        fs::write(folder.path().join("a.txt"), "abcdefg\n".repeat(FILE / 8)).map_err(BenchError::new)?;
        let base = Connection::open(folder.path().join("a.db")).map_err(BenchError::new)?;
        base.execute_batch(TABLE).map_err(BenchError::new)?;
        Ok(Self {
            server: serve().map_err(BenchError::new)?,
            folder,
        })
    }

    /// Lets the tenant's nodes reach what is here.
    pub(super) fn permit(&self, tenant: &TenantId, config: &mut Config) {
        let settings = [
            ("http.allow_hosts", "*, 127.0.0.1".to_owned()),
            ("files.folder", self.folder.path().display().to_string()),
        ];
        for (name, value) in settings {
            config
                .settings
                .push((Some(tenant.clone()), name.to_owned(), value));
        }
        let url = format!("sqlite:{}", self.folder.path().join("a.db").display());
        config
            .secrets
            .push((tenant.clone(), "DATABASE_URL".to_owned(), url));
    }

    pub(super) fn cases(&self) -> Result<Vec<Case>, BenchError> {
        Ok(vec![self.http()?, self.sql()?, self.files()?])
    }

    fn http(&self) -> Result<Case, BenchError> {
        let url = format!("http://{}/row", self.server);
        let agent = ureq::Agent::new_with_defaults();
        let input = json!({"url": url});
        let what = "ureq on a kept connection, and serde_json";
        let get = move || -> Option<Json> { agent.get(&url).call().ok()?.body_mut().read_json().ok() };
        let case = Case::of("http", "http.get", input, what, get)?;
        Ok(Case {
            field: Some("body"),
            reach: Reach::Outside,
            ..case
        })
    }
}

impl Outside {
    fn sql(&self) -> Result<Case, BenchError> {
        let base = Connection::open(self.folder.path().join("a.db")).map_err(BenchError::new)?;
        let input = json!({"query": OWN, "params": [17]});
        let what = "rusqlite on a kept connection, statement prepared before";
        let case = Case::of("sql", "sql.query", input, what, move || -> Option<Json> {
            let mut statement = base.prepare_cached(OF_TENANT).ok()?;
            let row = statement.query_row(black_box((17, "bench")), |row| {
                let (id, name, level): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(json!({"id": id, "name": name, "level": level}))
            });
            Some(json!([row.ok()?]))
        })?;
        Ok(Case {
            field: Some("rows"),
            reach: Reach::Outside,
            ..case
        })
    }

    fn files(&self) -> Result<Case, BenchError> {
        let path = self.folder.path().join("a.txt");
        let input = json!({"path": "a.txt"});
        let case = Case::of(
            "files",
            "file.read",
            input,
            "fs::read_to_string of 4 KiB",
            move || fs::read_to_string(black_box(&path)).ok(),
        )?;
        Ok(Case {
            field: Some("content"),
            reach: Reach::Outside,
            ..case
        })
    }
}

/// Answers every request with the same JSON, for as long as the program runs.
fn serve() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::Builder::new()
        .name("bench-http".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(&stream));
            }
        })?;
    Ok(address)
}

fn answer(stream: &TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let length = ANSWER.len();
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{ANSWER}"
    );
    let mut writer = stream;
    // A request without a body ends with an empty line.
    for line in BufReader::new(stream).split(b'\n') {
        if line.ok()? == b"\r" {
            writer.write_all(reply.as_bytes()).ok()?;
        }
    }
    Some(())
}
