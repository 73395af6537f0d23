//! Key pairs: made, written, read and opened.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use patchbay_vocab::KeyId;

use crate::{SigningError, write};

/// What keeps others from using a secret key that they have.
#[derive(Clone)]
pub enum Protection {
    /// Nothing but the rights of its file.
    None,
    /// A password.
    Password(String),
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Password(_) => "Password(..)",
        })
    }
}

fn failed(error: &minisign::PError) -> SigningError {
    SigningError::Failed(error.to_string())
}

/// A new key pair, not written yet.
pub struct Pair {
    id: KeyId,
    public: String,
    secret: String,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pair({})", self.id)
    }
}

impl Pair {
    /// Makes one.
    ///
    /// # Errors
    /// When the password cannot be used, or the system has no randomness.
    pub fn generate(protection: Protection) -> Result<Self, SigningError> {
        let pair = match protection {
            Protection::None => KeyPair::generate_unencrypted_keypair(),
            Protection::Password(password) => KeyPair::generate_encrypted_keypair(Some(checked(password)?)),
        };
        let pair = pair.map_err(|error| failed(&error))?;
        let id = id_of(pair.pk.keynum())?;
        let comment = format!("patchbay secret key {id}");
        Ok(Self {
            id,
            public: pair.pk.to_base64(),
            secret: pair
                .sk
                .to_box(Some(&comment))
                .map_err(|error| failed(&error))?
                .into_string(),
        })
    }

    /// The id that both halves carry.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The public half, as configurations have it.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Writes `NAME.key`, for its owner alone, and `NAME.pub`; gives both paths.
    ///
    /// # Errors
    /// When one of them is there already or cannot be written; then none is left.
    pub fn write(&self, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf), SigningError> {
        let (secret, public) = (
            folder.join(format!("{name}.key")),
            folder.join(format!("{name}.pub")),
        );
        let text = format!(
            "untrusted comment: minisign public key {}\n{}\n",
            self.id, self.public
        );
        create(&public, 0o644, &text)?;
        if let Err(error) = create(&secret, 0o600, &self.secret) {
            let _ = std::fs::remove_file(&public);
            return Err(error);
        }
        Ok((secret, public))
    }
}

fn create(path: &Path, mode: u32, text: &str) -> Result<(), SigningError> {
    let path = path.to_owned();
    match write::create(&path, mode, text.as_bytes()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(SigningError::Exists { path }),
        Err(cause) => Err(SigningError::Write { path, cause }),
    }
}

fn checked(password: String) -> Result<String, SigningError> {
    let bad = |why: &str| SigningError::BadPassword { why: why.into() };
    match password.len() {
        0 => Err(bad("it is empty")),
        1..=1024 => Ok(password),
        _ => Err(bad("it is longer than 1,024 bytes")),
    }
}

fn id_of(bytes: &[u8]) -> Result<KeyId, SigningError> {
    let bytes = bytes.first_chunk();
    bytes
        .map(|bytes| KeyId::from_bytes(*bytes))
        .ok_or_else(|| SigningError::Failed("the key has no id".into()))
}

/// A secret key as it lies on disk.
pub struct KeyFile {
    path: PathBuf,
    text: String,
    locked: bool,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyFile({})", self.path.display())
    }
}

const MAX_BYTES: u64 = 16 * 1024;
const SECRET_BYTES: usize = 158;

impl KeyFile {
    /// Reads one.
    ///
    /// # Errors
    /// When it cannot be read, or is no secret key.
    pub fn read(path: &Path) -> Result<Self, SigningError> {
        let refuse = |why| SigningError::NotSecret {
            path: path.to_owned(),
            why,
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|cause| SigningError::Read {
                path: path.to_owned(),
                cause,
            })?;
        let text = String::from_utf8(bytes).map_err(|_| refuse("it is not text"))?;
        let line = text
            .lines()
            .nth(1)
            .ok_or_else(|| refuse("it does not have two lines"))?;
        let key = STANDARD
            .decode(line)
            .map_err(|_| refuse("its second line is not base64"))?;
        if key.len() != SECRET_BYTES {
            return Err(refuse("it is of another length; a public key cannot sign"));
        }
        let locked = match &key[2..4] {
            b"Sc" => true,
            [0, 0] => false,
            _ => return Err(refuse("it is protected in a way that is not known here")),
        };
        Ok(Self {
            path: path.to_owned(),
            text,
            locked,
        })
    }

    /// Whether a password is needed.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.locked
    }

    /// Opens it; the password of a key that needs none is not looked at.
    ///
    /// # Errors
    /// When the password is missing or another, or the key is damaged.
    pub fn open(self, password: Option<String>) -> Result<SigningKey, SigningError> {
        let sealed = SecretKeyBox::from_string(&self.text).map_err(|error| failed(&error))?;
        let path = self.path;
        let opened = match (self.locked, password) {
            (false, _) => sealed
                .into_unencrypted_secret_key()
                .map_err(|_| SigningError::NotSecret {
                    path,
                    why: "it is damaged",
                }),
            (true, None) => Err(SigningError::NoPassword),
            (true, Some(password)) => sealed
                .into_secret_key(Some(password))
                .map_err(|_| SigningError::WrongPassword { path }),
        };
        let secret = opened?;
        Ok(SigningKey {
            id: id_of(secret.keynum())?,
            secret,
        })
    }
}

