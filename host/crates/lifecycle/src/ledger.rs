//! What a data directory remembers of trust: the strictest policy it was served with, and the highest version of each
//! plugin that went live.
//!
//! Invariant: what is remembered only ever tightens, except by [`Ledger::relax`], which somebody orders and gives a
//! reason for. A change is on disk before anybody acts on it: a new file, synced, renamed over the old one, its folder
//! synced. The file carries its own hash, and a file that does not fit it is refused, never taken for an empty one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use patchbay_intake::signature::{Signatures, TrustPolicy};
use patchbay_vocab::{Code, Digest, Explain, KeyId, PluginName, UnixMillis, Version};
use serde::{Deserialize, Serialize};

/// Its name in the data directory.
const NAME: &str = "trust.json";
/// The version of its form.
const FORM: u32 = 1;
/// Relaxations that are remembered; the oldest go first.
const MAX_RELAXED: usize = 100;

/// What is remembered of trust.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    required: bool,
    kept: Mutex<Kept>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    form: u32,
    #[serde(default)]
    require_signature: bool,
    #[serde(default)]
    revoked: BTreeSet<KeyId>,
    #[serde(default)]
    minimum_versions: BTreeMap<PluginName, Version>,
    #[serde(default)]
    live: BTreeMap<PluginName, Mark>,
    #[serde(default)]
    relaxed: Vec<Relaxed>,
}

/// How far a plugin has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// The highest version that was live.
    highest: Version,
    /// A lower one that an admin has put in its place: this very content may go live by itself.
    chosen: Option<Digest>,
}

/// A relaxation, as it is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relaxed {
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What is demanded no more, in words.
    pub what: Vec<String>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            form: FORM,
            require_signature: false,
            revoked: BTreeSet::new(),
            minimum_versions: BTreeMap::new(),
            live: BTreeMap::new(),
            relaxed: Vec::new(),
        }
    }
}

/// Why a host may not serve as it is told to, or a version not go live by itself.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each field is what the message names")]
pub enum LedgerError {
    /// It was served more strictly before.
    #[error("the data directory was served more strictly before: {}", what.join(", "))]
    Looser { what: Vec<String>, data: PathBuf },
    /// It cannot be read or written.
    #[error("what is remembered of trust, `{}`, cannot be read or written", path.display())]
    Unusable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// It is not what was written.
    #[error("what is remembered of trust, `{}`, is damaged: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    /// A newer host wrote it.
    #[error("what is remembered of trust, `{}`, is of form {form}, and this host knows {FORM}", path.display())]
    Newer { path: PathBuf, form: u32 },
    /// An older version must not come back by itself.
    #[error("version {version} of `{plugin}` is older than {highest}, which was live before")]
    HeldBack {
        plugin: PluginName,
        version: Version,
        highest: Version,
    },
}

impl Explain for LedgerError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Looser { .. } => "PB-SIGN-020",
            Self::Unusable { .. } => "PB-SIGN-021",
            Self::Damaged { .. } => "PB-SIGN-022",
            Self::HeldBack { .. } => "PB-SIGN-023",
            Self::Newer { .. } => "PB-SIGN-024",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Looser { data, .. } => format!(
                "restore the setting under [trust], or give it up with `patchbay trust relax --data {} --reason TEXT`",
                data.display()
            ),
            Self::Unusable { .. } => "check the disk and the rights of the data directory".into(),
            Self::Damaged { .. } => {
                "restore the file from a backup; without one, remove it and know that old versions may go live again".into()
            }
            Self::Newer { .. } => "serve this data directory with the newer host that wrote it".into(),
            Self::HeldBack { plugin, version, .. } => {
                format!("if it is wanted all the same: `patchbay promote {plugin} {version}`")
            }
        }
    }
}

impl Ledger {
    /// Opens what a data directory remembers, and adds what `policy` demands. For the process that holds the directory.
    ///
    /// # Errors
    /// When the policy is looser than what is remembered, or the file is damaged or cannot be used.
    pub fn open(data: &Path, policy: &TrustPolicy) -> Result<Self, LedgerError> {
        let path = data.join(NAME);
        let old = read(&path)?;
        let what = looser(&old, policy);
        if !what.is_empty() {
            let data = data.to_owned();
            return Err(LedgerError::Looser { what, data });
        }
        let new = Kept {
            require_signature: policy.signatures == Signatures::Required,
            revoked: policy.revoked.clone(),
            minimum_versions: policy.minimum_versions.clone(),
            ..old.clone()
        };
        if new != old {
            write(&path, &new)?;
        }
        Ok(Self {
            path,
            required: new.require_signature,
            kept: Mutex::new(new),
        })
    }

