//! The interposers: this executable's own `pthread_create`, `pthread_key_create`, `pthread_key_delete` and
//! `__cxa_thread_atexit_impl`, which tell a plugin's threads, keys and thread-locals from everybody else's and then
//! do what the C library's do.
//!
//! They are linked into every executable that loads plugins, since [`active`] refers to them; the static linker
//! exports them because the C library defines the same names, so that plugins, loaded later, bind to them.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::keys::{self, KeyDestructor};
use super::slots::{SlotId, owner_of};

type Start = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type CreateThread =
    unsafe extern "C" fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Start, *mut c_void) -> c_int;
type CreateKey = unsafe extern "C" fn(*mut libc::pthread_key_t, Option<KeyDestructor>) -> c_int;
type DeleteKey = unsafe extern "C" fn(libc::pthread_key_t) -> c_int;
type AtThreadExit = unsafe extern "C" fn(KeyDestructor, *mut c_void, *mut c_void) -> c_int;

/// Whether plugins loaded by this process bind to the interposers.
pub(crate) fn active() -> bool {
    static ACTIVE: OnceLock<bool> = OnceLock::new();
    *ACTIVE.get_or_init(|| {
        let ours = [
            (c"pthread_create", pthread_create as *const () as usize),
            (c"pthread_key_create", pthread_key_create as *const () as usize),
            (c"pthread_key_delete", pthread_key_delete as *const () as usize),
            (
                c"__cxa_thread_atexit_impl",
                __cxa_thread_atexit_impl as *const () as usize,
            ),
        ];
        ours.iter().all(|(name, address)| {
            // SAFETY: a lookup by a C string; nothing is called.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            found as usize == *address
        })
    })
}

/// The C library's function of that name, found once.
fn next(cell: &AtomicUsize, name: &std::ffi::CStr) -> usize {
    let known = cell.load(SeqCst);
    if known != 0 {
        return known;
    }
    // SAFETY: a lookup by a C string; nothing is called.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) } as usize;
    if found == 0 {
        // Without the real function no thread could ever start; the C library always has it.
        std::process::abort();
    }
    cell.store(found, SeqCst);
    found
}

fn real_create_thread() -> CreateThread {
    static CELL: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the C library's function of this name has this type (pthread_create(3)).
    unsafe { std::mem::transmute::<usize, CreateThread>(next(&CELL, c"pthread_create")) }
}

fn real_create_key() -> CreateKey {
    static CELL: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the C library's function of this name has this type (pthread_key_create(3)).
    unsafe { std::mem::transmute::<usize, CreateKey>(next(&CELL, c"pthread_key_create")) }
}

fn real_delete_key() -> DeleteKey {
    static CELL: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the C library's function of this name has this type (pthread_key_delete(3)).
    unsafe { std::mem::transmute::<usize, DeleteKey>(next(&CELL, c"pthread_key_delete")) }
}

fn real_at_thread_exit() -> AtThreadExit {
    static CELL: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the C library's function of this name has this type (the Itanium C++ ABI's `__cxa_thread_atexit`).
    unsafe { std::mem::transmute::<usize, AtThreadExit>(next(&CELL, c"__cxa_thread_atexit_impl")) }
}

/// Deletes a key for good.
pub(crate) fn delete_key(number: libc::pthread_key_t) {
    let real = real_delete_key();
    // SAFETY: the number is of a key that a plugin made and that nobody deleted (`keys::delete_all` takes it once).
    unsafe { real(number) };
}

/// What a plugin's thread starts with.
struct Begin {
    start: Start,
    argument: *mut c_void,
    owner: SlotId,
}

/// The host's own key: its destructor marks the end of a plugin's thread.
fn end_key() -> Option<libc::pthread_key_t> {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        let real = real_create_key();
        // SAFETY: a valid place for the key and a destructor of this executable, which is never unmapped.
        (unsafe { real(&raw mut key, Some(thread_ends)) } == 0).then_some(key)
    })
}

/// Runs last of all destructors of a plugin's thread: the C library makes up to four rounds as long as values are
/// set again, so it sets its own again until the fourth.
unsafe extern "C" fn thread_ends(value: *mut c_void) {
    let (owner, round) = ((value as usize & 0xffff_ffff) as u32, value as usize >> 32);
    if round < 4
        && let Some(key) = end_key()
    {
        let again = (round + 1) << 32 | owner as usize;
        // SAFETY: the key is alive for ever; the value is a number, not a pointer.
        if unsafe { libc::pthread_setspecific(key, again as *const c_void) } == 0 {
            return;
        }
    }
    SlotId::from_number(owner).slot().threads.fetch_sub(1, SeqCst);
}

