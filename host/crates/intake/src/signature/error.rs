//! Why a file is not vouched for.

use std::io;

use patchbay_vocab::{Code, Explain, KeyId, PluginName, TeamName, Version};

/// Why a file is not vouched for.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each field is what the message names")]
pub enum SignatureError {
    /// None where one is needed.
    #[error("it has no signature, and this host requires one")]
    Missing,
    /// Something else has the signature's name.
    #[error("its signature is {found}, not a regular file")]
    NotAFile { found: &'static str },
    /// Too large to be one.
    #[error("its signature has more than {limit} bytes")]
    TooLarge { limit: u64 },
    /// It cannot be read.
    #[error("its signature cannot be read")]
    Read(#[source] io::Error),
    /// It is no signature.
    #[error("its signature file is no minisign signature: {why}")]
    Malformed { why: &'static str },
    /// Of the form that signs the whole file.
    #[error("its signature by key {key} is of minisign's legacy form")]
    Legacy { key: KeyId },
    /// By nobody that is known.
    #[error("it is signed by key {key}, which no team has")]
    UnknownKey { key: KeyId },
    /// By a key that is believed no more.
    #[error("it is signed by key {key}, which is revoked")]
    Revoked { key: KeyId },
    /// It signs something else.
    #[error("its signature by key {key} of team {team} does not fit the file")]
    DoesNotFit { key: KeyId, team: TeamName },
    /// It says nothing where claims are needed.
    #[error("its signature by key {key} makes no claims about the plugin, and this host requires them")]
    NoClaims { key: KeyId },
    /// Its claims cannot be read.
    #[error("the claim `{field}` of its signature cannot be used: {why}")]
    BadClaims { field: &'static str, why: &'static str },
    /// A claim is not so.
    #[error("its signature claims the {field} `{claimed}`, the file says `{found}`")]
    ClaimDiffers {
        field: &'static str,
        claimed: String,
        found: String,
    },
    /// The team may not sign this plugin.
    #[error("it is signed by key {key} of team {team}, whose keys may not sign `{plugin}` but {allowed}")]
    NotTheirs {
        key: KeyId,
        team: TeamName,
        plugin: PluginName,
        allowed: String,
    },
    /// A version that is taken no more.
    #[error("version {version} of `{plugin}` is below the minimum of this host, {minimum}")]
    BelowMinimum {
        plugin: PluginName,
        version: Version,
        minimum: Version,
    },
    /// The private copy is not what it was.
    #[error("the private copy cannot be read for its signature to be verified")]
    Copy(#[source] io::Error),
}

impl Explain for SignatureError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Missing => "PB-SIGN-001",
            Self::NotAFile { .. } => "PB-SIGN-002",
            Self::TooLarge { .. } => "PB-SIGN-003",
            Self::Read(_) => "PB-SIGN-004",
            Self::Malformed { .. } => "PB-SIGN-005",
            Self::Legacy { .. } => "PB-SIGN-006",
            Self::UnknownKey { .. } => "PB-SIGN-007",
            Self::Revoked { .. } => "PB-SIGN-008",
            Self::DoesNotFit { .. } => "PB-SIGN-009",
            Self::NoClaims { .. } => "PB-SIGN-010",
            Self::BadClaims { .. } => "PB-SIGN-011",
            Self::ClaimDiffers { .. } => "PB-SIGN-012",
            Self::NotTheirs { .. } => "PB-SIGN-013",
            Self::BelowMinimum { .. } => "PB-SIGN-014",
            Self::Copy(_) => "PB-SIGN-015",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Missing => "sign it with `patchbay sign FILE.so --key KEY` and put FILE.so.minisig beside it",
            Self::NotAFile { .. } | Self::TooLarge { .. } => {
                "put the file that `patchbay sign` wrote there, itself and not a link to it"
            }
            Self::Read(_) => "make the signature readable for the user that the host runs as",
            Self::Malformed { .. } => "copy the whole signature again, or sign the file again with `patchbay sign`",
            Self::Legacy { .. } => "sign it again with `patchbay sign`, or with `minisign -S` of a version since 0.10",
            Self::UnknownKey { .. } => {
                "sign it with a team's key, or add the public key to its team under [trust.teams] and start the host again"
            }
            Self::Revoked { .. } => "find out who signed it; what is sound is signed again with another key of the team",
            Self::DoesNotFit { .. } => {
                "upload file and signature that belong together; when they do, somebody changed one of them on the way"
            }
            Self::NoClaims { .. } => "sign it with `patchbay sign`, which adds the claims; the key stays the same",
            Self::BadClaims { .. } | Self::ClaimDiffers { .. } => "sign the file as it is with `patchbay sign`",
            Self::NotTheirs { .. } => {
                "have the team that owns the plugin sign it, or allow the name under [trust.teams] and start the host again"
            }
            Self::BelowMinimum { .. } => "ship a version from the minimum on, see [trust.minimum_versions]",
            Self::Copy(_) => "check the disk of the data directory, then put the plugin there again",
        }
        .into()
    }
}
