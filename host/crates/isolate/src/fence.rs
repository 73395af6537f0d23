//! What the system refuses a child while plugin code is in it.
//!
//! Invariant: from [`raise`] on, no process can be started, nobody but the child itself can be signalled, no limit can
//! be lifted, no file can be made, changed or removed, and the way to the host cannot be closed. It holds for every
//! thread that is started later, and cannot be taken back.
//!
//! A refused call ends the child with an exit status of [`Offence`], which the host reads: see
//! [`patchbay_loader::exit_on_refused_calls`]. It is a fence against accidents and bad manners with an answer that
//! names them, not a sandbox for hostile code: what is fit runs in the host with all rights of it.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use libc::c_long;
use patchbay_loader::exit_on_refused_calls;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Is, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// What a child was ended for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// It started a process.
    Process,
    /// It signalled or traced another process, or tried to leave its session or group.
    Others,
    /// It changed what belongs to the whole process: limits, or the handler of this fence.
    Limits,
    /// It made, changed or opened a file for writing.
    Files,
    /// It asked for more memory at once than the whole trial has.
    Memory,
    /// It closed or replaced the descriptors of the trial.
    Descriptors,
}

const ALL: [Offence; 6] = [
    Offence::Process,
    Offence::Others,
    Offence::Limits,
    Offence::Files,
    Offence::Memory,
    Offence::Descriptors,
];

/// The exit status of the first offence; the others follow.
const FIRST_STATUS: i32 = 0xe0;

impl Offence {
    pub(crate) const fn status(self) -> i32 {
        FIRST_STATUS + self as i32
    }

    pub(crate) fn of_status(status: i32) -> Option<Self> {
        ALL.into_iter().find(|offence| offence.status() == status)
    }
}

/// Calls that are refused whatever their arguments.
const ALWAYS: &[(Offence, &[c_long])] = &[
    (Offence::Process, &[libc::SYS_execve, libc::SYS_execveat]),
    #[cfg(target_arch = "x86_64")]
    (Offence::Process, &[libc::SYS_fork, libc::SYS_vfork]),
    (
        Offence::Others,
        &[
            libc::SYS_setsid,
            libc::SYS_setpgid,
            libc::SYS_tkill,
            libc::SYS_ptrace,
            libc::SYS_process_vm_writev,
            libc::SYS_pidfd_send_signal,
        ],
    ),
    (Offence::Limits, &[libc::SYS_setrlimit]),
    (
        Offence::Files,
        &[
            libc::SYS_mkdirat,
            libc::SYS_mknodat,
            libc::SYS_renameat2,
            libc::SYS_linkat,
            libc::SYS_symlinkat,
            libc::SYS_fchmodat,
            libc::SYS_fchownat,
            libc::SYS_truncate,
        ],
    ),
    #[cfg(target_arch = "x86_64")]
    (
        Offence::Files,
        &[
            libc::SYS_creat,
            libc::SYS_mkdir,
            libc::SYS_mknod,
            libc::SYS_rename,
            libc::SYS_renameat,
            libc::SYS_link,
            libc::SYS_symlink,
            libc::SYS_chmod,
            libc::SYS_chown,
        ],
    ),
];

/// Calls that are refused for some of their arguments only.
const SOMETIMES: &[(Offence, &[c_long])] = &[
    (Offence::Process, &[libc::SYS_clone]),
    (
        Offence::Others,
        &[
            libc::SYS_kill,
            libc::SYS_tgkill,
            libc::SYS_rt_sigqueueinfo,
            libc::SYS_rt_tgsigqueueinfo,
            libc::SYS_prctl,
        ],
    ),
    (Offence::Limits, &[libc::SYS_prlimit64, libc::SYS_rt_sigaction]),
    (Offence::Files, &[libc::SYS_openat]),
    #[cfg(target_arch = "x86_64")]
    (Offence::Files, &[libc::SYS_open]),
    (Offence::Memory, &[libc::SYS_mmap]),
    (
        Offence::Descriptors,
        &[libc::SYS_close, libc::SYS_close_range, libc::SYS_dup3],
    ),
    #[cfg(target_arch = "x86_64")]
    (Offence::Descriptors, &[libc::SYS_dup2]),
];

fn status_of(call: i64) -> i32 {
    let mut known = ALWAYS.iter().chain(SOMETIMES);
    known
        .find(|(_, calls)| calls.contains(&call))
        .map_or(1, |(offence, _)| offence.status())
}

/// What a fence needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grounds {
    /// Descriptors of the trial.
    pub(crate) keep: [RawFd; 2],
    /// The most memory that may be asked for at once.
    pub(crate) memory_bytes: u64,
}