unsafe extern "C" fn begin(argument: *mut c_void) -> *mut c_void {
    // SAFETY: `pthread_create` below made this box for this thread alone.
    let begin = unsafe { Box::from_raw(argument.cast::<Begin>()) };
    let Begin {
        start,
        argument,
        owner,
    } = *begin;
    if let Some(key) = end_key() {
        // Round 1 of 4: see `thread_ends`. A number that is not 0, so that the destructor is called.
        let first = 1_usize << 32 | owner.number() as usize;
        // SAFETY: the key is alive for ever; the value is a number, not a pointer.
        unsafe { libc::pthread_setspecific(key, first as *const c_void) };
    }
    // SAFETY: what the plugin asked `pthread_create` to run; its slot's count keeps it mapped.
    unsafe { start(argument) }
}

/// Starts a thread; one whose code lies in a plugin is counted until it has ended.
///
/// # Safety
/// As pthread_create(3).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let real = real_create_thread();
    let Some(owner) = owner_of(start as *const c_void) else {
        // SAFETY: the caller's duty, passed on.
        return unsafe { real(thread, attributes, start, argument) };
    };
    if end_key().is_none() {
        return libc::EAGAIN;
    }
    owner.slot().threads.fetch_add(1, SeqCst);
    let boxed = Box::into_raw(Box::new(Begin {
        start,
        argument,
        owner,
    }));
    // SAFETY: the caller's duty, passed on, with a start routine that runs the caller's.
    let answer = unsafe { real(thread, attributes, begin, boxed.cast()) };
    if answer != 0 {
        owner.slot().threads.fetch_sub(1, SeqCst);
        // SAFETY: no thread was started, so the box is still ours.
        drop(unsafe { Box::from_raw(boxed) });
    }
    answer
}

/// Makes a key; one of a plugin's is remembered, so that it can be deleted before the plugin is unmapped.
///
/// # Safety
/// As pthread_key_create(3).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_key_create(
    key: *mut libc::pthread_key_t,
    destructor: Option<KeyDestructor>,
) -> c_int {
    let real = real_create_key();
    let asked_by = destructor.map_or(key.cast_const().cast(), |destructor| destructor as *const c_void);
    let Some(owner) = owner_of(asked_by) else {
        // SAFETY: the caller's duty, passed on.
        return unsafe { real(key, destructor) };
    };
    let Some(reserved) = keys::reserve(owner, destructor) else {
        return libc::EAGAIN;
    };
    let given = destructor.map(|_| reserved.stand_in());
    // SAFETY: the caller's duty, passed on, with a destructor that runs the caller's.
    let answer = unsafe { real(key, given) };
    if answer == 0 {
        // SAFETY: the C library has just written the key there.
        reserved.made(unsafe { key.read() });
    } else {
        reserved.failed();
    }
    answer
}

/// Deletes a key.
///
/// # Safety
/// As pthread_key_delete(3).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_key_delete(key: libc::pthread_key_t) -> c_int {
    keys::forget(key);
    // SAFETY: the caller's duty, passed on.
    unsafe { real_delete_key()(key) }
}

/// A destructor of a plugin's thread-local, until it runs.
struct Pending {
    destructor: KeyDestructor,
    object: *mut c_void,
    owner: SlotId,
}

/// Something in this executable: the C library counts the destructor on whoever owns this address.
static OURS: u8 = 0;

unsafe extern "C" fn run_pending(pending: *mut c_void) {
    // SAFETY: `__cxa_thread_atexit_impl` below made this box; the C library runs each destructor once.
    let pending = unsafe { Box::from_raw(pending.cast::<Pending>()) };
    // SAFETY: what the plugin registered; its slot's count keeps it mapped until after this.
    unsafe { (pending.destructor)(pending.object) };
    pending.owner.slot().thread_locals.fetch_sub(1, SeqCst);
}

/// Registers the destructor of a thread-local; one of a plugin's is counted on its slot instead of by the C
/// library, which would keep the plugin mapped until some later `dlclose`.
///
/// # Safety
/// As the Itanium C++ ABI says of `__cxa_thread_atexit`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __cxa_thread_atexit_impl(
    destructor: KeyDestructor,
    object: *mut c_void,
    library: *mut c_void,
) -> c_int {
    let real = real_at_thread_exit();
    let owner = owner_of(destructor as *const c_void).or_else(|| owner_of(library));
    let Some(owner) = owner else {
        // SAFETY: the caller's duty, passed on.
        return unsafe { real(destructor, object, library) };
    };
    owner.slot().thread_locals.fetch_add(1, SeqCst);
    let pending = Box::into_raw(Box::new(Pending {
        destructor,
        object,
        owner,
    }));
    // SAFETY: the caller's duty, passed on, with a destructor that runs the caller's.
    let answer = unsafe { real(run_pending, pending.cast(), (&raw const OURS).cast_mut().cast()) };
    if answer != 0 {
        owner.slot().thread_locals.fetch_sub(1, SeqCst);
        // SAFETY: nothing was registered, so the box is still ours.
        drop(unsafe { Box::from_raw(pending) });
    }
    answer
}
