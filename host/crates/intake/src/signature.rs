//! Who answers for an artifact: its signature against the keys that this host believes.
//!
//! Invariant: a [`Vouched`] artifact is unsigned where the policy lets unsigned files pass, or the very bytes of its
//! private copy are signed by a key that the policy lists and has not revoked. What the signer claimed, the names that
//! its team may sign and the least version are checked by [`inspect`](crate::inspect()), which is the first to know the name;
//! there is no way from here to an [`Inspected`](crate::Inspected) artifact past that.
//!
//! ```text
//! Staged --verify--> Vouched --inspect--> Inspected, whose provenance holds
//!   libfoo.so.minisig is read once: bounded, a regular file, four lines
//! ```
//!
//! A signature that is exchanged after it was read changes nothing: what was verified are the bytes under a digest, the
//! copy that is mapped is hashed again against that digest, and the signature that is kept is the text that was verified.

mod claims;
mod envelope;
mod error;
mod policy;

use std::fs::File;
use std::io::{self, Read};

use patchbay_vocab::{Digest, KeyId, PluginName, TeamName, Version};

pub use claims::Claims;
pub use envelope::signature_path;
pub(crate) use envelope::signed_path;
pub use error::SignatureError;
pub use policy::{BadKey, BadPattern, NamePattern, Signatures, Team, TrustPolicy, TrustedKey};

use crate::stage::Staged;
use envelope::Envelope;

/// Who stands behind an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Nobody: it has no signature.
    Unsigned,
    /// Somebody: the host knows no keys, so nothing could be verified.
    UnknownKey(KeyId),
    /// A team.
    Signed {
        /// Its name.
        team: TeamName,
        /// The key.
        key: KeyId,
        /// When the signer says it was, in seconds since 1970; unknown without claims.
        at: Option<u64>,
    },
}

/// A staged artifact that may be looked at more closely.
#[derive(Clone, Debug)]
pub struct Vouched {
    staged: Staged,
    provenance: Provenance,
    terms: Terms,
    signature: Option<String>,
}

/// What is still to be held against the note.
#[derive(Clone, Debug)]
struct Terms {
    claims: Option<Claims>,
    plugins: Option<Vec<NamePattern>>,
    minimum_versions: std::collections::BTreeMap<PluginName, Version>,
}

impl Vouched {
    /// The hash of the content.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.staged.digest()
    }

    /// Who stands behind it.
    #[must_use]
    pub const fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    pub(crate) const fn staged(&self) -> &Staged {
        &self.staged
    }

    /// The signature's text, as it was verified.
    pub(crate) fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// Holds what the file turned out to be against the signer's claims, the team's names and the least version.
    pub(crate) fn hold(&self, truth: &Claims) -> Result<(), SignatureError> {
        if let Some(claims) = &self.terms.claims {
            claims.check(truth)?;
        }
        if let (Some(patterns), Provenance::Signed { team, key, .. }) =
            (&self.terms.plugins, &self.provenance)
            && !patterns.iter().any(|pattern| pattern.matches(&truth.plugin))
        {
            let allowed: Vec<_> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
            return Err(SignatureError::NotTheirs {
                key: *key,
                team: team.clone(),
                plugin: truth.plugin.clone(),
                allowed: allowed.join(", "),
            });
        }
        match self.terms.minimum_versions.get(&truth.plugin) {
            Some(minimum) if truth.version.cmp_precedence(minimum).is_lt() => {
                Err(SignatureError::BelowMinimum {
                    plugin: truth.plugin.clone(),
                    version: truth.version.clone(),
                    minimum: minimum.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}

/// Verifies the signature that lies beside the file a staged artifact came from; for a reopened one, the one that was
/// kept with it.
///
/// # Errors
/// When it has none and needs one, or has one that is not right; each reason has its own code.
pub fn verify(staged: Staged, policy: &TrustPolicy) -> Result<Vouched, SignatureError> {
    let envelope = Envelope::beside(staged.origin())?;
    let (provenance, claims, plugins) = match &envelope {
        None if policy.signatures == Signatures::Required => return Err(SignatureError::Missing),
        None => (Provenance::Unsigned, None, None),
        Some(envelope) => judge(&staged, envelope, policy)?,
    };
    Ok(Vouched {
        staged,
        provenance,
        terms: Terms {
            claims,
            plugins,
            minimum_versions: policy.minimum_versions.clone(),
        },
        signature: envelope.map(|envelope| envelope.text),
    })
}

type Judgement = (Provenance, Option<Claims>, Option<Vec<NamePattern>>);

fn judge(staged: &Staged, envelope: &Envelope, policy: &TrustPolicy) -> Result<Judgement, SignatureError> {
    let key = envelope.key;
    if policy.revoked.contains(&key) {
        return Err(SignatureError::Revoked { key });
    }
    let Some((team, trusted)) = policy.find(key) else {
        if policy.teams.is_empty() && policy.signatures == Signatures::Optional {
            return Ok((Provenance::UnknownKey(key), None, None));
        }
        return Err(SignatureError::UnknownKey { key });
    };
    let does_not_fit = || SignatureError::DoesNotFit {
        key,
        team: team.name.clone(),
    };
    let mut verifier = trusted
        .key
        .verify_stream(&envelope.signature)
        .map_err(|_| does_not_fit())?;
    read_copy(staged, |piece| verifier.update(piece))?;
    verifier.finalize().map_err(|_| does_not_fit())?;
    // From here on the comment is the signer's word.
    let claims = Claims::read(envelope.signature.trusted_comment())?;
    if claims.is_none() && policy.signatures == Signatures::Required {
        return Err(SignatureError::NoClaims { key });
    }
    let provenance = Provenance::Signed {
        team: team.name.clone(),
        key,
        at: claims.as_ref().map(|claims| claims.signed_at),
    };
    Ok((provenance, claims, team.plugins.clone()))
}

/// Feeds the private copy to `take`, and refuses it when the bytes that were fed are not those of its name.
fn read_copy(staged: &Staged, mut take: impl FnMut(&[u8])) -> Result<(), SignatureError> {
    let mut copy = File::open(staged.path()).map_err(SignatureError::Copy)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 128 * 1024];
    loop {
        match copy.read(&mut piece) {
            Ok(0) => break,
            Ok(got) => {
                hasher.update(&piece[..got]);
                take(&piece[..got]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SignatureError::Copy(error)),
        }
    }
    if hasher.finalize().as_bytes() == staged.digest().as_bytes() {
        return Ok(());
    }
    Err(SignatureError::Copy(io::ErrorKind::InvalidData.into()))
}

#[cfg(test)]
mod tests;
