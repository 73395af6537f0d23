//! Who owns which address: one slot for each library that is being loaded or is loaded.
//!
//! Invariant: a slot's counters only ever go to zero by the thing they count having ended. Nothing here allocates,
//! locks or unwinds, since the interposers call it from inside thread start and thread exit of any code.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst};

/// Libraries that can be loaded at the same time.
pub(crate) const MAX_LIBRARIES: usize = 4096;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const LOADING: u32 = 2;
const MAPPED: u32 = 3;

/// What is known of one library.
pub(crate) struct Slot {
    state: AtomicU32,
    start: AtomicUsize,
    end: AtomicUsize,
    path: AtomicPtr<c_char>,
    /// Threads it started that have not ended.
    pub(crate) threads: AtomicU64,
    /// Destructors of thread-locals that have not run.
    pub(crate) thread_locals: AtomicU64,
}

impl Slot {
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(FREE),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            path: AtomicPtr::new(ptr::null_mut()),
            threads: AtomicU64::new(0),
            thread_locals: AtomicU64::new(0),
        }
    }
}

static SLOTS: [Slot; MAX_LIBRARIES] = [const { Slot::new() }; MAX_LIBRARIES];
/// Slots from here on were never used; keeps the search short.
static USED: AtomicUsize = AtomicUsize::new(0);
/// Slots in the state `LOADING`; the slow way of [`owner_of`] is taken only while there is one.
static LOADS: AtomicUsize = AtomicUsize::new(0);

/// A slot's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotId(u32);

impl SlotId {
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    pub(crate) fn slot(self) -> &'static Slot {
        &SLOTS[self.0 as usize % MAX_LIBRARIES]
    }
}

/// A slot that is held by a library from before `dlopen` until after `dlclose`.
#[derive(Debug)]
pub(crate) struct Tracked {
    id: SlotId,
}

impl Tracked {
    /// Takes a slot for the library that is about to be loaded from `path`; `None` when all are taken.
    pub(crate) fn begin(path: CString) -> Option<Self> {
        let free = |slot: &Slot| slot.state.compare_exchange(FREE, TAKEN, SeqCst, SeqCst).is_ok();
        let at = SLOTS.iter().position(free)?;
        USED.fetch_max(at + 1, SeqCst);
        let slot = &SLOTS[at];
        slot.start.store(0, SeqCst);
        slot.end.store(0, SeqCst);
        slot.path.store(path.into_raw(), SeqCst);
        LOADS.fetch_add(1, SeqCst);
        slot.state.store(LOADING, SeqCst);
        Some(Self {
            id: SlotId(u32::try_from(at).ok()?),
        })
    }

    /// The library is mapped at `start..end`.
    pub(crate) fn mapped(&self, start: usize, end: usize) {
        let slot = self.id.slot();
        slot.start.store(start, SeqCst);
        slot.end.store(end, SeqCst);
        if slot.state.swap(MAPPED, SeqCst) == LOADING {
            LOADS.fetch_sub(1, SeqCst);
        }
    }

    pub(crate) const fn id(&self) -> SlotId {
        self.id
    }

    pub(crate) fn slot(&self) -> &'static Slot {
        self.id.slot()
    }

    /// Gives the slot back, after the library is gone.
    pub(crate) fn end(self) {
        let slot = self.id.slot();
        slot.start.store(0, SeqCst);
        slot.end.store(0, SeqCst);
        let path = slot.path.swap(ptr::null_mut(), SeqCst);
        if slot.state.swap(TAKEN, SeqCst) == LOADING {
            LOADS.fetch_sub(1, SeqCst);
        }
        slot.state.store(FREE, SeqCst);
        if !path.is_null() {
            // SAFETY: `begin` made it by `into_raw`; the swap took it out, so it is freed once. `owner_of` reads a
            // path only while a load is under way on the path's own slot, which has ended.
            drop(unsafe { CString::from_raw(path) });
        }
    }
}

/// The library whose code or data lies at `address`.
pub(crate) fn owner_of(address: *const c_void) -> Option<SlotId> {
    if address.is_null() {
        return None;
    }
    let at = address as usize;
    let used = USED.load(SeqCst).min(MAX_LIBRARIES);
    let inside = |slot: &Slot| {
        let start = slot.start.load(SeqCst);
        start != 0 && at >= start && at < slot.end.load(SeqCst)
    };
    if let Some(number) = SLOTS[..used].iter().position(inside) {
        return u32::try_from(number).ok().map(SlotId);
    }
    if LOADS.load(SeqCst) == 0 {
        None
    } else {
        owner_while_loading(address)
    }
}

/// A constructor of a library runs before its addresses are known here: ask the dynamic linker.
#[cold]
fn owner_while_loading(address: *const c_void) -> Option<SlotId> {
    let mut found = libc::Dl_info {
        dli_fname: ptr::null(),
        dli_fbase: ptr::null_mut(),
        dli_sname: ptr::null(),
        dli_saddr: ptr::null_mut(),
    };
    // SAFETY: `dladdr` reads the linker's own tables and writes the struct.
    if unsafe { libc::dladdr(address, &raw mut found) } == 0 || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: `dladdr` gave a C string of a library that is mapped, since the caller runs code or has data in it.
    let name = unsafe { CStr::from_ptr(found.dli_fname) };
    let used = USED.load(SeqCst).min(MAX_LIBRARIES);
    let same = |slot: &Slot| {
        let path = slot.path.load(SeqCst);
        // SAFETY: a slot that is loading keeps its path; its load cannot end while a constructor of it, our caller,
        // is running, and another slot's path is only freed by `end`, which first leaves the state.
        slot.state.load(SeqCst) == LOADING && !path.is_null() && unsafe { CStr::from_ptr(path) } == name
    };
    SLOTS[..used]
        .iter()
        .position(same)
        .and_then(|number| u32::try_from(number).ok())
        .map(SlotId)
}

/// Slots in use, for tests and for listings.
pub(crate) fn in_use() -> usize {
    let used = USED.load(SeqCst).min(MAX_LIBRARIES);
    SLOTS[..used]
        .iter()
        .filter(|slot| slot.state.load(SeqCst) != FREE)
        .count()
}
