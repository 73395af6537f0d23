//! Why there is no key, or no signature.

use std::io;
use std::path::PathBuf;

use patchbay_vocab::{Code, Explain};

/// Why there is no key, or no signature. None of it repeats a secret.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each field is the path or the cause that the message names"
)]
pub enum SigningError {
    /// There is a file of that name.
    #[error("`{}` is there already", path.display())]
    Exists { path: PathBuf },
    /// A key file cannot be written.
    #[error("the key file `{}` cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// A key file cannot be read.
    #[error("the key file `{}` cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// It holds something else.
    #[error("`{}` is no secret key: {why}", path.display())]
    NotSecret { path: PathBuf, why: &'static str },
    /// It is protected, or to be protected, and nobody said by what.
    #[error("a password is needed, and there is no terminal to ask for it")]
    NoPassword,
    /// It is not the one.
    #[error("the password does not open the key `{}`", path.display())]
    WrongPassword { path: PathBuf },
    /// It cannot be had.
    #[error("the password cannot be used: {why}")]
    BadPassword { why: String },
    /// The library or the system refused.
    #[error("the signature or key could not be made: {0}")]
    Failed(String),
    /// The signature cannot be written.
    #[error("the signature `{}` cannot be written", path.display())]
    Put {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl Explain for SigningError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Exists { .. } => "PB-SIGN-030",
            Self::Write { .. } => "PB-SIGN-031",
            Self::Read { .. } => "PB-SIGN-032",
            Self::NotSecret { .. } => "PB-SIGN-033",
            Self::NoPassword => "PB-SIGN-034",
            Self::WrongPassword { .. } => "PB-SIGN-035",
            Self::BadPassword { .. } => "PB-SIGN-036",
            Self::Failed(_) => "PB-SIGN-037",
            Self::Put { .. } => "PB-SIGN-038",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Exists { .. } => "choose another --name or --out; a key that is lost cannot be made again",
            Self::Write { .. } | Self::Put { .. } => "check that the folder exists and is yours to write",
            Self::Read { .. } => "check the path and the rights of the key file",
            Self::NotSecret { .. } => "name the .key file of `patchbay keygen`, or the secret key of `minisign -G`",
            Self::NoPassword => {
                "pass --password-file FILE or set PATCHBAY_KEY_PASSWORD; `patchbay keygen --no-password` makes a key without one"
            }
            Self::WrongPassword { .. } => "try the password again; without it a new key is needed",
            Self::BadPassword { .. } => "give one of 1 to 1,024 bytes, the same one twice",
            Self::Failed(_) => "try again; if it stays so, check the disk and the system's source of randomness",
        }
        .into()
    }
}
