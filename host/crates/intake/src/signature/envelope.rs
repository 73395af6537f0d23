//! The file beside a plugin, read as hostile bytes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::Signature;
use patchbay_vocab::KeyId;
use rustix::fs::{Mode, OFlags};

use super::SignatureError;
use crate::stamp::Kind;

/// The largest signature file that is read.
pub(super) const MAX_BYTES: u64 = 16 * 1024;
/// What is added to a file's name.
const EXTENSION: &str = "minisig";

/// Where the signature of `file` lies: `libfoo.so` is signed by `libfoo.so.minisig`.
#[must_use]
pub fn signature_path(file: &Path) -> PathBuf {
    file.with_added_extension(EXTENSION)
}

/// The file that a signature of this name is for; `None` for other names.
pub(crate) fn signed_path(signature: &Path) -> Option<PathBuf> {
    let signed = signature.extension().is_some_and(|ext| ext == EXTENSION);
    signed.then(|| signature.with_extension(""))
}

/// A signature file that has the right form. Nothing in it is believed before it is verified.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) text: String,
    pub(super) key: KeyId,
    pub(super) signature: Signature,
}

impl Envelope {
    /// Reads the signature beside `file`; `None` when there is none.
    pub(super) fn beside(file: &Path) -> Result<Option<Self>, SignatureError> {
        let Some(file) = open(&signature_path(file))? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let limit = MAX_BYTES + 1;
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(SignatureError::Read)?;
        Self::parse(bytes).map(Some)
    }

    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, SignatureError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(SignatureError::TooLarge { limit: MAX_BYTES });
        }
        let malformed = |why| SignatureError::Malformed { why };
        let text = String::from_utf8(bytes).map_err(|_| malformed("it is not text"))?;
        let lines: Vec<&str> = text.lines().collect();
        let [untrusted, bones, trusted, _] = lines[..] else {
            return Err(malformed("it does not have four lines"));
        };
        if !untrusted.starts_with("untrusted comment:") {
            return Err(malformed("its first line is no `untrusted comment:`"));
        }
        if !trusted.starts_with("trusted comment: ") {
            return Err(malformed("its third line is no `trusted comment:`"));
        }
        let bones = STANDARD
            .decode(bones)
            .map_err(|_| malformed("its second line is not base64"))?;
        let key = bones.get(2..10).and_then(|id| id.first_chunk());
        let key = KeyId::from_bytes(*key.ok_or(malformed("its second line is too short"))?);
        if bones.starts_with(b"Ed") {
            return Err(SignatureError::Legacy { key });
        }
        let signature =
            Signature::decode(&text).map_err(|_| malformed("its signatures cannot be decoded"))?;
        Ok(Self { key, signature, text })
    }
}

/// Opens a regular file, and nothing else: opening a pipe would block, a link could lead anywhere.
fn open(path: &Path) -> Result<Option<File>, SignatureError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // The plugin's name leaves no room for the signature's: there can be none.
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => return Ok(None),
        Err(error) => return Err(SignatureError::Read(error)),
    };
    check_kind(Kind::of(&found))?;
    // The path may name something else by now, hence the flags and the second look.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => {
            return Err(SignatureError::NotAFile {
                found: "a symbolic link",
            });
        }
        Err(error) => return Err(SignatureError::Read(error.into())),
    };
    let found = file.metadata().map_err(SignatureError::Read)?;
    check_kind(Kind::of(&found))?;
    if found.len() > MAX_BYTES {
        return Err(SignatureError::TooLarge { limit: MAX_BYTES });
    }
    Ok(Some(file))
}

fn check_kind(kind: Kind) -> Result<(), SignatureError> {
    let found = match kind {
        Kind::File => return Ok(()),
        Kind::Directory => "a directory",
        Kind::Symlink => "a symbolic link",
        Kind::Fifo => "a named pipe",
        Kind::Socket => "a socket",
        Kind::Device => "a device",
    };
    Err(SignatureError::NotAFile { found })
}
