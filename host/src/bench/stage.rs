//! A host to measure on, over temporary directories, with real plugins.

use std::fs;
use std::path::{Path, PathBuf};

use patchbay::{Config, Patchbay, SameVersion};
use tempfile::TempDir;

use super::BenchError;

/// The plugins to measure with.
pub(crate) struct Stage {
    folder: PathBuf,
}

/// A host with its directories.
pub(crate) struct Host {
    pub(crate) patchbay: Patchbay,
    pub(crate) plugins: PathBuf,
    _dirs: TempDir,
}

impl Stage {
    /// Finds the sample plugins: in the folder given, else beside the binary.
    pub(crate) fn set(folder: Option<&Path>) -> Result<Self, BenchError> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => std::env::current_exe()
                .ok()
                .and_then(|path| path.parent().map(Path::to_owned))
                .ok_or_else(|| BenchError::new("cannot find the binary's own folder"))?,
        };
        let stage = Self { folder };
        stage.bytes("test")?;
        Ok(stage)
    }

    pub(crate) fn path(&self, plugin: &str) -> PathBuf {
        self.folder.join(format!(
            "{}patchbay_{plugin}{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        ))
    }

    pub(crate) fn bytes(&self, plugin: &str) -> Result<Vec<u8>, BenchError> {
        let path = self.path(plugin);
        fs::read(&path).map_err(|error| BenchError::new(format!("cannot read `{}`: {error}", path.display())))
    }

    /// A folder that is on a disk: beside the plugins. A temporary folder elsewhere may be in memory.
    pub(crate) fn disk(&self) -> Result<TempDir, BenchError> {
        tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&self.folder)
            .map_err(BenchError::new)
    }

    /// A host that keeps `history_limit` versions warm, with the plugins given.
    pub(crate) fn host(&self, plugins: &[&str], history_limit: usize) -> Result<Host, BenchError> {
        self.host_with(plugins, |config| config.history_limit = history_limit)
    }

    /// A host with the plugins given, and other settings.
    pub(crate) fn host_with(
        &self,
        plugins: &[&str],
        change: impl FnOnce(&mut Config),
    ) -> Result<Host, BenchError> {
        let bytes = plugins
            .iter()
            .map(|plugin| Ok((format!("{plugin}.so"), self.bytes(plugin)?)));
        Self::host_of(&bytes.collect::<Result<Vec<_>, _>>()?, change)
    }

    /// A host with these files, and other settings.
    pub(crate) fn host_of(
        files: &[(String, Vec<u8>)],
        change: impl FnOnce(&mut Config),
    ) -> Result<Host, BenchError> {
        let dirs = tempfile::tempdir().map_err(BenchError::new)?;
        let inbox = dirs.path().join("plugins");
        fs::create_dir(&inbox).map_err(BenchError::new)?;
        for (name, bytes) in files {
            drop_in(&inbox, name, bytes)?;
        }
        let mut config = Config::new(&inbox, dirs.path().join("data"));
        // The same version with other bytes at its end is how the bench gets many revisions from one file.
        config.same_version = SameVersion::Replace;
        config.stable_for = std::time::Duration::from_millis(20);
        change(&mut config);
        let patchbay = Patchbay::open(config).map_err(BenchError::new)?;
        match patchbay.rejected().first() {
            Some(rejected) => Err(BenchError::new(format!(
                "{}: {}",
                rejected.path, rejected.message
            ))),
            None => Ok(Host {
                patchbay,
                plugins: inbox,
                _dirs: dirs,
            }),
        }
    }
}

/// Puts a file into the directory as a careful deployer does: written beside, then renamed.
pub(crate) fn drop_in(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), BenchError> {
    let part = folder.join(format!(".{name}.part"));
    fs::write(&part, bytes).map_err(BenchError::new)?;
    fs::rename(&part, folder.join(name)).map_err(BenchError::new)
}

/// The same plugin as other content: bytes after the end of an ELF file mean nothing.
pub(crate) fn variant(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}
