//! One mapped library: opened from a private copy, closed for real.

use std::ffi::{CStr, CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use abi_stable::StableAbi;
use abi_stable::library::{AbiHeaderRef, LibHeader};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use parking_lot::Mutex;
use patchbay_intake::Entry;
use plugin_api::abi::{C_ENTRY, CEntry, PluginTable, RootModule_Ref};

use super::slots::Tracked;
use super::{interpose, keys};
use crate::{LoadError, layout};

/// One load at a time: constructors run meanwhile, and what they start is told apart by the one slot that is loading.
static LOADING: Mutex<()> = Mutex::new(());

/// Symbol under which `abi_stable` exports the root module.
pub(crate) const SDK_ENTRY: &[u8] = b"_1as_0lib_1header_0root_bmodule_bloader\0";

/// Whether the layouts of a plugin built with the SDK are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutCheck {
    /// Compared field by field; for the trial load.
    Full,
    /// A trial load of the same bytes by the same executable has compared them.
    Done,
}

/// A mapped library.
pub(crate) struct Mapped {
    library: Library,
    tracked: Tracked,
    path: PathBuf,
    bytes: usize,
}

impl std::fmt::Debug for Mapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mapped")
            .field("path", &self.path)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// How a close went.
#[derive(Debug)]
pub(crate) enum Closed {
    /// The addresses are free.
    Unmapped,
    /// The system keeps it mapped.
    StillMapped,
}

impl Mapped {
    /// Maps the file at `path`, which must be private to this process and used for this load alone. Constructors run.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| LoadError::BadPath)?;
        let guard = LOADING.lock();
        let tracked = Tracked::begin(name.clone()).ok_or(LoadError::TooManyLibraries)?;
        // SAFETY: running the constructors of vetted code is what loading a plugin means; the file is private and
        // complete, so that mapping it cannot fault. Symbols stay local to it.
        let opened = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        let library = match opened {
            Ok(library) => library,
            Err(error) => {
                tracked.end();
                drop(guard);
                return Err(LoadError::Open {
                    reason: reason(&error),
                });
            }
        };
        let (start, end) = range_of(&name).unwrap_or((0, 0));
        tracked.mapped(start, end);
        drop(guard);
        Ok(Self {
            library,
            tracked,
            path: path.to_owned(),
            bytes: end - start,
        })
    }

    /// Finds the plugin's table.
    pub(crate) fn table(&self, entry: Entry, check: LayoutCheck) -> Result<*const PluginTable, LoadError> {
        match entry {
            Entry::Sdk => self.sdk_table(check),
            Entry::C => self.c_table(),
        }
    }

    fn sdk_table(&self, check: LayoutCheck) -> Result<*const PluginTable, LoadError> {
        // SAFETY: the symbol, a static `LibHeader`, begins with an `AbiHeader`; its address is read as a reference
        // to that, whose magic bytes `upgrade` checks before it looks further.
        let header = unsafe { self.library.get::<AbiHeaderRef>(SDK_ENTRY) };
        let header = *header.map_err(|error| LoadError::NoEntry {
            reason: reason(&error),
        })?;
        let header: &LibHeader = header.upgrade().map_err(|error| LoadError::SdkMismatch {
            reason: error.to_string(),
        })?;
        if check == LayoutCheck::Full {
            let layout = header.layout().ok_or_else(|| LoadError::SdkMismatch {
                reason: "the plugin carries no description of its layout".into(),
            })?;
            layout::compare(<RootModule_Ref as StableAbi>::LAYOUT, layout).map_err(|reason| {
                LoadError::SdkMismatch {
                    reason: first_lines(&reason),
                }
            })?;
        }
        // SAFETY: the layouts were compared just now, or by the trial load of the same bytes (`LayoutCheck::Done`).
        let root = unsafe { header.init_root_module_with_unchecked_layout::<RootModule_Ref>() };
        let root = root.map_err(|error| LoadError::SdkMismatch {
            reason: first_lines(&error.to_string()),
        })?;
        Ok(root.plugin())
    }

    fn c_table(&self) -> Result<*const PluginTable, LoadError> {
        // SAFETY: the contract gives the symbol of this name this type.
        let entry = unsafe { self.library.get::<CEntry>(C_ENTRY.as_bytes()) };
        let entry = entry.map_err(|error| LoadError::NoEntry {
            reason: reason(&error),
        })?;
        // SAFETY: the contract: callable once the library is loaded.
        Ok(unsafe { entry() })
    }

    /// Bytes of address space the library takes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Threads the library started that have not ended.
    pub(crate) fn threads(&self) -> u64 {
        self.tracked
            .slot()
            .threads
            .load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Destructors of thread-locals that have not run.
    pub(crate) fn thread_locals(&self) -> u64 {
        self.tracked
            .slot()
            .thread_locals
            .load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Thread-specific keys that are alive.
    pub(crate) fn keys(&self) -> usize {
        keys::count(self.tracked.id())
    }

    /// Deletes the library's thread-specific keys; says how many of their destructors are running right now.
    pub(crate) fn delete_keys(&self) -> u64 {
        keys::delete_all(self.tracked.id(), interpose::delete_key)
    }

    /// Unmaps the library and removes its file.
    ///
    /// # Safety
    /// 1. No thread runs code of the library or will: no call, thread, pending destructor or key of it is left.
    /// 2. Nothing that points into it is used afterwards.
    pub(crate) unsafe fn close(self) -> Closed {
        let Self {
            library,
            tracked,
            path,
            ..
        } = self;
        // Closing is where the C library unmaps; its own errors leave the library mapped, which is looked at below.
        if let Err(error) = library.close() {
            tracing::warn!(path = %path.display(), error = %error, "the system refused to close a library");
        }
        let answer = if still_mapped(&path) {
            Closed::StillMapped
        } else {
            Closed::Unmapped
        };
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::debug!(path = %path.display(), error = %error, "a private copy was already gone");
        }
        match answer {
            Closed::Unmapped => tracked.end(),
            // Its code may still run: the slot is never given back, so its threads are told apart for ever.
            Closed::StillMapped => {}
        }
        answer
    }

    /// Gives up closing: the library stays mapped until the process ends.
    pub(crate) fn abandon(self) {
        // The slot has no destructor: it stays taken.
        std::mem::forget(self.library);
    }
}

