//! The real binary, made to die: its directories outlive it, and the next one goes on with them.
//!
//! Invariant: an order is answered, refused or lost; what is lost was sent to a host that has died.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::built::binary;

/// How long an answer may take: longer than any order waits for a disk.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// Directories on which one host after the other runs.
#[derive(Debug)]
pub struct Site {
    dir: TempDir,
}

/// A host that runs.
#[derive(Debug)]
pub struct Life {
    child: Child,
    client: Client,
}

/// Where orders go.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    agent: ureq::Agent,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It was carried out.
    Done(Json),
    /// It was not, and this is why.
    Refused(u16, Json),
    /// The host died before it answered.
    Lost,
}

impl Site {
    /// Directories, with the host's configuration.
    #[must_use]
    pub fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plugins", "workflows"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("up.toml"), config).unwrap();
        Self { dir }
    }

    /// The plugin directory.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.dir.path().join("plugins")
    }

    /// The host's own files.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A place beside the directories.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What all hosts here have logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.dir.path().join("log")).map_or_else(
            |_| String::new(),
            |log| String::from_utf8_lossy(&log).into_owned(),
        )
    }

    /// Starts a host, which dies at the point that is named; `None` when it died before it served.
    ///
    /// # Errors
    /// How it ended, when it ended by itself.
    pub fn boot(&self, kill_at: Option<&str>) -> Result<Option<Life>, ExitStatus> {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .unwrap();
        writeln!(log, "---- a host starts, to die at {kill_at:?}").unwrap();
        let mut command = Command::new(binary());
        command.args(["up", "--listen", "127.0.0.1:0", "--config"]);
        command.arg(self.path("up.toml"));
        command.arg("--plugins").arg(self.plugins());
        command.arg("--data").arg(self.data());
        command.env_remove("PATCHBAY_KILL_AT");
        if let Some(kill_at) = kill_at {
            command.env("PATCHBAY_KILL_AT", kill_at);
        }
        // A group of its own: what it has started dies with it.
        command.process_group(0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("ready ").map(str::to_owned) else {
            let mut rest = String::new();
            out.read_to_string(&mut rest).unwrap();
            let status = child.wait().unwrap();
            return match status.code() {
                None => Ok(None),
                Some(_) => Err(status),
            };
        };
        Ok(Some(Life {
            child,
            client: Client::new(url),
        }))
    }
}

impl Life {
    /// Where orders go.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it is gone.
    #[must_use]
    pub fn gone(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Whether it is gone.
    #[must_use]
    pub fn is_gone(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Tells it to end, and waits until it has.
    #[must_use]
    pub fn end(mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let told = Command::new("kill").arg(&pid).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWERED_WITHIN));
        Self {
            url,
            agent: config.build().into(),
        }
    }

    /// Sends a request; `key` is the name under which the order may come again.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, body: Option<&Json>, key: Option<&str>) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/api/v1/{path}", self.url))
            .header("content-type", "application/json")
            .header("x-patchbay-actor", "ada");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let text = body.map(Json::to_string).unwrap_or_default();
        let mut answer = match self.agent.run(request.body(text).unwrap()) {
            Ok(answer) => answer,
            Err(ureq::Error::Timeout(which)) => panic!("{method} {path} was not answered in time: {which}"),
            Err(_) => return Answer::Lost,
        };
        let status = answer.status().as_u16();
        let Ok(text) = answer.body_mut().read_to_string() else {
            return Answer::Lost;
        };
        let json = serde_json::from_str(&text).unwrap_or(Json::String(text));
        match status {
            200..300 => Answer::Done(json),
            _ => Answer::Refused(status, json),
        }
    }

    /// What is to be read there; `None` when the host has died.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Json> {
        match self.send("GET", path, None, None) {
            Answer::Done(json) => Some(json),
            Answer::Refused(status, why) => panic!("GET {path}: {status} {why}"),
            Answer::Lost => None,
        }
    }
}

/// Every file below a folder, by its path from there, sorted.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => open.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}
