//! The real binary: a host in a process of its own, and commands against it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::built::binary;
use crate::tape::DEADLINE;

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; -1 for a signal.
    pub code: i32,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Finished {
    /// Its output as JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the binary to its end.
pub fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Finished {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .env_remove("PATCHBAY_URL")
        .env("PATCHBAY_ACTOR", "ada")
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `patchbay up` on temporary directories.
#[derive(Debug)]
pub struct Up {
    child: Child,
    url: String,
    dir: TempDir,
}

impl Up {
    /// Starts it with the plugin directory as `prepare` leaves it, and waits for its `ready` line.
    #[must_use]
    pub fn start(prepare: impl FnOnce(&Path), arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plugins = dir.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        prepare(&plugins);
        let (child, url) = spawn(&dir, arguments);
        Self { child, url, dir }
    }

    /// Kills it, as the system might, and starts another one on the same directories.
    pub fn kill_and_restart(&mut self) {
        self.end();
        self.again();
    }

    /// Kills it.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts another one on the same directories.
    pub fn again(&mut self) {
        (self.child, self.url) = spawn(&self.dir, &[]);
    }

    /// Where it serves.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The plugin directory.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.dir.path().join("plugins")
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a client command against it.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let mut all = arguments.to_vec();
        all.extend(["--url", &self.url]);
        run(&all)
    }

    /// Runs a command until its JSON answer is as wanted.
    pub fn run_until(&self, arguments: &[&str], wanted: impl Fn(&Json) -> bool) -> Json {
        let until = Instant::now() + DEADLINE;
        loop {
            let done = self.run(arguments);
            if done.code == 0 && wanted(&done.json()) {
                return done.json();
            }
            assert!(
                Instant::now() < until,
                "{arguments:?} never answered as wanted: {done:?}\n{}",
                self.log()
            );
        }
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Waits for its end; gives its status and the rest of its standard output.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut rest)
            .unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

fn spawn(dir: &TempDir, arguments: &[&str]) -> (Child, String) {
    let mut command = Command::new(binary());
    command
        .args(["up", "--listen", "127.0.0.1:0", "--plugins"])
        .arg(dir.path().join("plugins"));
    command.arg("--data").arg(dir.path().join("data")).args(arguments);
    // Its log goes to a file: a pipe that nobody reads would stop it.
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let Some(url) = line.trim().strip_prefix("ready ").map(str::to_owned) else {
        let _ = child.kill();
        let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
        panic!("the host said {line:?} and logged:\n{log}");
    };
    (child, url)
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
