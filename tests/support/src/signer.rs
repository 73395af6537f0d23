//! Somebody who signs plugins.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay::{Config, KeyFile, Pair, Protection, SigningKey, Team, TrustedKey, sign_file};
use tempfile::TempDir;

use crate::host::deploy;

/// Somebody with a key pair, and a folder to sign files in.
#[derive(Debug)]
pub struct Signer {
    name: String,
    key: SigningKey,
    public: TrustedKey,
    dir: TempDir,
}

impl Signer {
    /// Makes a pair for a team of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pair = Pair::generate(Protection::None).unwrap();
        let (secret, _) = pair.write(dir.path(), name).unwrap();
        Self {
            name: name.to_owned(),
            key: KeyFile::read(&secret).unwrap().open(None).unwrap(),
            public: pair.public().parse().unwrap(),
            dir,
        }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &TrustedKey {
        &self.public
    }

    /// The file with the secret half.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.dir.path().join(format!("{}.key", self.name))
    }

    /// The file with the public half.
    #[must_use]
    pub fn public_file(&self) -> PathBuf {
        self.dir.path().join(format!("{}.pub", self.name))
    }

    /// The team, as a configuration has it.
    #[must_use]
    pub fn team(&self, plugins: Option<&[&str]>) -> Team {
        Team {
            name: self.name.parse().unwrap(),
            keys: vec![self.public.clone()],
            plugins: plugins.map(|all| all.iter().map(|text| text.parse().unwrap()).collect()),
        }
    }

    /// The signature of a plugin file, in a file of its own.
    #[must_use]
    pub fn signature_of(&self, plugin: &Path) -> PathBuf {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let copy = self.dir.path().join(format!("{serial}.so"));
        std::fs::copy(plugin, &copy).unwrap();
        let signed = sign_file(&copy, &self.key, &Config::new("", "")).unwrap();
        signed.signature.into()
    }

    /// Puts the signature of `plugin` beside `target` by an atomic rename.
    pub fn sign_for(&self, plugin: &Path, target: &Path) {
        deploy(
            &self.signature_of(plugin),
            &target.with_added_extension("minisig"),
        );
    }
}
