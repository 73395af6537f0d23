//! Thread-specific keys that plugins create, and their destructors.
//!
//! Invariant: the C library never holds a pointer to a plugin's destructor. It holds one of [`KEYS`]'s own functions,
//! which runs the plugin's destructor only while the key is alive and counts itself while it does. So a thread that
//! ends while its plugin is being unmapped runs either the destructor in mapped memory, or nothing.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

use super::slots::SlotId;

/// glibc's `PTHREAD_KEYS_MAX`: there can be no more keys than this.
const KEYS_MAX: usize = 1024;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const ALIVE: u32 = 2;
const DEAD: u32 = 3;

pub(crate) type KeyDestructor = unsafe extern "C" fn(*mut c_void);

struct Key {
    state: AtomicU32,
    owner: AtomicU32,
    number: AtomicU32,
    destructor: AtomicUsize,
    running: AtomicU32,
}

impl Key {
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(FREE),
            owner: AtomicU32::new(0),
            number: AtomicU32::new(0),
            destructor: AtomicUsize::new(0),
            running: AtomicU32::new(0),
        }
    }
}

static KEYS: [Key; KEYS_MAX] = [const { Key::new() }; KEYS_MAX];
/// Where the next search for a free entry begins: the entry freed longest ago is taken first, so that a thread caught
/// between reading a deleted key's destructor and calling it cannot meet a new key in its place.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// An entry that waits for its key's number.
pub(crate) struct Reserved {
    at: usize,
}

/// Takes an entry for a key of `owner`; `None` when all are taken.
pub(crate) fn reserve(owner: SlotId, destructor: Option<KeyDestructor>) -> Option<Reserved> {
    let from = NEXT.load(SeqCst);
    let at = (0..KEYS_MAX).map(|step| (from + step) % KEYS_MAX).find(|at| {
        KEYS[*at]
            .state
            .compare_exchange(FREE, TAKEN, SeqCst, SeqCst)
            .is_ok()
    })?;
    NEXT.store(at + 1, SeqCst);
    let key = &KEYS[at];
    key.owner.store(owner.number(), SeqCst);
    key.destructor
        .store(destructor.map_or(0, |destructor| destructor as usize), SeqCst);
    Some(Reserved { at })
}

impl Reserved {
    /// What to give to the C library instead of the plugin's destructor.
    pub(crate) fn stand_in(&self) -> KeyDestructor {
        STAND_INS[self.at / 32][self.at % 32]
    }

    /// The key was made.
    pub(crate) fn made(self, number: libc::pthread_key_t) {
        KEYS[self.at].number.store(number, SeqCst);
        KEYS[self.at].state.store(ALIVE, SeqCst);
    }

    /// The key was not made.
    pub(crate) fn failed(self) {
        KEYS[self.at].state.store(FREE, SeqCst);
    }
}

/// The key was deleted by its plugin.
pub(crate) fn forget(number: libc::pthread_key_t) {
    if let Some(key) = KEYS.iter().find(|key| {
        key.number.load(SeqCst) == number && key.state.compare_exchange(ALIVE, DEAD, SeqCst, SeqCst).is_ok()
    }) && key.running.load(SeqCst) == 0
    {
        key.state.store(FREE, SeqCst);
    }
}

/// Marks the keys of `owner` dead and deletes them; says how many destructors are still running.
pub(crate) fn delete_all(owner: SlotId, mut delete: impl FnMut(libc::pthread_key_t)) -> u64 {
    let mut running = 0;
    for key in KEYS.iter().filter(|key| key.owner.load(SeqCst) == owner.number()) {
        if key.state.compare_exchange(ALIVE, DEAD, SeqCst, SeqCst).is_ok() {
            delete(key.number.load(SeqCst));
        }
        if key.state.load(SeqCst) == DEAD {
            if key.running.load(SeqCst) == 0 {
                key.state.store(FREE, SeqCst);
            } else {
                running += 1;
            }
        }
    }
    running
}

/// Keys of `owner` that are alive.
pub(crate) fn count(owner: SlotId) -> usize {
    let owned = |key: &&Key| key.owner.load(SeqCst) == owner.number() && key.state.load(SeqCst) == ALIVE;
    KEYS.iter().filter(owned).count()
}

unsafe extern "C" fn stand_in<const AT: usize>(value: *mut c_void) {
    let key = &KEYS[AT];
    key.running.fetch_add(1, SeqCst);
    if key.state.load(SeqCst) == ALIVE {
        let destructor = key.destructor.load(SeqCst);
        // SAFETY: `reserve` stored a `KeyDestructor` there; an entry with none is never given to the C library.
        let destructor = unsafe { std::mem::transmute::<usize, KeyDestructor>(destructor) };
        // SAFETY: the key is alive, and `running` keeps its plugin mapped: `delete_all` marks a key dead first and
        // reads `running` after, both sequentially consistent.
        unsafe { destructor(value) };
    }
    key.running.fetch_sub(1, SeqCst);
}

macro_rules! row {
    ($at:expr; $($step:literal)*) => { [$(stand_in::<{ $at * 32 + $step }> as KeyDestructor),*] };
}
macro_rules! rows {
    ($($at:literal)*) => {
        [$(row!($at; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)),*]
    };
}
/// One function for each entry: a destructor is told its value, but not its key.
static STAND_INS: [[KeyDestructor; 32]; 32] =
    rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
const _: () = assert!(32 * 32 == KEYS_MAX);
