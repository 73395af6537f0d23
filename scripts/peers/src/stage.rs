//! Folders to measure in, and a Patchbay host over them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use patchbay::{Config, Patchbay, SameVersion};
use tempfile::TempDir;

use crate::native::{SHORTEST, STANDARD};

/// How long anything may take before it is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The name of the measured file, as hot-lib-reloader looks for it.
pub(crate) const FILE: &str = "libmeasured.so";

/// What both tables of figures are measured on: each subject's folder with the measured file in it, and a Patchbay host.
pub(crate) struct Stage {
    pub(crate) patchbay: Patchbay,
    /// The measured file.
    pub(crate) bytes: Vec<u8>,
    /// Last: the host works in it.
    folder: TempDir,
}

impl Stage {
    pub(crate) fn set() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let bytes = fs::read(built(FILE)?)?;
        for name in ["plugins", "standard", "shortest"] {
            fs::create_dir(folder.path().join(name))?;
            drop_in(&folder.path().join(name), &bytes)?;
        }
        STANDARD.set(&folder.path().join("standard"))?;
        SHORTEST.set(&folder.path().join("shortest"))?;
        Ok(Self {
            patchbay: host(folder.path())?,
            bytes,
            folder,
        })
    }

    /// The folder with the subjects' folders.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A file that was built beside this program.
pub(crate) fn built(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let file = program.parent().unwrap_or(Path::new("")).join(name);
    ensure!(
        file.exists(),
        "`{}` is not there: start with ./scripts/peers/run",
        file.display()
    );
    Ok(file)
}

/// A Patchbay host over `folder`, with its standard configuration but for what is set here.
pub(crate) fn host(folder: &Path) -> Result<Patchbay> {
    let mut config = Config::new(inbox(folder), folder.join("data"));
    // All variants carry one version number; without this they would be refused for that alone.
    config.same_version = SameVersion::Replace;
    // The file that never comes back from its constructor is to be given up sooner than after ten seconds.
    config.probe_deadline = Duration::from_secs(2);
    let host = Patchbay::open(config)?;
    match host.rejected().first() {
        Some(rejected) => anyhow::bail!("{}: {}", rejected.path, rejected.message),
        None => Ok(host),
    }
}

/// The plugin directory of such a host.
pub(crate) fn inbox(folder: &Path) -> PathBuf {
    folder.join("plugins")
}

/// Puts a file into a folder as a careful deployer does: written beside, then renamed.
pub(crate) fn drop_in(folder: &Path, bytes: &[u8]) -> Result<()> {
    let part = folder.join(format!(".{FILE}.part"));
    fs::write(&part, bytes)?;
    fs::rename(&part, folder.join(FILE)).context("cannot rename the file into the folder")
}
