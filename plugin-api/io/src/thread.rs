//! A thread that leaves nothing behind on the one that starts it.
//!
//! Invariant: starting and joining touch no thread-local. `std::thread::spawn` does: its hooks are in one with a
//! destructor, which would keep the plugin mapped for as long as the host's thread lives.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// A thread that has to be joined.
pub(crate) struct Thread(libc::pthread_t);

type Work = Box<dyn FnOnce() + Send>;

impl Thread {
    /// Starts a thread that runs `work`.
    pub(crate) fn start(work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let work: Box<Work> = Box::new(Box::new(work));
        let work = Box::into_raw(work);
        let mut thread = MaybeUninit::uninit();
        // SAFETY: `thread` is writable for one handle, the attributes are the standard ones, and `main` takes the
        // pointer that it is given here, made by `Box::into_raw`, back exactly once.
        let failed = unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), main, work.cast()) };
        if failed != 0 {
            // SAFETY: no thread was started, so the pointer of `Box::into_raw` is still ours alone.
            drop(unsafe { Box::from_raw(work) });
            return Err(io::Error::from_raw_os_error(failed));
        }
        // SAFETY: `pthread_create` answered 0, so it wrote the handle.
        Ok(Self(unsafe { thread.assume_init() }))
    }

    /// Waits for its end.
    pub(crate) fn join(self) {
        // SAFETY: the handle is of a thread that was started joinable, and `self` is given up: it is joined once.
        unsafe { libc::pthread_join(self.0, ptr::null_mut()) };
    }
}

extern "C" fn main(work: *mut c_void) -> *mut c_void {
    // SAFETY: `start` made the pointer from a `Box<Work>` and gave it to this thread alone.
    let work = unsafe { Box::from_raw(work.cast::<Work>()) };
    // A panic must not leave the thread's first function.
    let _ = catch_unwind(AssertUnwindSafe(work));
    ptr::null_mut()
}
