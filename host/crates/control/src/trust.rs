//! The table `[trust]` of the configuration file, and what is done with keys.
//!
//! ```toml
//! [trust]
//! require_signature = true
//! revoked = ["E7620F1842B4E81F"]
//!
//! [trust.teams.payments]
//! keys = ["RWQf6LRC...", { file = "payments.pub" }]
//! plugins = ["pay-*", "ledger"]    # the names its keys may sign; all when left out
//!
//! [trust.minimum_versions]
//! text-tools = "1.4.0"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use patchbay_intake::signature::{NamePattern, Provenance, Signatures, Team, TrustPolicy, TrustedKey};
use patchbay_lifecycle::{Ledger, LifecycleError};
use patchbay_signing::{SigningError, SigningKey};
use patchbay_vocab::{Clock, KeyId, PluginName, SystemClock, TeamName, UnixMillis, Version};
use patchbay_wire::{RelaxedView, SignedView, SignerView};
use serde::Deserialize;

use crate::check::inspect_alone;
use crate::{Config, ConfigError, OpenError};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrustTable {
    #[serde(default)]
    require_signature: bool,
    #[serde(default)]
    revoked: BTreeSet<KeyId>,
    #[serde(default)]
    teams: BTreeMap<TeamName, TeamTable>,
    #[serde(default)]
    minimum_versions: BTreeMap<PluginName, Version>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamTable {
    keys: Vec<KeySource>,
    plugins: Option<Vec<String>>,
}

/// A key, or where it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum KeySource {
    Text(String),
    #[serde(rename_all = "lowercase")]
    File {
        file: PathBuf,
    },
}

impl TrustTable {
    /// What the table demands; paths in it start from `folder`.
    pub(crate) fn policy(&self, folder: &Path) -> Result<TrustPolicy, ConfigError> {
        let mut known: BTreeMap<KeyId, &TeamName> = BTreeMap::new();
        let mut teams = Vec::new();
        for (name, table) in &self.teams {
            let refuse = |what: &str, reason: String| ConfigError::Trust {
                setting: format!("trust.teams.{name}.{what}"),
                reason,
            };
            if table.keys.is_empty() {
                return Err(refuse("keys", "a team without a key can sign nothing".into()));
            }
            let mut keys = Vec::new();
            for (at, source) in table.keys.iter().enumerate() {
                let key = source
                    .read(folder)
                    .map_err(|reason| refuse(&format!("keys[{at}]"), reason))?;
                if let Some(other) = known.insert(key.id(), name) {
                    let reason = format!("key {} is listed for team {other} already", key.id());
                    return Err(refuse(&format!("keys[{at}]"), reason));
                }
                keys.push(key);
            }
            let plugins = table.plugins.as_ref().map(|patterns| {
                if patterns.is_empty() {
                    return Err("with no names it can sign nothing; leave it out for all".to_owned());
                }
                let parse = |text: &String| text.parse::<NamePattern>().map_err(|error| error.to_string());
                patterns.iter().map(parse).collect()
            });
            teams.push(Team {
                name: name.clone(),
                keys,
                plugins: plugins.transpose().map_err(|reason| refuse("plugins", reason))?,
            });
        }
        Ok(TrustPolicy {
            signatures: if self.require_signature {
                Signatures::Required
            } else {
                Signatures::Optional
            },
            teams,
            revoked: self.revoked.clone(),
            minimum_versions: self.minimum_versions.clone(),
        })
    }
}

impl KeySource {
    fn read(&self, folder: &Path) -> Result<TrustedKey, String> {
        match self {
            Self::Text(text) => text.parse().map_err(|error| format!("{error}")),
            Self::File { file } => read_public_key(&folder.join(file)),
        }
    }
}

/// Reads a public key, such as `minisign` and `patchbay keygen` write it, from a file.
///
/// # Errors
/// Why it is none, in words.
pub fn read_public_key(path: &Path) -> Result<TrustedKey, String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(16 * 1024).read_to_string(&mut text));
    read.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    text.parse()
        .map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Who signed, for listings; nothing for an unsigned file.
pub(crate) fn signer(provenance: &Provenance) -> Option<SignerView> {
    match provenance {
        Provenance::Unsigned => None,
        Provenance::UnknownKey(key) => Some(SignerView {
            team: None,
            key: *key,
            signed_at: None,
        }),
        Provenance::Signed { team, key, at } => Some(SignerView {
            team: Some(team.clone()),
            key: *key,
            signed_at: at.map(|seconds| UnixMillis(seconds.saturating_mul(1000))),
        }),
    }
}

/// Why a file is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// It is no plugin for this host.
    #[error(transparent)]
    Unfit(#[from] LifecycleError),
    /// The signature could not be made or written.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl SignError {
    fn cause(&self) -> &dyn patchbay_vocab::Explain {
        match self {
            Self::Unfit(error) => error,
            Self::Signing(error) => error,
        }
    }
}

impl patchbay_vocab::Explain for SignError {
    fn code(&self) -> patchbay_vocab::Code {
        self.cause().code()
    }

    fn help(&self) -> String {
        self.cause().help()
    }
}

/// Inspects a plugin file and puts a signature beside it, in place of one that is there.
///
/// # Errors
/// When it is no plugin for this host, or the signature cannot be made or written; nothing was changed then.
pub fn sign_file(file: &Path, key: &SigningKey, config: &Config) -> Result<SignedView, SignError> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let now = SystemClock::new().wall().0 / 1000;
    inspect_alone(file, config, |inspected| {
        let text = patchbay_signing::sign(inspected, key, &name, now)?;
        let signature = patchbay_signing::put_beside(file, &text)?;
        Ok(SignedView {
            path: file.display().to_string(),
            signature: signature.display().to_string(),
            plugin: inspected.plugin().clone(),
            version: inspected.version().clone(),
            digest: inspected.digest(),
            key: key.id(),
        })
    })
}

