//! Native code by other hands: hot-lib-reloader's generated calls, and libloading's symbols.
//!
//! Invariant: the signatures here are those of `measured/src/exported.rs`. The compiler does not check it, and neither
//! does anybody at run time: that is what the file `a changed signature` shows.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use libloading::Library;

/// hot-lib-reloader as its manual sets it up, watching with its standard debounce of 500 ms.
#[hot_lib_reloader::hot_module(dylib = "measured", lib_dir = super::STANDARD.folder())]
pub(crate) mod standard {
    #[hot_functions]
    extern "Rust" {
        pub fn peer_noop();
        pub fn peer_echo(input: &[u8], out: &mut Vec<u8>);
        pub fn peer_generation() -> u64;
        pub fn peer_scale(value: u64) -> u64;
    }
}

/// The same with the shortest debounce that its macro can be given. Right for files that are renamed; one that is
/// written in place would be taken half written.
#[hot_lib_reloader::hot_module(dylib = "measured", lib_dir = super::SHORTEST.folder(), file_watch_debounce = 1)]
pub(crate) mod shortest {
    #[hot_functions]
    extern "Rust" {
        pub fn peer_generation() -> u64;
    }
}

/// Where a module finds its library. The macro knows it at its first call, once for the process.
pub(crate) struct Place(OnceLock<PathBuf>);

pub(crate) static STANDARD: Place = Place(OnceLock::new());
pub(crate) static SHORTEST: Place = Place(OnceLock::new());

impl Place {
    /// Says where; before the module's first call.
    pub(crate) fn set(&self, folder: &Path) -> Result<()> {
        self.0
            .set(folder.to_owned())
            .ok()
            .context("hot-lib-reloader watches one folder in a process")
    }

    fn folder(&self) -> PathBuf {
        self.0.get().cloned().unwrap_or_default()
    }
}

/// A library whose symbols were looked up once.
pub(crate) struct Opened {
    pub(crate) noop: fn(),
    pub(crate) echo: fn(&[u8], &mut Vec<u8>),
    /// Last, and kept: the functions are in it.
    _library: Library,
}

impl Opened {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        // SAFETY: the file is the one that was built beside this program; its constructor does nothing.
        let library = unsafe { Library::new(file) }?;
        // SAFETY: `peer_noop` has this type in `measured/src/exported.rs`, built by the same compiler.
        let noop = *unsafe { library.get::<fn()>(b"peer_noop\0") }?;
        // SAFETY: the same for `peer_echo`.
        let echo = *unsafe { library.get::<fn(&[u8], &mut Vec<u8>)>(b"peer_echo\0") }?;
        Ok(Self {
            noop,
            echo,
            _library: library,
        })
    }
}
