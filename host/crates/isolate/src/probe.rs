//! The host's side.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use patchbay_intake::{InspectPolicy, Inspected};
use patchbay_loader::LoadError;
use patchbay_vocab::Explain;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::child::{ARGUMENT, MARK};
use crate::error::ProbeError;
use crate::fence::Offence;
use crate::verdict::{Depth, Line, Request, Says, Verdict};
use crate::witness::Seen;

/// Bytes a child may say: the metadata's limit and room for the rest.
const MAX_WORDS: usize = 32 << 20;

/// How trial loads are made.
#[derive(Clone, Debug)]
pub struct ProbeConfig {
    /// The executable that serves as the child: one whose `main` begins with `serve_if_asked`.
    pub helper: PathBuf,
    /// How long one trial load may take.
    pub deadline: Duration,
    /// The store that holds the artifacts.
    pub store: PathBuf,
    /// The largest artifact.
    pub max_bytes: u64,
    /// Where children make their copies.
    pub maps: PathBuf,
    /// Address space a child may take, in bytes.
    pub memory_bytes: u64,
}

impl ProbeConfig {
    /// This very executable as the helper.
    #[must_use]
    pub fn own_executable() -> PathBuf {
        if cfg!(target_os = "linux") {
            // Right even when the file was replaced since this process was started.
            return PathBuf::from("/proc/self/exe");
        }
        std::env::current_exe().unwrap_or_default()
    }
}

/// An artifact that a child has loaded, tried and unloaded.
#[derive(Clone, Debug)]
pub struct Probed {
    inspected: Inspected,
    verdict: Verdict,
}

impl Probed {
    /// With a verdict of an earlier trial load of the same bytes by the same executable; only for the cache.
    pub(crate) const fn remembered(inspected: Inspected, verdict: Verdict) -> Self {
        Self { inspected, verdict }
    }

    /// The artifact.
    #[must_use]
    pub const fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// What was found.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// Has a child load the artifact. Blocks for the deadline at most.
///
/// # Errors
/// When the artifact is unfit, or took the child down.
pub fn probe(
    inspected: &Inspected,
    policy: &InspectPolicy,
    config: &ProbeConfig,
) -> Result<Probed, ProbeError> {
    probe_to(Depth::Brief, inspected, policy, config)
}

/// Like [`probe`], with what the plugin says of itself in the verdict and the outputs of its examples in full.
///
/// # Errors
/// As [`probe`].
pub fn probe_in_full(
    inspected: &Inspected,
    policy: &InspectPolicy,
    config: &ProbeConfig,
) -> Result<Probed, ProbeError> {
    probe_to(Depth::Full, inspected, policy, config)
}

fn probe_to(
    depth: Depth,
    inspected: &Inspected,
    policy: &InspectPolicy,
    config: &ProbeConfig,
) -> Result<Probed, ProbeError> {
    let nonce = nonce();
    let request = Request {
        nonce: nonce.clone(),
        store: config.store.clone(),
        max_bytes: config.max_bytes,
        maps: config.maps.join(format!("probe-{}", place_name())),
        digest: inspected.digest(),
        allowed_libraries: policy.allowed_libraries.clone(),
        forbidden_imports: policy.forbidden_imports.clone(),
        contract: (policy.contract.major, policy.contract.minor),
        cpu_seconds: config.deadline.as_secs().max(1) + 1,
        memory_bytes: config.memory_bytes,
        example_millis: u64::try_from(config.deadline.as_millis()).unwrap_or(u64::MAX) / 2,
        depth,
    };
    let maps = request.maps.clone();
    // It was made at the start; a folder that nothing but copies were in may have been cleared away since.
    let place = DirBuilder::new().recursive(true).mode(0o700).create(&config.maps);
    place.map_err(|cause| ProbeError::Unfit(LoadError::Copy(cause).explained()))?;
    let child = spawn(config, &request);
    let outcome = child.and_then(|mut child| {
        let outcome = listen(&mut child, &nonce, config.deadline);
        end(&mut child);
        outcome
    });
    // A child that was killed leaves its copy behind.
    let _ = std::fs::remove_dir_all(&maps);
    outcome.map(|verdict| Probed {
        inspected: inspected.clone(),
        verdict,
    })
}

/// A name for the child's folder, which its plugin sees as part of its own path: nothing of the nonce is in it.
fn place_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn nonce() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}", RandomState::new().hash_one(0))
}

fn spawn(config: &ProbeConfig, request: &Request) -> Result<Child, ProbeError> {
    let line = serde_json::to_string(request).map_err(|error| ProbeError::Spawn(error.into()))?;
    let mut child = Command::new(&config.helper)
        .arg(ARGUMENT)
        .env_clear()
        .env(MARK, "probe")
        .current_dir(&config.maps)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(ProbeError::Spawn)?;
    if let Some(stdin) = &mut child.stdin {
        // A child that does not read is noticed by what it does not say.
        let _ = writeln!(stdin, "{line}");
    }
    Ok(child)
}

/// Ends the child and whatever it started, and takes its exit status off the system's books.
fn end(child: &mut Child) {
    if let Some(group) = pid_of(child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    // By its number as well: without a fence it may have left its group, and would be waited for for ever.
    let _ = child.kill();
    let _ = child.wait();
}

fn pid_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(0))
}

struct Hearing {
    words: Vec<u8>,
    taken: usize,
    stage: Option<String>,
    /// Where the child halted before it mapped the plugin.
    before: Option<Seen>,
}

