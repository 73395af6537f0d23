//! Which system calls are refused, with which arguments, and how.
//!
//! Invariant: a call that some row refuses whatever its arguments is in no other row, and one that ends the child does
//! so for one offence alone: the number of the call is all that is known then.

use libc::c_long;

use super::Offence;

/// What becomes of a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The child ends.
    Ends(Offence),
    /// The call fails with this error, and the plugin goes on: for what libraries try, and can do without.
    Fails(i32),
}

/// For which arguments. Arguments are counted from zero, and compared in their lower half but for pointers and sizes.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Always,
    /// One of these values.
    Is(u8, &'static [u64]),
    /// Any other value.
    IsNot(u8, u64),
    /// One of these flags.
    Has(u8, &'static [u64]),
    /// Without this flag.
    Lacks(u8, u64),
    /// Anything but null.
    Given(u8),
    /// This value, and another argument that is not null.
    IsAndGiven(u8, u64, u8),
    /// Any process but this one by its number.
    NotOneself(u8),
    /// Any process but this one by its number or by 0.
    AboutOthers(u8),
    /// A descriptor of the trial.
    Kept(u8),
    /// A range with a descriptor of the trial in it.
    KeptWithin(u8, u8),
    /// More than the memory of the whole trial.
    BeyondMemory(u8),
}

/// Some calls that are refused in one way.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) answer: Answer,
    pub(super) when: When,
    pub(super) calls: &'static [c_long],
}

use Answer::{Ends, Fails};
use When::{
    AboutOthers, Always, BeyondMemory, Given, Has, Is, IsAndGiven, IsNot, Kept, KeptWithin, Lacks, NotOneself,
};

const fn row(answer: Answer, when: When, calls: &'static [c_long]) -> Row {
    Row { answer, when, calls }
}

/// A number of a header as the kernel compares it.
const fn n(value: i32) -> u64 {
    value.cast_unsigned() as u64
}