/// Raises the fence for this thread and all it will start.
///
/// # Errors
/// When the system has no such filters; the trial is made without a fence then.
pub(crate) fn raise(grounds: Grounds) -> Result<(), Box<dyn std::error::Error>> {
    exit_on_refused_calls(status_of)?;
    // Of several filters the strictest answer counts. `clone3` hides its flags in memory: the C library falls back.
    let missing = BTreeMap::from([(libc::SYS_clone3, vec![]), (libc::SYS_openat2, vec![])]);
    let read_only = [
        libc::SYS_unlinkat,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir,
    ];
    let read_only = read_only.into_iter().map(|call| (call, vec![])).collect();
    for (rules, answer) in [
        (missing, SeccompAction::Errno(libc::ENOSYS.unsigned_abs())),
        (read_only, SeccompAction::Errno(libc::EROFS.unsigned_abs())),
        (refused(grounds)?, SeccompAction::Trap),
    ] {
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch)?;
        let program: BpfProgram = filter.try_into()?;
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn refused(grounds: Grounds) -> Result<Rules, seccompiler::BackendError> {
    let own = u64::from(std::process::id());
    let mut rules: Rules = ALWAYS
        .iter()
        .flat_map(|(_, calls)| calls.iter().map(|&call| (call, Vec::new())))
        .collect();
    let mut refuse = |call: c_long, when: &[(u8, Is, u64)]| {
        let when = when
            .iter()
            .map(|(argument, is, value)| SeccompCondition::new(*argument, Len::Dword, is.clone(), *value));
        let rule = SeccompRule::new(when.collect::<Result<_, _>>()?)?;
        rules.entry(call).or_default().push(rule);
        Ok::<_, seccompiler::BackendError>(())
    };
    let thread = libc::CLONE_THREAD.unsigned_abs();
    refuse(libc::SYS_clone, &[(0, Is::MaskedEq(thread.into()), 0)])?;
    for call in [
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ] {
        refuse(call, &[(0, Is::Ne, own)])?;
    }
    refuse(
        libc::SYS_prctl,
        &[(0, Is::Eq, libc::PR_SET_PDEATHSIG.unsigned_abs().into())],
    )?;
    let own_handler = u64::from(libc::SIGSYS.unsigned_abs());
    refuse(
        libc::SYS_rt_sigaction,
        &[(0, Is::Eq, own_handler), (1, Is::Ne, 0)],
    )?;
    refuse(libc::SYS_prlimit64, &[(2, Is::Ne, 0)])?;
    for flag in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC] {
        let flag = u64::from(flag.unsigned_abs());
        refuse(libc::SYS_openat, &[(2, Is::MaskedEq(flag), flag)])?;
        #[cfg(target_arch = "x86_64")]
        refuse(libc::SYS_open, &[(1, Is::MaskedEq(flag), flag)])?;
    }
    for fd in grounds.keep {
        let fd = u64::from(fd.unsigned_abs());
        refuse(libc::SYS_close, &[(0, Is::Eq, fd)])?;
        refuse(libc::SYS_close_range, &[(0, Is::Le, fd), (1, Is::Ge, fd)])?;
        refuse(libc::SYS_dup3, &[(1, Is::Eq, fd)])?;
        #[cfg(target_arch = "x86_64")]
        refuse(libc::SYS_dup2, &[(1, Is::Eq, fd)])?;
    }
    let huge = SeccompCondition::new(1, Len::Qword, Is::Gt, grounds.memory_bytes)?;
    rules
        .entry(libc::SYS_mmap)
        .or_default()
        .push(SeccompRule::new(vec![huge])?);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refused_call_has_the_exit_status_of_one_offence() {
        let rules = refused(Grounds {
            keep: [100, 101],
            memory_bytes: 1 << 30,
        })
        .unwrap();
        for call in rules.keys() {
            assert!(
                Offence::of_status(status_of(*call)).is_some(),
                "system call {call}"
            );
        }
        let named = ALWAYS.iter().chain(SOMETIMES).flat_map(|(_, calls)| *calls);
        assert_eq!(named.count(), rules.len());
    }

    #[test]
    fn statuses_of_offences_are_apart_from_those_that_programs_use() {
        for offence in ALL {
            assert!((2..=255).contains(&offence.status()) && offence.status() > 0xc0);
            assert_eq!(Offence::of_status(offence.status()), Some(offence));
        }
        assert_eq!(Offence::of_status(0), None);
    }
}
