//! The author's side of signatures: making a key pair, and signing an inspected plugin with it.
//!
//! Invariant: what is signed was inspected, and the claims that are signed with it are what the inspection found, so
//! that a host which believes the key finds no difference. A secret key never leaves this crate but into a file of mode
//! 0600 that did not exist before.
//!
//! Keys and signatures are those of the `minisign` tool, in both directions. Verifying is `patchbay_intake::signature`'s.
#![forbid(unsafe_code)]

mod error;
mod key;
mod write;

use std::path::{Path, PathBuf};

use patchbay_intake::Inspected;
use patchbay_intake::signature::{Claims, signature_path};

pub use error::SigningError;
pub use key::{KeyFile, Pair, Protection, SigningKey};

/// Signs the bytes of an inspected artifact and what was found of them; gives the content of a `.minisig` file.
///
/// # Errors
/// When its private copy cannot be read, or the system has no randomness.
pub fn sign(inspected: &Inspected, key: &SigningKey, file: &str, at: u64) -> Result<String, SigningError> {
    let bytes =
        std::fs::File::open(inspected.path()).map_err(|error| SigningError::Failed(error.to_string()))?;
    key.sign(bytes, &Claims::of(inspected, at).comment(file))
}

/// Puts a signature beside the file that it is for, in place of one that is there; gives its path.
///
/// # Errors
/// When it cannot be written; the one that was there stays.
pub fn put_beside(file: &Path, signature: &str) -> Result<PathBuf, SigningError> {
    let path = signature_path(file);
    match write::replace(&path, signature.as_bytes()) {
        Ok(()) => Ok(path),
        Err(cause) => Err(SigningError::Put { path, cause }),
    }
}
