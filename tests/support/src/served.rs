//! The real binary: a host in a process of its own, and commands against it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
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
        let (child, url) = spawn(Command::new(binary()), &dir, arguments);
        Self { child, url, dir }
    }

    /// Starts it as a user who may not do everything: as `nobody` when the tests run as the superuser.
    #[must_use]
    pub fn start_unprivileged(prepare: impl FnOnce(&Path), arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plugins = dir.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        prepare(&plugins);
        if std::fs::metadata(&plugins).unwrap().uid() != 0 {
            let (child, url) = spawn(Command::new(binary()), &dir, arguments);
            return Self { child, url, dir };
        }
        // The folder of the build may be closed to others.
        let copy = dir.path().join("patchbay");
        std::fs::copy(binary(), &copy).unwrap();
        for path in [dir.path(), &plugins] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut command = Command::new(copy);
        command.uid(NOBODY).gid(NOBODY);
        let (child, url) = spawn(command, &dir, arguments);
        Self { child, url, dir }
    }

    /// Starts it by way of a shell script, whose arguments are the data directory and then the host's own command; the
    /// script runs in namespaces of its own, in which it may mount. `None` where the system does not permit that.
    #[must_use]
    pub fn start_apart(script: &str, arguments: &[&str]) -> Option<Self> {
        let apart = ["--user", "--map-root-user", "--mount"];
        let mut attempt = Command::new("unshare");
        attempt.args(apart).args(["mount", "-t", "tmpfs", "none", "/tmp"]);
        if !attempt.output().is_ok_and(|done| done.status.success()) {
            return None;
        }
        let mut command = Command::new("unshare");
        command.args(apart);
        Some(Self::start_by(command, script, arguments))
    }

    fn start_by(mut command: Command, script: &str, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plugins", "data"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        command.args(["sh", "-e", "-c", script, "sh"]);
        command.arg(dir.path().join("data")).arg(binary());
        let (child, url) = spawn(command, &dir, arguments);
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
        (self.child, self.url) = spawn(Command::new(binary()), &self.dir, &[]);
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

    /// Its data directory, as it sees it: with what was mounted there for it alone.
    #[must_use]
    pub fn data_within(&self) -> PathBuf {
        let data = self.data();
        let root = format!("/proc/{}/root", self.pid());
        Path::new(&root).join(data.strip_prefix("/").unwrap())
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

    /// The refused file of this name, once it is listed with this code.
    pub fn wait_rejected(&self, file: &str, code: &str) -> Json {
        let end = format!("/{file}");
        let is_wanted =
            |one: &Json| one["path"].as_str().is_some_and(|path| path.ends_with(&end)) && one["code"] == code;
        let listed = self.run_until(&["plugins", "--rejected", "--json"], |all| {
            all.as_array().is_some_and(|all| all.iter().any(is_wanted))
        });
        let found = listed.as_array().unwrap().iter().find(|one| is_wanted(one));
        found.unwrap().clone()
    }

    /// Waits until this version of a plugin is live.
    pub fn wait_live(&self, plugin: &str, version: &str) {
        self.run_until(&["plugins", "--json"], |all| {
            let mut all = all.as_array().unwrap().iter();
            all.any(|known| known["name"] == plugin && known["live"] == version)
        });
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

/// The user and group that own nothing.
const NOBODY: u32 = 65_534;

fn spawn(mut command: Command, dir: &TempDir, arguments: &[&str]) -> (Child, String) {
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
