//! The note: what a host can know of a plugin without running a line of it.
//!
//! An ELF note (owner `Patchbay`, type 1) in the section `.note.patchbay`, which the linker places in a `PT_NOTE`
//! segment; on Mach-O the same bytes in `__DATA,__patchbay`. All integers are little-endian. Texts are UTF-8,
//! padded with NULs to their field's size and ended by at least one NUL.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | owner's size, 9 |
//! | 4 | 4 | descriptor's size, 288 |
//! | 8 | 4 | type, 1 |
//! | 12 | 12 | owner, `Patchbay` and NULs |
//! | 24 | 4 | contract major |
//! | 28 | 4 | contract minor the plugin needs: the least that it can work with |
//! | 32 | 4 | flags: bit 0 built with `panic=abort`, bit 1 written without the Rust SDK |
//! | 36 | 4 | zero |
//! | 40 | 64 | plugin name |
//! | 104 | 48 | plugin version |
//! | 152 | 32 | SDK version |
//! | 184 | 64 | compiler |
//! | 248 | 64 | target |

use std::fmt;

/// The note's owner field, without its NUL.
pub const NOTE_OWNER: &str = "Patchbay";
/// The note's type field.
pub const NOTE_TYPE: u32 = 1;
/// The ELF section that carries the note.
pub const NOTE_SECTION: &str = ".note.patchbay";
/// The Mach-O segment and section that carry the note.
pub const NOTE_SECTION_MACHO: (&str, &str) = ("__DATA", "__patchbay");
/// Size of the descriptor in bytes.
pub const NOTE_DESC_SIZE: usize = 288;

const FLAG_PANIC_ABORT: u32 = 1;
const FLAG_FOREIGN: u32 = 2;
const NAME: usize = 64;
const VERSION: usize = 48;
const SDK: usize = 32;
const COMPILER: usize = 64;
const TARGET: usize = 64;

/// The note as it lies in the file.
#[repr(C)]
#[derive(Debug)]
pub struct Note {
    owner_size: u32,
    desc_size: u32,
    kind: u32,
    owner: [u8; 12],
    contract_major: u32,
    contract_minor: u32,
    flags: u32,
    zero: u32,
    name: [u8; NAME],
    version: [u8; VERSION],
    sdk: [u8; SDK],
    compiler: [u8; COMPILER],
    target: [u8; TARGET],
}

const _: () = {
    assert!(size_of::<Note>() == 24 + NOTE_DESC_SIZE);
    assert!(std::mem::offset_of!(Note, contract_major) == 24);
    assert!(std::mem::offset_of!(Note, name) == 40);
    assert!(std::mem::offset_of!(Note, version) == 104);
    assert!(std::mem::offset_of!(Note, sdk) == 152);
    assert!(std::mem::offset_of!(Note, compiler) == 184);
    assert!(std::mem::offset_of!(Note, target) == 248);
};

/// Pads `text` with NULs; a text that does not fit stops the build.
const fn padded<const N: usize>(text: &str) -> [u8; N] {
    let bytes = text.as_bytes();
    assert!(
        bytes.len() < N,
        "a text is too long for the plugin's note (name 63, version 47 bytes)"
    );
    let mut field = [0; N];
    let mut at = 0;
    while at < bytes.len() {
        field[at] = bytes[at];
        at += 1;
    }
    field
}

impl Note {
    /// The note of a plugin that is built with this SDK; `export_plugin!` emits it.
    #[must_use]
    pub const fn of_this_build(name: &str, version: &str, needs: crate::Contract) -> Self {
        let flags = if cfg!(panic = "abort") {
            FLAG_PANIC_ABORT
        } else {
            0
        };
        Self {
            owner_size: NOTE_OWNER.len() as u32 + 1,
            desc_size: NOTE_DESC_SIZE as u32,
            kind: NOTE_TYPE,
            owner: padded(NOTE_OWNER),
            contract_major: needs.major,
            contract_minor: needs.minor,
            flags,
            zero: 0,
            name: padded(name),
            version: padded(version),
            sdk: padded(crate::SDK_VERSION),
            compiler: padded(env!("PLUGIN_API_COMPILER")),
            target: padded(env!("PLUGIN_API_TARGET")),
        }
    }
}