/// Has a data directory forget the policy that it was served with, so that a looser one may serve it.
///
/// # Errors
/// When it is not there or no data directory, a host is using it, or what it remembers is damaged.
pub fn relax_trust(data: &Path, actor: &str, reason: &str) -> Result<RelaxedView, OpenError> {
    // Not made when it is missing: a mistyped path must not look like success.
    let found = std::fs::metadata(data).map_err(|cause| OpenError::Directory {
        path: data.to_owned(),
        cause,
    })?;
    if !found.is_dir() {
        return Err(OpenError::Directory {
            path: data.to_owned(),
            cause: std::io::ErrorKind::NotADirectory.into(),
        });
    }
    // What every host leaves in its data directory.
    if !["lock", "artifacts"].iter().all(|name| data.join(name).exists()) {
        return Err(OpenError::NoData {
            path: data.to_owned(),
        });
    }
    let _lock = crate::open::lock(data)?;
    let relaxed =
        Ledger::relax(data, actor, reason, SystemClock::new().wall()).map_err(LifecycleError::from)?;
    Ok(RelaxedView {
        at: relaxed.at,
        actor: relaxed.by,
        reason: relaxed.reason,
        relaxed: relaxed.what,
    })
}

#[cfg(test)]
mod tests {
    use patchbay_signing::{Pair, Protection};
    use patchbay_vocab::Explain;

    use super::*;

    fn policy(text: &str) -> Result<TrustPolicy, ConfigError> {
        let table: TrustTable = toml::from_str(text).unwrap();
        table.policy(Path::new("/nowhere"))
    }

    #[track_caller]
    fn refused(text: &str, setting: &str, reason: &str) {
        let error = policy(text).unwrap_err();
        assert_eq!(error.code().0, "PB-CONFIG-004");
        let shown = error.to_string();
        assert!(shown.contains(setting) && shown.contains(reason), "{shown}");
    }

    #[test]
    fn the_table_says_who_may_sign_what_and_how_much_has_to_be_signed() {
        let (one, two) = (
            Pair::generate(Protection::None).unwrap(),
            Pair::generate(Protection::None).unwrap(),
        );
        let dir = tempfile::tempdir().unwrap();
        two.write(dir.path(), "texts").unwrap();
        let text = format!(
            "require_signature = true\nrevoked = [\"{}\"]\n[teams.payments]\nkeys = [\"{}\"]\nplugins = [\"pay-*\"]\n\
             [teams.texts]\nkeys = [{{ file = \"texts.pub\" }}]\n[minimum_versions]\n\"text-tools\" = \"1.4.0\"",
            one.id(),
            one.public()
        );
        let table: TrustTable = toml::from_str(&text).unwrap();
        let policy = table.policy(dir.path()).unwrap();
        assert_eq!(policy.signatures, Signatures::Required);
        assert!(policy.revoked.contains(&one.id()) && policy.minimum_versions.len() == 1);
        let ids: Vec<_> = policy.teams.iter().map(|team| team.keys[0].id()).collect();
        assert_eq!(ids, [one.id(), two.id()]);
        assert!(policy.teams[0].plugins.is_some() && policy.teams[1].plugins.is_none());
        assert_eq!(
            super::TrustTable::default()
                .policy(dir.path())
                .unwrap()
                .signatures,
            Signatures::Optional
        );
    }

    #[test]
    fn what_could_not_be_meant_is_refused_with_the_setting() {
        let pair = Pair::generate(Protection::None).unwrap();
        let key = pair.public();
        refused("[teams.a]\nkeys = []", "trust.teams.a.keys", "without a key");
        refused(
            "[teams.a]\nkeys = [\"RWQ\"]",
            "trust.teams.a.keys[0]",
            "no minisign public key",
        );
        refused(
            "[teams.a]\nkeys = [{ file = \"a.pub\" }]",
            "trust.teams.a.keys[0]",
            "/nowhere/a.pub",
        );
        refused(
            &format!("[teams.a]\nkeys = [\"{key}\"]\n[teams.b]\nkeys = [\"{key}\"]"),
            "trust.teams.b.keys[0]",
            "for team a already",
        );
        refused(
            &format!("[teams.a]\nkeys = [\"{key}\"]\nplugins = []"),
            "trust.teams.a.plugins",
            "no names",
        );
        refused(
            &format!("[teams.a]\nkeys = [\"{key}\"]\nplugins = [\"A\"]"),
            "trust.teams.a.plugins",
            "`A`",
        );
        let dir = tempfile::tempdir().unwrap();
        let (secret, _) = pair.write(dir.path(), "team").unwrap();
        let secret = std::fs::read_to_string(secret).unwrap();
        let line = secret.lines().nth(1).unwrap();
        let error = policy(&format!("[teams.a]\nkeys = [\"{line}\"]"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("this is a secret key") && !error.contains(&line[20..40]),
            "{error}"
        );
        for text in [
            "revoked = [\"x\"]",
            "[minimum_versions]\nx = \"1\"",
            "require = true",
            "[teams.a]",
        ] {
            assert!(toml::from_str::<TrustTable>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn relaxing_needs_a_data_directory_that_is_there() {
        let error = relax_trust(Path::new("/nowhere/data"), "ada", "x").unwrap_err();
        assert_eq!(error.code().0, "PB-OPEN-002");
        let folder = tempfile::tempdir().unwrap();
        let error = relax_trust(folder.path(), "ada", "x").unwrap_err();
        assert_eq!(error.code().0, "PB-OPEN-005");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "a folder of somebody else is left as it was");
    }
}