/// Whether the dynamic linker still knows a library under this path.
fn still_mapped(path: &Path) -> bool {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: `RTLD_NOLOAD` loads nothing; it only answers for what is already there.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
    if handle.is_null() {
        return false;
    }
    // SAFETY: the handle is the reference that the line above took.
    unsafe { libc::dlclose(handle) };
    true
}

/// Whether this process can unmap plugins safely.
pub(crate) fn can_unmap() -> bool {
    interpose::active()
}

struct Search<'n> {
    name: &'n CStr,
    found: Option<(usize, usize)>,
}

/// The addresses between the library's first and last segment.
fn range_of(name: &CStr) -> Option<(usize, usize)> {
    let mut search = Search { name, found: None };
    // SAFETY: the callback is called during this call alone, with the pointer given here.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.found
}

unsafe extern "C" fn visit(object: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
    // SAFETY: `range_of` passes its own `Search`.
    let search = unsafe { &mut *search.cast::<Search<'_>>() };
    // SAFETY: the dynamic linker gives a valid object for the time of the callback.
    let object = unsafe { &*object };
    if object.dlpi_name.is_null() {
        return 0;
    }
    // SAFETY: a C string of the linker's.
    if unsafe { CStr::from_ptr(object.dlpi_name) } != search.name {
        return 0;
    }
    // SAFETY: the linker's program headers of the object, `dlpi_phnum` of them.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    let loads = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let base = object.dlpi_addr as usize;
    let bounds = loads.map(|header| {
        (
            header.p_vaddr as usize,
            (header.p_vaddr + header.p_memsz) as usize,
        )
    });
    search.found = bounds
        .reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
        .map(|(low, high)| (base + low, base + high));
    1
}

fn reason(error: &libloading::Error) -> String {
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        text = source.to_string();
    }
    first_lines(&text)
}

/// The first lines of a text that may be long, without control characters.
fn first_lines(text: &str) -> String {
    let kept = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(12)
        .collect::<Vec<_>>()
        .join("; ");
    kept.chars().filter(|c| !c.is_control()).take(1500).collect()
}
