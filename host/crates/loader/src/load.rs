//! From an inspected artifact to a plugin that can be called.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_intake::Inspected;
use patchbay_vocab::Digest;
use plugin_api::abi::status;
use plugin_api::meta::PluginMeta;
use plugin_api::shim::host::{HostSink, PluginEntry};
use plugin_api::value::{ValueRef, decode};

use crate::LoadError;
use crate::description::{Description, MAX_METADATA};
use crate::raw::library::{LayoutCheck, Mapped};
use crate::raw::plugin::{LoadedPlugin, give_up};

/// Where private copies are made; empty at the start of each process.
#[derive(Debug)]
pub struct MapsDir {
    dir: PathBuf,
    next: AtomicU64,
}

impl MapsDir {
    /// Makes a folder of this process's own in `parent`, and removes what earlier processes left.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn create(parent: &Path) -> Result<Self, LoadError> {
        folder(parent).map_err(LoadError::Copy)?;
        remove_left_overs(parent);
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let opened = OPENED.fetch_add(1, Ordering::Relaxed);
        let dir = parent.join(format!("{}-{opened}", std::process::id()));
        folder(&dir).map_err(LoadError::Copy)?;
        Ok(Self {
            dir,
            next: AtomicU64::new(0),
        })
    }
}

/// A private copy of an artifact, at a path and an inode that no load has used.
#[derive(Debug)]
pub struct Placed {
    path: PathBuf,
}

impl Placed {
    /// Copies the artifact. The dynamic linker answers a known path or inode with the library it already has, so each
    /// load has a copy of its own.
    ///
    /// # Errors
    /// When the artifact is not what was inspected, or cannot be copied.
    pub fn copy(inspected: &Inspected, maps: &MapsDir) -> Result<Self, LoadError> {
        let bytes = fs::read(inspected.path()).map_err(LoadError::Copy)?;
        if Digest::of(&bytes) != inspected.digest() {
            return Err(LoadError::Changed);
        }
        let number = maps.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{}-{number}.so", inspected.plugin(), inspected.version());
        let path = maps.dir.join(name);
        // It was made at the start; a folder that nothing but copies were in may have been cleared away since.
        folder(&maps.dir).map_err(LoadError::Copy)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o500)
            .open(&path)
            .map_err(LoadError::Copy)?;
        if let Err(error) = file.write_all(&bytes) {
            drop(file);
            let _ = fs::remove_file(&path);
            return Err(LoadError::Copy(error));
        }
        Ok(Self { path })
    }
}

impl Drop for MapsDir {
    fn drop(&mut self) {
        // Copies of libraries that stay mapped go with it: the mapping holds the inode.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Makes a folder for its owner alone, unless it is there.
fn folder(dir: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Removes folders of processes that no longer run.
fn remove_left_overs(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        // A trial's folder has the number of the process that ordered it, behind a word.
        let process = name.to_str().and_then(|name| {
            let name = name.strip_prefix("probe-").unwrap_or(name);
            name.split('-').next()?.parse::<u32>().ok()
        });
        if process.is_some_and(|process| !is_running(process)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether there is such a process, and it has not ended: one that nobody has waited for yet is listed, and maps nothing.
fn is_running(process: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
        return false;
    };
    // The name, in parentheses, may hold anything.
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state, Some('Z' | 'X'))
}

/// Loads an inspected artifact and asks it what it is. Constructors run.
///
/// For service this has one caller, the lifecycle, which holds the verdict of a trial load; the trial load itself
/// is the other.
///
/// # Errors
/// When the artifact cannot be mapped, does not keep the contract, or says something untrue of itself.
pub fn load(inspected: &Inspected, maps: &MapsDir, check: LayoutCheck) -> Result<LoadedPlugin, LoadError> {
    load_placed(Placed::copy(inspected, maps)?, inspected, check)
}

/// As [`load`], with a copy that was made before: for the trial load, which forbids itself to write between the two.
///
/// # Errors
/// As [`load`].
pub fn load_placed(
    placed: Placed,
    inspected: &Inspected,
    check: LayoutCheck,
) -> Result<LoadedPlugin, LoadError> {
    let Placed { path } = placed;
    let mapped = match Mapped::open(&path) {
        Ok(mapped) => mapped,
        Err(error) => {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
    };
    match prepare(&mapped, inspected, check) {
        Ok((entry, description)) => LoadedPlugin::start(mapped, entry, description),
        Err(error) => {
            // Nothing but constructors and the description has run: it goes again, unless those left something.
            give_up(mapped);
            Err(error)
        }
    }
}

fn prepare(
    mapped: &Mapped,
    inspected: &Inspected,
    check: LayoutCheck,
) -> Result<(PluginEntry, Description), LoadError> {
    let spoken = inspected.host_contract();
    let table = mapped.table(inspected.entry_kind(), check);
    let table = table.map_err(|error| error.between(inspected.note(), spoken))?;
    let entry = crate::raw::read_entry(mapped, table).map_err(LoadError::Table)?;
    let entry = entry.speaking(spoken);
    let mut out = HostSink::with_limit(MAX_METADATA);
    let answer = crate::raw::describe(mapped, &entry, &mut out);
    let value = ValueRef::parse(out.written());
    let meta = match (answer, value) {
        (status::OK, Ok(value)) => decode::<PluginMeta>(value).map_err(|error| LoadError::Describe {
            reason: error.to_string(),
        })?,
        (status::OK, Err(error)) => {
            return Err(LoadError::Describe {
                reason: error.to_string(),
            });
        }
        (answer, value) => {
            let said = value.map(|value| format!(": {value}")).unwrap_or_default();
            return Err(LoadError::Describe {
                reason: format!("status {answer}{said}"),
            });
        }
    };
    let description = Description::check(meta, Digest::of(out.written()), &entry, inspected);
    Ok((entry, description.map_err(LoadError::Metadata)?))
}
