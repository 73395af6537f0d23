//! A child and the ways to it.
//!
//! Invariant: the child is waited for in one place, after it and its group were signalled, so that no number is ever
//! used that may be another process's by then. It speaks through a socket: what it has said, no thread of the plugin can
//! take back, as it could from a pipe, whose other end any of its holders can open.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use crate::child::{ARGUMENT, MARK};
use crate::error::ProbeError;
use crate::hearing::{Heard, Hearing};
use crate::probe::ProbeConfig;
use crate::verdict::{Layer, Request, Verdict};
use crate::witness::Seen;

/// How long a child that says it halts may take until it does, and one that was killed until it is gone.
const LOOK: Duration = Duration::from_secs(2);

/// A child on trial; ended and waited for when it is dropped.
pub(crate) struct Trial {
    child: Child,
    pid: Pid,
    alive: OwnedFd,
    words: UnixStream,
    status: Option<ExitStatus>,
}

impl Trial {
    /// Starts a child and asks it.
    pub(crate) fn start(config: &ProbeConfig, request: &Request) -> Result<Self, ProbeError> {
        let line = serde_json::to_string(request).map_err(|error| ProbeError::Spawn(error.into()))?;
        let (words, theirs) = UnixStream::pair().map_err(ProbeError::Spawn)?;
        words.set_nonblocking(true).map_err(ProbeError::Spawn)?;
        let mut child = Command::new(&config.helper)
            .arg(ARGUMENT)
            .env_clear()
            .env(MARK, "probe")
            .current_dir(&config.maps)
            .stdin(Stdio::piped())
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(ProbeError::Spawn)?;
        if let Some(stdin) = &mut child.stdin {
            // A child that does not read is noticed by what it does not say.
            let _ = writeln!(stdin, "{line}");
        }
        let known = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0))
            .ok_or_else(|| std::io::Error::from(ErrorKind::NotFound))
            .and_then(|pid| Ok((pid, pidfd_open(pid, PidfdFlags::empty())?)));
        match known {
            Ok((pid, alive)) => Ok(Self {
                child,
                pid,
                alive,
                words,
                status: None,
            }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(ProbeError::Spawn(error))
            }
        }
    }

    /// Hears the child out, for the deadline at most.
    pub(crate) fn listen(&mut self, nonce: String, deadline: Duration) -> Result<Verdict, ProbeError> {
        let mut hearing = Hearing::of(nonce);
        let mut layers = None;
        let until = Instant::now() + deadline;
        let mut chunk = vec![0; 64 << 10];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ProbeError::TimedOut {
                    stage: hearing.stage(),
                    deadline,
                });
            }
            let (speaks, ended) = self.wait_for_news(left)?;
            if speaks {
                let read = self.read(&mut chunk)?;
                hearing.hear(&chunk[..read])?;
                let soon = until.min(Instant::now() + LOOK);
                while let Some(heard) = hearing.next()? {
                    match heard {
                        Heard::Unfit(explained) => return Err(ProbeError::Unfit(explained)),
                        Heard::Ready { unfenced } => {
                            layers = Some((Seen::first(self.pid, soon), unfenced));
                            if let Some(stdin) = &mut self.child.stdin {
                                let _ = stdin.write_all(b"!");
                            }
                        }
                        Heard::Fit(verdict) => {
                            let Some((before, unfenced)) = layers else {
                                return Err(hearing.forged());
                            };
                            if !Seen::look(self.pid, soon).is_back_at(&before) {
                                return Err(hearing.forged());
                            }
                            return self.last_word(*verdict, &hearing, (&before, unfenced));
                        }
                    }
                }
                if read > 0 {
                    continue;
                }
            }
            if ended {
                let status = self.end().map_err(ProbeError::Spawn)?;
                return Err(hearing.death(status, deadline));
            }
            if speaks {
                // The child closed its output and lives on: wait for its end or the deadline.
                std::thread::sleep(Duration::from_millis(1).min(left));
            }
        }
    }

    /// The verdict, when nothing was said behind it. The main thread halts behind its own verdict, so that one is said
    /// by now; once the child is gone, no thread of the plugin can say anything any more.
    fn last_word(
        &mut self,
        mut verdict: Verdict,
        hearing: &Hearing,
        (before, unfenced): (&Seen, Option<String>),
    ) -> Result<Verdict, ProbeError> {
        self.signal();
        let until = Instant::now() + LOOK;
        while !self.is_gone_within(until.saturating_duration_since(Instant::now()))? {
            if Instant::now() < until {
                continue;
            }
            return Err(ProbeError::TimedOut {
                stage: "its end".to_owned(),
                deadline: LOOK,
            });
        }
        if !hearing.is_over() || self.read(&mut [0])? > 0 {
            return Err(hearing.forged());
        }
        // What the host knows itself, whatever the line said.
        verdict.missing.clear();
        if let Some(why) = unfenced {
            verdict.missing.push(Layer::Fence(why));
        }
        if *before == Seen::Hidden {
            verdict.missing.push(Layer::Witness);
        }
        Ok(verdict)
    }

    /// Waits until the child speaks or has ended, and says which.
    fn wait_for_news(&self, most: Duration) -> Result<(bool, bool), ProbeError> {
        let mut fds = [
            PollFd::new(&self.words, PollFlags::IN),
            PollFd::new(&self.alive, PollFlags::IN),
        ];
        wait(&mut fds, most)?;
        Ok((!fds[0].revents().is_empty(), !fds[1].revents().is_empty()))
    }

    /// Waits until the child has ended, and says whether it has.
    fn is_gone_within(&self, most: Duration) -> Result<bool, ProbeError> {
        let mut fds = [PollFd::new(&self.alive, PollFlags::IN)];
        wait(&mut fds, most)?;
        Ok(!fds[0].revents().is_empty())
    }

    /// What there is to read now; nothing is 0.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ProbeError> {
        match self.words.read(into) {
            Ok(read) => Ok(read),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(ProbeError::Spawn(error)),
        }
    }

    fn signal(&self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        // Itself as well: without a fence it may have left its group, and would be waited for for ever.
        let _ = pidfd_send_signal(&self.alive, Signal::KILL);
    }

    /// Ends the child and whatever it started, and takes its exit status off the system's books.
    fn end(&mut self) -> std::io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        self.signal();
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn wait(fds: &mut [PollFd<'_>], most: Duration) -> Result<(), ProbeError> {
    let most = Timespec {
        tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(most.subsec_nanos()),
    };
    match poll(fds, Some(&most)) {
        // Interrupted is as if nothing had come yet: whoever waits looks at the time and waits again.
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(ProbeError::Spawn(error.into())),
    }
}
