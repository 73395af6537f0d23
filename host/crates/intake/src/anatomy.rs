//! What an inspected file is made of, for its author.
//!
//! Invariant: nothing here decides whether a file is fit; what cannot be read is left out.

use std::fs::File;
use std::io;

use object::elf;
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol, ReadCache, SectionFlags};

use crate::Inspected;
use crate::inspect::printable;

/// Names of each kind that are listed.
const MOST_NAMES: usize = 10_000;

/// Where the bytes of a file go, and the names it shares with others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// Machine code.
    pub code: u64,
    /// What is only read: constants, tables for unwinding, relocations, dynamic symbols.
    pub constants: u64,
    /// What is written to.
    pub variables: u64,
    /// Debug information.
    pub debug: u64,
    /// Symbols that only tools need.
    pub symbols: u64,
    /// The symbols taken from other libraries.
    pub imports: Vec<String>,
    /// The symbols offered to them.
    pub exports: Vec<String>,
}

/// Takes an inspected file apart; a file that is no ELF file has no parts here.
///
/// # Errors
/// When the private copy cannot be read.
pub fn dissect(inspected: &Inspected) -> io::Result<Anatomy> {
    let bytes = ReadCache::new(File::open(inspected.path())?);
    let mut anatomy = Anatomy::default();
    let Ok(file) = ElfFile64::<LittleEndian, _>::parse(&bytes) else {
        return Ok(anatomy);
    };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        let size = section.file_range().map_or(0, |(_, size)| size);
        let name = section.name_bytes().unwrap_or_default();
        let has = |flag: elf::SectionFlags| sh_flags.contains(flag);
        let part = if has(elf::SHF_EXECINSTR) {
            &mut anatomy.code
        } else if has(elf::SHF_ALLOC) && has(elf::SHF_WRITE) {
            &mut anatomy.variables
        } else if has(elf::SHF_ALLOC) {
            &mut anatomy.constants
        } else if name.starts_with(b".debug") || name.starts_with(b".zdebug") {
            &mut anatomy.debug
        } else {
            &mut anatomy.symbols
        };
        *part = part.saturating_add(size);
    }
    for symbol in file.dynamic_symbols() {
        let Ok(name) = symbol.name_bytes() else { continue };
        if name.is_empty() || symbol.is_local() {
            continue;
        }
        let names = if symbol.is_undefined() {
            &mut anatomy.imports
        } else {
            &mut anatomy.exports
        };
        if names.len() < MOST_NAMES {
            names.push(printable(name));
        }
    }
    anatomy.imports.sort();
    anatomy.exports.sort();
    Ok(anatomy)
}