/// Opening for anything but reading.
const WRITING: &[u64] = &[
    n(libc::O_WRONLY),
    n(libc::O_RDWR),
    n(libc::O_CREAT),
    n(libc::O_TRUNC),
];
/// `prctl`: what outlives the parent, and filters.
const PRCTL_OTHERS: &[u64] = &[n(libc::PR_SET_PDEATHSIG), n(libc::PR_SET_SECCOMP)];
/// `fcntl`: who is signalled, and with what.
const FCNTL_SIGNALS: &[u64] = &[n(libc::F_SETOWN), F_SETSIG, F_SETOWN_EX];
const F_SETSIG: u64 = 10;
const F_SETOWN_EX: u64 = 15;
/// `ioctl`: who is signalled (`FIOSETOWN`, `SIOCSPGRP`), and the terminal of others (`TIOCSCTTY`, `TIOCSPGRP`, `TIOCSTI`,
/// `TIOCLINUX`, `TIOCNOTTY`).
const IOCTL_OTHERS: &[u64] = &[0x8901, 0x8902, 0x540e, 0x5410, 0x5412, 0x541c, 0x5422];
/// `ioctl` through a descriptor for reading: flags of files (`FS_IOC_SETFLAGS`, `FS_IOC_FSSETXATTR`).
const IOCTL_FILES: &[u64] = &[0x4008_6602, 0x401c_5820];
/// Later than the lists of numbers; the same on all machines.
const SYS_FCHMODAT2: c_long = 452;
const SYS_SETXATTRAT: c_long = 463;
const SYS_REMOVEXATTRAT: c_long = 466;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // Processes. `clone3` hides its flags in memory: the C library falls back to `clone`.
    row(Ends(Offence::Process), Always, &[libc::SYS_execve, libc::SYS_execveat]),
    #[cfg(target_arch = "x86_64")]
    row(Ends(Offence::Process), Always, &[libc::SYS_fork, libc::SYS_vfork]),
    row(Ends(Offence::Process), Lacks(0, n(libc::CLONE_THREAD)), &[libc::SYS_clone]),
    row(Fails(libc::ENOSYS), Always, &[libc::SYS_clone3]),

    // Others: signals, traces, sessions, and what writes into another process.
    row(Ends(Offence::Others), Always, &[
        libc::SYS_setsid, libc::SYS_setpgid, libc::SYS_tkill, libc::SYS_ptrace, libc::SYS_process_vm_writev,
        libc::SYS_process_madvise, libc::SYS_pidfd_send_signal, libc::SYS_pidfd_getfd,
    ]),
    row(Ends(Offence::Others), NotOneself(0), &[
        libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo,
    ]),
    row(Ends(Offence::Others), Is(0, PRCTL_OTHERS), &[libc::SYS_prctl]),
    row(Ends(Offence::Others), Is(1, FCNTL_SIGNALS), &[libc::SYS_fcntl]),
    row(Ends(Offence::Others), Is(1, IOCTL_OTHERS), &[libc::SYS_ioctl]),
    // Threads have numbers that a filter cannot know: of those, too, only the calling one may be set, by 0.
    row(Fails(libc::EPERM), AboutOthers(0), &[
        libc::SYS_sched_setscheduler, libc::SYS_sched_setparam, libc::SYS_sched_setattr, libc::SYS_sched_setaffinity,
        libc::SYS_migrate_pages, libc::SYS_move_pages,
    ]),
    row(Fails(libc::EPERM), IsNot(0, n(libc::PRIO_PROCESS as i32)), &[libc::SYS_setpriority]),
    row(Fails(libc::EPERM), AboutOthers(1), &[libc::SYS_setpriority]),
    row(Fails(libc::EPERM), IsNot(0, IOPRIO_WHO_PROCESS), &[libc::SYS_ioprio_set]),
    row(Fails(libc::EPERM), AboutOthers(1), &[libc::SYS_ioprio_set]),

    // The whole process and machine: limits, rights, mounts, clocks, modules, and this fence itself.
    row(Ends(Offence::Limits), Always, &[
        libc::SYS_setrlimit, libc::SYS_seccomp, libc::SYS_setuid, libc::SYS_setgid, libc::SYS_setreuid, libc::SYS_setregid,
        libc::SYS_setresuid, libc::SYS_setresgid, libc::SYS_setfsuid, libc::SYS_setfsgid, libc::SYS_setgroups,
        libc::SYS_capset, libc::SYS_unshare, libc::SYS_setns, libc::SYS_chroot, libc::SYS_pivot_root, libc::SYS_mount,
        libc::SYS_umount2, libc::SYS_open_tree, libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsconfig,
        libc::SYS_fsmount, libc::SYS_fspick, libc::SYS_mount_setattr, libc::SYS_swapon, libc::SYS_swapoff,
        libc::SYS_quotactl, libc::SYS_acct, libc::SYS_reboot, libc::SYS_kexec_load, libc::SYS_init_module,
        libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_sethostname, libc::SYS_setdomainname,
        libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_vhangup,
    ]),
    row(Ends(Offence::Limits), IsAndGiven(0, n(libc::SIGSYS), 1), &[libc::SYS_rt_sigaction]),
    row(Ends(Offence::Limits), Given(2), &[libc::SYS_prlimit64]),

    // Files, and what else outlives a process. Nothing is removed; what cleans up at its start goes on.
    row(Ends(Offence::Files), Always, &[
        libc::SYS_mkdirat, libc::SYS_mknodat, libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_symlinkat,
        libc::SYS_fchmod, libc::SYS_fchmodat, SYS_FCHMODAT2, libc::SYS_fchown, libc::SYS_fchownat, libc::SYS_truncate,
        libc::SYS_utimensat, libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr, SYS_SETXATTRAT,
        libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr, SYS_REMOVEXATTRAT,
        libc::SYS_open_by_handle_at, libc::SYS_mq_open, libc::SYS_mq_unlink, libc::SYS_shmget, libc::SYS_shmat,
        libc::SYS_shmctl, libc::SYS_msgget, libc::SYS_msgsnd, libc::SYS_msgrcv, libc::SYS_msgctl, libc::SYS_semget,
        libc::SYS_semop, libc::SYS_semtimedop, libc::SYS_semctl,
    ]),
    #[cfg(target_arch = "x86_64")]
    row(Ends(Offence::Files), Always, &[
        libc::SYS_creat, libc::SYS_mkdir, libc::SYS_mknod, libc::SYS_rename, libc::SYS_link, libc::SYS_symlink,
        libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat,
    ]),
    row(Ends(Offence::Files), Has(2, WRITING), &[libc::SYS_openat]),
    #[cfg(target_arch = "x86_64")]
    row(Ends(Offence::Files), Has(1, WRITING), &[libc::SYS_open]),
    row(Fails(libc::EPERM), Is(1, IOCTL_FILES), &[libc::SYS_ioctl]),
    row(Fails(libc::ENOSYS), Always, &[libc::SYS_openat2]),
    row(Fails(libc::EROFS), Always, &[libc::SYS_unlinkat]),
    #[cfg(target_arch = "x86_64")]
    row(Fails(libc::EROFS), Always, &[libc::SYS_unlink, libc::SYS_rmdir]),

    // Ways around a filter of calls, and what belongs to the administrator. Libraries fall back.
    row(Fails(libc::ENOSYS), Always, &[
        libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_setup,
        libc::SYS_io_submit,
    ]),
    row(Fails(libc::EPERM), Always, &[
        libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_add_key, libc::SYS_request_key,
        libc::SYS_keyctl,
    ]),

    // The network. Sockets between threads of the plugin are its own affair. Nobody listens on trial: the C library
    // asks its name service by a socket when it looks up a user, and does without.
    row(Ends(Offence::Network), IsNot(0, n(libc::AF_UNIX)), &[libc::SYS_socket]),
    row(Ends(Offence::Network), Always, &[libc::SYS_bind]),
    row(Fails(libc::ECONNREFUSED), Always, &[libc::SYS_connect, libc::SYS_sendmsg, libc::SYS_sendmmsg]),
    row(Fails(libc::ECONNREFUSED), Given(4), &[libc::SYS_sendto]),

    // Memory, and the trial's own descriptors.
    row(Ends(Offence::Memory), BeyondMemory(1), &[libc::SYS_mmap]),
    row(Ends(Offence::Descriptors), Kept(0), &[libc::SYS_close]),
    row(Ends(Offence::Descriptors), Kept(0), &[libc::SYS_shutdown]),
    row(Ends(Offence::Descriptors), Kept(1), &[libc::SYS_dup3]),
    #[cfg(target_arch = "x86_64")]
    row(Ends(Offence::Descriptors), Kept(1), &[libc::SYS_dup2]),
    row(Ends(Offence::Descriptors), KeptWithin(0, 1), &[libc::SYS_close_range]),
];

const IOPRIO_WHO_PROCESS: u64 = 1;