/// What a note says, read from bytes that nobody vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteText {
    /// The least contract that the plugin can work with.
    pub contract: crate::Contract,
    /// Built so that a panic ends the process.
    pub panic_abort: bool,
    /// Written without the Rust SDK.
    pub foreign: bool,
    /// The plugin's name, unchecked.
    pub name: String,
    /// The plugin's version, unchecked.
    pub version: String,
    /// Version of the SDK it was built with; empty for a foreign plugin.
    pub sdk: String,
    /// The compiler that built it.
    pub compiler: String,
    /// The target triple it was built for.
    pub target: String,
}

/// Why a note's descriptor is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadNote {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for BadNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the note's {} {}", self.field, self.reason)
    }
}

impl std::error::Error for BadNote {}

impl NoteText {
    /// Reads a note's descriptor (the bytes after the owner field).
    ///
    /// # Errors
    /// When its size, a text or a reserved field is not as the format says.
    pub fn parse(desc: &[u8]) -> Result<Self, BadNote> {
        let desc: &[u8; NOTE_DESC_SIZE] = desc.try_into().map_err(|_| BadNote {
            field: "descriptor",
            reason: "does not have 288 bytes",
        })?;
        let (head, texts) = desc.split_at(16);
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if word(12) != 0 {
            return Err(BadNote {
                field: "reserved word",
                reason: "is not zero",
            });
        }
        let flags = word(8);
        if flags & !(FLAG_PANIC_ABORT | FLAG_FOREIGN) != 0 {
            return Err(BadNote {
                field: "flags",
                reason: "have unknown bits",
            });
        }
        let (name, rest) = texts.split_at(NAME);
        let (version, rest) = rest.split_at(VERSION);
        let (sdk, rest) = rest.split_at(SDK);
        let (compiler, target) = rest.split_at(COMPILER);
        Ok(Self {
            contract: crate::Contract {
                major: word(0),
                minor: word(4),
            },
            panic_abort: flags & FLAG_PANIC_ABORT != 0,
            foreign: flags & FLAG_FOREIGN != 0,
            name: text("name", name)?,
            version: text("version", version)?,
            sdk: text("SDK version", sdk)?,
            compiler: text("compiler", compiler)?,
            target: text("target", target)?,
        })
    }
}

fn text(field: &'static str, bytes: &[u8]) -> Result<String, BadNote> {
    let end = bytes.iter().position(|&b| b == 0).ok_or(BadNote {
        field,
        reason: "is not ended by a NUL",
    })?;
    let (text, padding) = bytes.split_at(end);
    if padding.iter().any(|&b| b != 0) {
        return Err(BadNote {
            field,
            reason: "has bytes after its end",
        });
    }
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| BadNote {
        field,
        reason: "is not valid UTF-8",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Vec<u8> {
        let mut desc = Vec::new();
        for word in [crate::CONTRACT.major, crate::CONTRACT.minor, 0, 0] {
            desc.extend_from_slice(&word.to_le_bytes());
        }
        desc.extend_from_slice(&padded::<NAME>("echo"));
        desc.extend_from_slice(&padded::<VERSION>("1.2.3"));
        desc.extend_from_slice(&padded::<SDK>("0.1.0"));
        desc.extend_from_slice(&padded::<COMPILER>("rustc"));
        desc.extend_from_slice(&padded::<TARGET>("x86_64"));
        desc
    }

    #[test]
    fn a_note_reads_back_what_was_written() {
        let note = NoteText::parse(&good()).unwrap();
        assert_eq!((note.name.as_str(), note.version.as_str()), ("echo", "1.2.3"));
        assert_eq!(note.contract, crate::CONTRACT);
    }

    #[test]
    fn every_cut_and_every_broken_field_is_refused() {
        let good = good();
        for len in 0..good.len() {
            assert!(NoteText::parse(&good[..len]).is_err());
        }
        for (at, byte) in [(11, 0x80), (12, 1), (16, 0xff), (79, b'x'), (21, b'x')] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(NoteText::parse(&bad).is_err(), "byte {at}");
        }
    }
}
