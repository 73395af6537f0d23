//! Evidence, from outside, that no plugin code is running in a child's main thread.
//!
//! Invariant: two halts compare equal only when the main thread waited in the same system call, on the same
//! descriptor and buffer, at the same instruction and the same height of its stack. A child halts once before it maps
//! the plugin and once after it has said its verdict, from the same line of its code. A constructor that writes a
//! verdict by itself does so from deeper in the stack, below frames of the dynamic linker that are not done yet.
//!
//! Whether the system shows halts at all is decided by the first one. Where it does, it has to show the second.
//!
//! It is the kernel that is asked (`/proc/PID/syscall`), not the child: whatever is in the child's memory, the
//! plugin can read and write.

use std::time::{Duration, Instant};

use rustix::process::Pid;

/// Between two looks at a thread that is still running.
const GLANCE: Duration = Duration::from_micros(50);

/// Where a main thread waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Halt {
    call: String,
    arguments: [String; 3],
    stack: String,
    instruction: String,
}

/// What was seen of a halt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    At(Halt),
    /// It did not halt in time, or has ended.
    Nowhere,
    /// The system does not show it.
    Hidden,
}

impl Seen {
    /// The first look, before anything of a plugin is mapped. What is not seen then is not the plugin's doing but the
    /// system's: an emulator, a restricted `/proc`, a machine that is too busy.
    pub(crate) fn first(pid: Pid, until: Instant) -> Self {
        Self::look(pid, until).or_hidden()
    }

    fn or_hidden(self) -> Self {
        match self {
            Self::Nowhere => Self::Hidden,
            seen => seen,
        }
    }

    /// Waits until the main thread of a process is seen waiting in a system call.
    pub(crate) fn look(pid: Pid, until: Instant) -> Self {
        let path = format!("/proc/{}/syscall", pid.as_raw_nonzero());
        loop {
            match std::fs::read_to_string(&path) {
                Ok(line) => match Halt::parse(&line) {
                    Some(halt) => return Self::At(halt),
                    // It said so a moment ago, and is still on its way into the call.
                    None if Instant::now() < until && !line.is_empty() => std::thread::sleep(GLANCE),
                    None => return Self::Nowhere,
                },
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Self::Hidden,
                Err(_) if std::path::Path::new("/proc/self/syscall").exists() => return Self::Nowhere,
                Err(_) => return Self::Hidden,
            }
        }
    }

    /// Whether the child came back to where it was before.
    pub(crate) fn is_back_at(&self, before: &Self) -> bool {
        // Without the kernel's word there is only the child's.
        matches!(before, Self::Hidden) || (matches!(self, Self::At(_)) && self == before)
    }
}

impl Halt {
    /// Parses `NUMBER A0 A1 A2 A3 A4 A5 STACK INSTRUCTION`; a running thread has `running` instead, one that waits
    /// for anything but a call has -1.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        let mut next = || words.next();
        let call = next().filter(|call| *call == libc::SYS_read.to_string())?;
        let arguments = [next()?, next()?, next()?];
        let (_, _, _) = (next()?, next()?, next()?);
        Some(Self {
            call,
            arguments,
            stack: next()?,
            instruction: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halt(line: &str) -> Seen {
        Halt::parse(line).map_or(Seen::Nowhere, Seen::At)
    }

    #[test]
    fn a_halt_compares_by_call_arguments_stack_and_instruction() {
        let before = halt("0 0x65 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffc00 0x7f01");
        assert!(halt("0 0x65 0x7ffc10 0x1 0x1 0x2 0x3 0x7ffc00 0x7f01").is_back_at(&before));
        for other in [
            "0 0x65 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffb00 0x7f01",
            "0 0x65 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffc00 0x7f05",
            "0 0x66 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffc00 0x7f01",
            "34 0x65 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffc00 0x7f01",
            "running",
            "-1 0x7ffc00 0x7f01",
            "",
        ] {
            assert!(!halt(other).is_back_at(&before), "{other}");
        }
    }

    #[test]
    fn a_child_that_is_seen_nowhere_before_the_plugin_is_mapped_is_hidden_by_the_system() {
        assert_eq!(Seen::Nowhere.or_hidden(), Seen::Hidden);
        let seen = halt("0 0x65 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffc00 0x7f01");
        assert_eq!(seen.clone().or_hidden(), seen);
    }

    #[test]
    fn a_child_that_was_seen_once_has_to_be_seen_again() {
        let before = halt("0 0x65 0x7ffc10 0x1 0xaa 0xbb 0xcc 0x7ffc00 0x7f01");
        for after in [Seen::Nowhere, Seen::Hidden] {
            assert!(!after.is_back_at(&before), "{after:?}");
            assert!(after.is_back_at(&Seen::Hidden), "{after:?}");
        }
    }
}
