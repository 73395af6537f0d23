//! What can be known of an artifact without mapping it.
//!
//! Invariant: an [`Inspected`] artifact can be handed to the dynamic linker without the linker reading outside the file
//! or outside the segments the file declares, needs nothing the policy does not allow, and carries exactly one readable
//! note. It is no proof of good conduct: the trial load in a child process comes after it.
//!
//! ```text
//! shape -> header -> segments -> note -> dynamic table -> symbols -> entry
//! ```
//!
//! The file is read in bounded pieces, each checked against the file's size first, and every count has a limit, so the
//! work is bounded whatever the bytes say.

mod dynamic;
mod elf;
mod error;
mod macho;
mod note;
mod policy;
mod shape;
mod symbols;

use std::fs::File;
use std::path::Path;

use object::ReadRef;
use object::read::ReadCache;
use patchbay_vocab::{Digest, PluginName, Version};
use plugin_api::Contract;
use plugin_api::note::NoteText;

pub use error::InspectError;
pub use policy::{InspectPolicy, Platform};

use crate::signature::{Claims, Provenance, Vouched};
use crate::stage::Staged;

/// How the host enters a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The root module of the Rust SDK.
    Sdk,
    /// The C function `patchbay_plugin_v1`.
    C,
}

impl Entry {
    /// The exported symbol.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Sdk => "_1as_0lib_1header_0root_bmodule_bloader",
            Self::C => "patchbay_plugin_v1",
        }
    }
}

/// What the bytes of a file say.
#[derive(Clone, Debug)]
struct Facts {
    note: NoteText,
    spoken: Contract,
    plugin: PluginName,
    version: Version,
    entry: Entry,
    linkage: Linkage,
    mapped_bytes: u64,
}

/// What a file needs of others and offers to them.
#[derive(Clone, Debug, Default)]
struct Linkage {
    imports: usize,
    exports: Vec<String>,
    needed: Vec<String>,
}

/// A vouched artifact whose bytes were read and found fit to be tried in a child process.
#[derive(Clone, Debug)]
pub struct Inspected {
    vouched: Vouched,
    facts: Facts,
}

impl Inspected {
    /// The hash of the content.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.vouched.digest()
    }

    /// The private copy.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.vouched.staged().path()
    }

    /// The file it came from.
    #[must_use]
    pub fn origin(&self) -> &Path {
        self.vouched.staged().origin()
    }

    /// The size of the file in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.vouched.staged().size()
    }

    /// Who stands behind it; what they claimed of it is so.
    #[must_use]
    pub const fn provenance(&self) -> &Provenance {
        self.vouched.provenance()
    }

    /// The evidence of the stage before the signature's.
    #[must_use]
    pub const fn staged(&self) -> &Staged {
        self.vouched.staged()
    }

    pub(crate) fn signature(&self) -> Option<&str> {
        self.vouched.signature()
    }

    /// The plugin's name.
    #[must_use]
    pub const fn plugin(&self) -> &PluginName {
        &self.facts.plugin
    }

    /// The plugin's version.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.facts.version
    }

    /// The whole note.
    #[must_use]
    pub const fn note(&self) -> &NoteText {
        &self.facts.note
    }

    /// The contract of the host that inspected it.
    #[must_use]
    pub const fn host_contract(&self) -> Contract {
        self.facts.spoken
    }

    /// How the host enters it.
    #[must_use]
    pub const fn entry_kind(&self) -> Entry {
        self.facts.entry
    }

    /// How many symbols it takes from other libraries.
    #[must_use]
    pub const fn imports(&self) -> usize {
        self.facts.linkage.imports
    }

    /// The libraries it needs.
    #[must_use]
    pub fn needed(&self) -> &[String] {
        &self.facts.linkage.needed
    }

    /// The symbols it exports; at most [`InspectPolicy::max_exports_listed`] of them.
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.facts.linkage.exports
    }

    /// How much address space its segments take.
    #[must_use]
    pub const fn mapped_bytes(&self) -> u64 {
        self.facts.mapped_bytes
    }
}

/// Reads a vouched artifact as hostile bytes, and holds what it says against what was signed.
///
/// # Errors
/// When it is not a plugin for this host, is damaged, breaks the policy, or is not what its signer claimed or was allowed
/// to sign; each reason has its own code.
pub fn inspect(vouched: Vouched, policy: &InspectPolicy) -> Result<Inspected, InspectError> {
    let staged = vouched.staged();
    let file = File::open(staged.path()).map_err(InspectError::Read)?;
    let size = file.metadata().map_err(InspectError::Read)?.len();
    if size != staged.size() {
        return Err(InspectError::Read(std::io::ErrorKind::UnexpectedEof.into()));
    }
    let facts = read(&ReadCache::new(file), size, policy)?;
    let inspected = Inspected { vouched, facts };
    inspected.vouched.hold(&Claims::of(&inspected, 0))?;
    Ok(inspected)
}

fn read<'a, R: ReadRef<'a>>(bytes: R, size: u64, policy: &InspectPolicy) -> Result<Facts, InspectError> {
    let source = Source { bytes, size };
    shape::check(source, policy.platform)?;
    if policy.platform.is_elf() {
        elf::read(source, policy)
    } else {
        macho::read(source, policy)
    }
}

/// The file, with every read checked against its size before anything is allocated.
#[derive(Clone, Copy)]
struct Source<R> {
    bytes: R,
    size: u64,
}

impl<'a, R: ReadRef<'a>> Source<R> {
    /// Whether `size` bytes at `offset` are in the file.
    fn check(&self, what: &'static str, offset: u64, size: u64) -> Result<(), InspectError> {
        if offset.checked_add(size).is_some_and(|end| end <= self.size) {
            return Ok(());
        }
        Err(InspectError::Truncated {
            what,
            offset,
            size,
            file: self.size,
        })
    }

    fn slice(&self, what: &'static str, offset: u64, size: u64) -> Result<&'a [u8], InspectError> {
        self.check(what, offset, size)?;
        self.bytes
            .read_bytes_at(offset, size)
            .map_err(|()| InspectError::Read(std::io::ErrorKind::UnexpectedEof.into()))
    }

    /// A table of `count` entries; unaligned tables are refused, no linker makes any.
    fn table<T: object::pod::Pod>(
        &self,
        what: &'static str,
        offset: u64,
        count: u64,
    ) -> Result<&'a [T], InspectError> {
        let size = count.saturating_mul(size_of::<T>() as u64);
        let bytes = self.slice(what, offset, size)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let (table, _) =
            object::pod::slice_from_bytes(bytes, count).map_err(|()| InspectError::Malformed {
                what,
                why: "is not aligned",
            })?;
        Ok(table)
    }
}

/// A name out of a string table, for messages and lists: printable and short whatever the file holds.
pub(crate) fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(200)])
        .chars()
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests;
