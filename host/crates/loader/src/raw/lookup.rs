//! A symbol looked up by name, as hosts without tables do on every call; the baseline of `patchbay bench dispatch`.

use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::library::SDK_ENTRY;

/// A library that is open for look-ups alone. It stays mapped: nothing here watches over its threads.
#[derive(Debug)]
pub struct SymbolLookup {
    library: &'static Library,
}

impl SymbolLookup {
    /// Opens a vetted plugin; `None` when the system cannot.
    #[must_use]
    pub fn open(file: &Path) -> Option<Self> {
        // SAFETY: running the constructors of a plugin that this host has vetted.
        let library = unsafe { Library::open(Some(file), RTLD_NOW | RTLD_LOCAL) }.ok()?;
        Some(Self {
            library: Box::leak(Box::new(library)),
        })
    }

    /// The address of the entry symbol, looked up now.
    #[must_use]
    pub fn look_up(&self) -> Option<usize> {
        // SAFETY: the symbol is a static; its address is taken and nothing behind it is read.
        let symbol = unsafe { self.library.get::<*const u8>(SDK_ENTRY) }.ok()?;
        Some(*symbol as usize)
    }
}