/// A secret key that is open.
pub struct SigningKey {
    id: KeyId,
    secret: SecretKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl SigningKey {
    /// The id that its signatures carry.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Signs bytes and a comment.
    ///
    /// # Errors
    /// When the bytes cannot be read, or the system has no randomness.
    pub fn sign(&self, bytes: impl Read, comment: &str) -> Result<String, SigningError> {
        let untrusted = format!("signature from patchbay secret key {}", self.id);
        let signed = minisign::sign(None, &self.secret, bytes, Some(comment), Some(&untrusted));
        Ok(signed.map_err(|error| failed(&error))?.into_string())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use patchbay_intake::signature::TrustedKey;
    use patchbay_vocab::Explain;

    use super::*;

    fn password() -> Option<String> {
        Some("correct horse".into())
    }

    #[test]
    fn a_pair_is_written_for_its_owner_alone_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let pair = Pair::generate(Protection::None).unwrap();
        let (secret, public) = pair.write(dir.path(), "team").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&secret), mode(&public)), (0o600, 0o644));
        let trusted: TrustedKey = std::fs::read_to_string(&public).unwrap().parse().unwrap();
        assert_eq!((trusted.id(), pair.public().parse()), (pair.id(), Ok(trusted)));
        let before = std::fs::read(&secret).unwrap();
        let other = Pair::generate(Protection::None).unwrap();
        assert_eq!(
            other.write(dir.path(), "team").unwrap_err().code().0,
            "PB-SIGN-030"
        );
        std::fs::remove_file(&public).unwrap();
        assert_eq!(
            other.write(dir.path(), "team").unwrap_err().code().0,
            "PB-SIGN-030"
        );
        assert!(!public.exists(), "half a pair was left behind");
        assert_eq!(std::fs::read(&secret).unwrap(), before);
        assert_eq!(
            KeyFile::read(&secret).unwrap().open(None).unwrap().id(),
            pair.id()
        );
        let nowhere = other.write(&dir.path().join("none"), "team").unwrap_err();
        assert_eq!(nowhere.code().0, "PB-SIGN-031");
    }

    #[test]
    fn a_protected_key_opens_with_its_password_alone() {
        let dir = tempfile::tempdir().unwrap();
        let pair = Pair::generate(Protection::Password("correct horse".into())).unwrap();
        let (secret, _) = pair.write(dir.path(), "team").unwrap();
        let file = || KeyFile::read(&secret).unwrap();
        assert!(file().is_locked());
        assert_eq!(file().open(password()).unwrap().id(), pair.id());
        assert_eq!(file().open(None).unwrap_err().code().0, "PB-SIGN-034");
        assert_eq!(
            file().open(Some("wrong".into())).unwrap_err().code().0,
            "PB-SIGN-035"
        );
        for bad in [String::new(), "x".repeat(1025)] {
            let error = Pair::generate(Protection::Password(bad)).unwrap_err();
            assert_eq!(error.code().0, "PB-SIGN-036");
        }
    }

    #[test]
    fn what_is_no_secret_key_is_refused_without_being_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let (secret, public) = Pair::generate(Protection::None)
            .unwrap()
            .write(dir.path(), "team")
            .unwrap();
        assert_eq!(KeyFile::read(&public).unwrap_err().code().0, "PB-SIGN-033");
        let good = std::fs::read_to_string(&secret).unwrap();
        let path = dir.path().join("bad.key");
        let damaged = good.replace('\n', "A\n");
        let line = good.lines().nth(1).unwrap();
        let mut flipped = STANDARD.decode(line).unwrap();
        flipped[80] ^= 1;
        let flipped = format!("untrusted comment: x\n{}\n", STANDARD.encode(flipped));
        for text in [
            "",
            "one line",
            "two\nlines",
            damaged.as_str(),
            &good[..good.len() / 2],
            &flipped,
        ] {
            std::fs::write(&path, text).unwrap();
            let error = KeyFile::read(&path).and_then(|file| file.open(None)).unwrap_err();
            assert_eq!(error.code().0, "PB-SIGN-033", "{text}");
            assert!(!error.chain().contains(&line[20..40]));
        }
        assert_eq!(
            KeyFile::read(Path::new("/none")).unwrap_err().code().0,
            "PB-SIGN-032"
        );
    }

    #[test]
    fn no_debug_output_shows_a_secret() {
        let dir = tempfile::tempdir().unwrap();
        let pair = Pair::generate(Protection::None).unwrap();
        let (secret, _) = pair.write(dir.path(), "team").unwrap();
        let (file, key) = (
            KeyFile::read(&secret).unwrap(),
            KeyFile::read(&secret).unwrap().open(None).unwrap(),
        );
        let shown = format!(
            "{pair:?} {file:?} {key:?} {:?}",
            Protection::Password("horse".into())
        );
        let hidden = std::fs::read_to_string(&secret).unwrap();
        assert!(
            !shown.contains(&hidden.lines().nth(1).unwrap()[20..60]) && !shown.contains("horse"),
            "{shown}"
        );
    }
}