    /// Forgets the policy that is remembered, so that a looser one may serve the data directory; the versions that were
    /// live stay remembered. For the process that holds the directory.
    ///
    /// # Errors
    /// When the file is damaged or cannot be used.
    pub fn relax(data: &Path, by: &str, reason: &str, at: UnixMillis) -> Result<Relaxed, LedgerError> {
        let path = data.join(NAME);
        let mut kept = read(&path)?;
        let relaxed = Relaxed {
            at,
            by: by.to_owned(),
            reason: reason.to_owned(),
            what: looser(&kept, &TrustPolicy::default()),
        };
        kept.require_signature = false;
        kept.revoked.clear();
        kept.minimum_versions.clear();
        kept.relaxed.push(relaxed.clone());
        let surplus = kept.relaxed.len().saturating_sub(MAX_RELAXED);
        kept.relaxed.drain(..surplus);
        write(&path, &kept)?;
        Ok(relaxed)
    }

    /// Whether older versions are held back at all: where signatures are required.
    pub(crate) const fn guards(&self) -> bool {
        self.required
    }

    /// Why a version may not go live by itself.
    pub(crate) fn held_back(
        &self,
        plugin: &PluginName,
        version: &Version,
        digest: Digest,
    ) -> Option<LedgerError> {
        let kept = self.kept.lock();
        let mark = kept.live.get(plugin).filter(|_| self.required)?;
        let older = version.cmp_precedence(&mark.highest).is_lt() && mark.chosen != Some(digest);
        older.then(|| LedgerError::HeldBack {
            plugin: plugin.clone(),
            version: version.clone(),
            highest: mark.highest.clone(),
        })
    }

    /// Remembers, before it happens, that a version goes live.
    pub(crate) fn raise(&self, plugin: &PluginName, version: &Version) -> Result<(), LedgerError> {
        self.change(|kept| {
            let mark = kept.live.entry(plugin.clone()).or_insert_with(|| Mark {
                highest: version.clone(),
                chosen: None,
            });
            if version.cmp_precedence(&mark.highest).is_gt() {
                mark.highest = version.clone();
            }
        })
    }

    /// Remembers, after it happened, that this content is what is wanted.
    pub(crate) fn choose(
        &self,
        plugin: &PluginName,
        version: &Version,
        digest: Digest,
    ) -> Result<(), LedgerError> {
        self.change(|kept| {
            if let Some(mark) = kept.live.get_mut(plugin) {
                mark.chosen = version.cmp_precedence(&mark.highest).is_lt().then_some(digest);
            }
        })
    }

    fn change(&self, change: impl FnOnce(&mut Kept)) -> Result<(), LedgerError> {
        if !self.required {
            return Ok(());
        }
        let mut kept = self.kept.lock();
        let mut next = kept.clone();
        change(&mut next);
        if next != *kept {
            write(&self.path, &next)?;
            *kept = next;
        }
        Ok(())
    }
}

/// What is remembered and `policy` does not demand, in words.
fn looser(kept: &Kept, policy: &TrustPolicy) -> Vec<String> {
    let mut what = Vec::new();
    if kept.require_signature && policy.signatures == Signatures::Optional {
        what.push("signatures were required".to_owned());
    }
    let revoked = kept.revoked.difference(&policy.revoked);
    what.extend(revoked.map(|key| format!("key {key} was revoked")));
    for (plugin, minimum) in &kept.minimum_versions {
        let now = policy.minimum_versions.get(plugin);
        if now.is_none_or(|now| now.cmp_precedence(minimum).is_lt()) {
            what.push(format!("the minimum version of `{plugin}` was {minimum}"));
        }
    }
    what
}

fn read(path: &Path) -> Result<Kept, LedgerError> {
    let damaged = |why: &dyn std::fmt::Display| LedgerError::Damaged {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
        Err(cause) => {
            let path = path.to_owned();
            return Err(LedgerError::Unusable { path, cause });
        }
    };
    let text = String::from_utf8(bytes).map_err(|error| damaged(&error))?;
    let hashed = text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n'));
    let (body, hash) = hashed.ok_or_else(|| damaged(&"it is cut off"))?;
    if hash != Digest::of(body.as_bytes()).to_string() {
        return Err(damaged(&"its last line is not the hash of the others"));
    }
    // The form first: another one may have fields that this host does not know.
    let Form { form } = serde_json::from_str(body).map_err(|error| damaged(&error))?;
    if form > FORM {
        let path = path.to_owned();
        return Err(LedgerError::Newer { path, form });
    }
    serde_json::from_str(body).map_err(|error| damaged(&error))
}

/// What every form has.
#[derive(Deserialize)]
struct Form {
    form: u32,
}

fn write(path: &Path, kept: &Kept) -> Result<(), LedgerError> {
    let unusable = |cause| LedgerError::Unusable {
        path: path.to_owned(),
        cause,
    };
    let body = serde_json::to_string_pretty(kept).map_err(|error| unusable(error.into()))?;
    let text = format!("{body}\n{}\n", Digest::of(body.as_bytes()));
    let part = path.with_added_extension("part");
    let folder = path.parent().unwrap_or(Path::new("."));
    File::create(&part)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path))
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(unusable)
}

#[cfg(test)]
mod tests;
