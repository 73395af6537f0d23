//! What happens when code in a trial asks the system for something that its filter refuses.
//!
//! Invariant: the handler only reads the number of the refused call and ends the process; it allocates nothing, takes
//! no lock and returns to nobody.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

/// Gives the exit status for the number of a refused system call.
static STATUS_OF: OnceLock<fn(i64) -> i32> = OnceLock::new();

/// The head of `siginfo_t` for `SIGSYS`, as the kernel lays it out on 64-bit machines.
#[repr(C)]
struct Refused {
    head: [c_int; 4],
    at: *mut c_void,
    syscall: c_int,
    arch: u32,
}

const _: () = assert!(std::mem::offset_of!(Refused, syscall) == 24);

/// Ends this process with `status_of` the call, as soon as a system call is refused with `SIGSYS`. For the child of a
/// trial load, before any plugin code runs in it. Faults end it at once from then on: the standard library's handlers are
/// taken away, so that a handler that is there afterwards is the plugin's.
///
/// # Errors
/// When the system does not take the handler.
pub fn exit_on_refused_calls(status_of: fn(i64) -> i32) -> std::io::Result<()> {
    let _ = STATUS_OF.set(status_of);
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the default needs no code of this process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: all zeroes are a valid `sigaction`: no flags, an empty mask, the default handler.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = answer as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: `action` is complete, and `answer` has the signature that `SA_SIGINFO` asks for.
    match unsafe { libc::sigaction(libc::SIGSYS, &raw const action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

extern "C" fn answer(_signal: c_int, refused: *const Refused, _context: *mut c_void) {
    // SAFETY: the kernel passes a whole `siginfo_t`, of which `Refused` is the beginning for this signal.
    let call = unsafe { (*refused).syscall };
    let status = STATUS_OF.get().map_or(1, |status_of| status_of(i64::from(call)));
    // SAFETY: ends the process without running anything of it, as a signal handler may.
    unsafe { libc::_exit(status) }
}