fn listen(child: &mut Child, nonce: &str, deadline: Duration) -> Result<Verdict, ProbeError> {
    let mut hearing = Hearing {
        words: Vec::new(),
        taken: 0,
        stage: None,
        before: None,
    };
    let until = Instant::now() + deadline;
    let Some(mut out) = child.stdout.take() else {
        return Err(ProbeError::NotAHelper);
    };
    let pid = pid_of(child).ok_or(ProbeError::NotAHelper)?;
    let alive = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| ProbeError::Spawn(error.into()))?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ProbeError::TimedOut {
                stage: hearing.stage(),
                deadline,
            });
        }
        let mut fds = [
            PollFd::new(&out, PollFlags::IN),
            PollFd::new(&alive, PollFlags::IN),
        ];
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => {}
            Err(error) if error == rustix::io::Errno::INTR => continue,
            Err(error) => return Err(ProbeError::Spawn(error.into())),
        }
        let (speaks, ended) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
        if speaks {
            let read = out.read(&mut chunk).map_err(ProbeError::Spawn)?;
            hearing.words.extend_from_slice(&chunk[..read]);
            while let Some(says) = hearing.next(nonce) {
                let seen = || Seen::look(pid, until.min(Instant::now() + LOOK));
                match says {
                    Says::Begins(stage) => hearing.stage = Some(stage),
                    Says::Unfit(explained) => return Err(ProbeError::Unfit(explained)),
                    Says::Ready if hearing.before.is_none() => {
                        hearing.before = Some(seen());
                        if let Some(stdin) = &mut child.stdin {
                            let _ = stdin.write_all(b"!");
                        }
                    }
                    Says::Fit(verdict) => {
                        let back = hearing
                            .before
                            .as_ref()
                            .is_some_and(|before| seen().is_back_at(before));
                        return back.then_some(*verdict).ok_or_else(|| hearing.forged());
                    }
                    Says::Ready => return Err(hearing.forged()),
                }
            }
            if hearing.words.len() > MAX_WORDS {
                return Err(ProbeError::TooMuch);
            }
            if read > 0 {
                continue;
            }
        }
        if ended {
            let status = child.wait().map_err(ProbeError::Spawn)?;
            return Err(hearing.death(status, deadline));
        }
        if speaks {
            // The child closed its output and lives on: wait for its end or the deadline.
            std::thread::sleep(Duration::from_millis(1).min(left));
        }
    }
}

/// The exit status of a program that the dynamic linker ends.
const LINKER_GAVE_UP: i32 = 127;

/// How long a child that says it halts may take until it does.
const LOOK: Duration = Duration::from_secs(2);

impl Hearing {
    fn stage(&self) -> String {
        self.stage.clone().unwrap_or_else(|| "its start".to_owned())
    }

    fn forged(&self) -> ProbeError {
        ProbeError::Forged { stage: self.stage() }
    }

    /// The next word that is the child's own; what else there is on the line is the plugin's noise.
    fn next(&mut self, nonce: &str) -> Option<Says> {
        while let Some(end) = self.words[self.taken..].iter().position(|&byte| byte == b'\n') {
            let line = &self.words[self.taken..self.taken + end];
            let line = serde_json::from_slice::<Line>(line)
                .ok()
                .filter(|line| line.nonce == nonce);
            self.taken += end + 1;
            if let Some(line) = line {
                return Some(line.says);
            }
        }
        None
    }

    fn death(&self, status: ExitStatus, deadline: Duration) -> ProbeError {
        if self.stage.is_none() && status.signal().is_none() {
            return ProbeError::NotAHelper;
        }
        let stage = self.stage();
        match status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => ProbeError::TimedOut { stage, deadline },
            Some(signal) if signal == Signal::XFSZ.as_raw() => ProbeError::Limit {
                stage,
                what: "allowance of files (none)",
            },
            // Nobody else is allowed to: it was the limit on processor time, or a machine that ran out of memory.
            Some(signal) if signal == Signal::KILL.as_raw() => ProbeError::Limit {
                stage,
                what: "memory or processor time",
            },
            // The fence's own signal was blocked: so the C library does it, for the time in which it starts a process.
            Some(signal) if signal == Signal::SYS.as_raw() => ProbeError::Process {
                stage,
                how: "tried, with all signals blocked, what a trial refuses: most likely to start a process",
            },
            Some(signal) => ProbeError::Crashed {
                stage,
                signal: signal_name(signal),
            },
            None => {
                let status = status.code().unwrap_or(-1);
                match Offence::of_status(status) {
                    Some(offence) => ProbeError::of(offence, stage),
                    // The dynamic linker ends a process in this way when a file contradicts itself.
                    None if status == LINKER_GAVE_UP && stage == "loading" => ProbeError::Crashed {
                        stage,
                        signal: format!("the dynamic linker gave up (exit status {status})"),
                    },
                    None => ProbeError::Exited { stage, status },
                }
            }
        }
    }
}

fn signal_name(signal: i32) -> String {
    let known = [
        (Signal::SEGV, "segmentation fault"),
        (Signal::ABORT, "abort"),
        (Signal::BUS, "bus error"),
        (Signal::ILL, "illegal instruction"),
        (Signal::FPE, "arithmetic fault"),
        (Signal::TRAP, "trap"),
    ];
    let name = known
        .iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map_or("signal", |(_, name)| name);
    format!("{name} (signal {signal})")
}

/// The policy's parts that a verdict depends on, for the cache's fingerprint.
pub(crate) fn policy_text(policy: &InspectPolicy) -> String {
    let join = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    format!(
        "{};{};{}",
        join(&policy.allowed_libraries),
        join(&policy.forbidden_imports),
        policy.contract
    )
}
