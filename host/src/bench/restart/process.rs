//! A host as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use super::super::BenchError;

const PATIENCE: Duration = Duration::from_secs(600);

/// How a host ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Ordered,
    Killed,
}

pub(super) struct Process {
    child: Child,
    url: String,
    /// From the start of the process until it said that it is ready.
    pub(super) ready: Duration,
    /// Until it had answered a call.
    pub(super) answered: Option<Duration>,
}

impl Process {
    /// Starts a host over `plugins` and `data` in a folder, and calls a node as soon as it is ready.
    pub(super) fn start(folder: &Path, call: Option<&str>) -> Result<Self, BenchError> {
        let mut host = Command::new(std::env::current_exe().map_err(BenchError::new)?);
        host.arg("up")
            .arg("--plugins")
            .arg(folder.join("plugins"))
            .arg("--data")
            .arg(folder.join("data"))
            .args(["--listen", "127.0.0.1:0", "--log", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        std::fs::create_dir_all(folder).map_err(BenchError::new)?;
        let begin = Instant::now();
        let child = host.spawn().map_err(BenchError::new)?;
        let mut started = Self {
            child,
            url: String::new(),
            ready: Duration::ZERO,
            answered: None,
        };
        let out = started.child.stdout.take();
        let out = out.ok_or_else(|| BenchError::new("the host has no output"))?;
        let mut line = String::new();
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(BenchError::new)?;
        started.ready = begin.elapsed();
        let url = line.trim().strip_prefix("ready ");
        started.url = url
            .ok_or_else(|| BenchError::new("the host did not come up"))?
            .to_owned();
        if let Some(node) = call {
            let url = format!("{}/api/v1/call/{node}", started.url);
            ureq::post(&url)
                .send_json(json!({"input": {}}))
                .map_err(|error| BenchError::new(format!("the first call: {error}")))?;
            started.answered = Some(begin.elapsed());
        }
        Ok(started)
    }

    fn list(&self, what: &str) -> Result<Vec<Json>, BenchError> {
        let mut answer = ureq::get(&format!("{}/api/v1/{what}", self.url))
            .call()
            .map_err(BenchError::new)?;
        let body = answer.body_mut().with_config().limit(1 << 30);
        body.read_json().map_err(BenchError::new)
    }

    /// How many of its plugins are live.
    fn live(&self) -> Result<usize, BenchError> {
        let plugins = self.list("plugins")?;
        Ok(plugins.iter().filter(|plugin| !plugin["live"].is_null()).count())
    }

    /// Waits until so many plugins are live, and says how long that took, counted from when it was ready.
    pub(super) fn until_live(&self, count: u16) -> Result<Duration, BenchError> {
        let begin = Instant::now();
        while self.live()? < usize::from(count) {
            if let Some(rejected) = self.list("rejected")?.first() {
                return Err(BenchError::new(rejected));
            }
            if begin.elapsed() > PATIENCE {
                return Err(BenchError::new(format!(
                    "{} of {count} plugins are live",
                    self.live()?
                )));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(self.ready + begin.elapsed())
    }

    pub(super) fn check_live(&self, count: u16) -> Result<(), BenchError> {
        match self.live()? {
            live if live == usize::from(count) => Ok(()),
            live => Err(BenchError::new(format!(
                "{live} of {count} plugins are live after a restart"
            ))),
        }
    }

    /// Time on processors so far, as the kernel counts it: in hundredths of a second.
    pub(super) fn cpu(&self) -> Result<Duration, BenchError> {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(path).map_err(BenchError::new)?;
        let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
        let ticks = behind.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<u64, _>>().map_err(BenchError::new)?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Ends it, and waits until it has.
    pub(super) fn end(mut self, how: End) -> Result<(), BenchError> {
        match how {
            End::Killed => self.child.kill().map_err(BenchError::new)?,
            End::Ordered => {
                let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
                let pid = pid.ok_or_else(|| BenchError::new("the host has no number"))?;
                kill_process(pid, Signal::TERM).map_err(BenchError::new)?;
            }
        }
        self.child.wait().map(|_| ()).map_err(BenchError::new)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that was ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
