//! Mach-O: the same questions as for ELF, asked of load commands.
//!
//! The dynamic linker of macOS checks signatures and bounds itself, so what is read here is the note, the libraries and
//! the symbols.

use object::macho::{self, DylibCommand, MachHeader64, Nlist64, Section64, SegmentCommand64, SymtabCommand};
use object::read::macho::MachHeader as _;
use object::{LittleEndian as LE, ReadRef};
use plugin_api::note::NOTE_SECTION_MACHO;

use super::{Entry, Facts, InspectError, InspectPolicy, Linkage, Platform, Source, note, printable};

const fn malformed(what: &'static str, why: &'static str) -> InspectError {
    InspectError::Malformed { what, why }
}

/// What the load commands told.
struct Found<'a> {
    finder: note::Finder<'a>,
    linkage: Linkage,
    mapped_bytes: u64,
    symbols: Option<&'a SymtabCommand<LE>>,
}

pub(super) fn read<'a, R: ReadRef<'a>>(
    source: Source<R>,
    policy: &InspectPolicy,
) -> Result<Facts, InspectError> {
    const WHAT: &str = "load commands";
    let header = header(source, policy.platform)?;
    let (count, size) = (header.ncmds.get(LE), header.sizeofcmds.get(LE));
    if u64::from(count) > policy.max_headers {
        let limit = policy.max_headers;
        return Err(InspectError::TooMany {
            what: WHAT,
            count: count.into(),
            limit,
        });
    }
    source.check(WHAT, size_of::<MachHeader64<LE>>() as u64, size.into())?;
    let mut found = Found {
        finder: note::Finder::default(),
        linkage: Linkage::default(),
        mapped_bytes: 0,
        symbols: None,
    };
    let broken = |_| malformed(WHAT, "cannot be read");
    let mut commands = header.load_commands(LE, source.bytes, 0).map_err(broken)?;
    while let Some(command) = commands.next().map_err(broken)? {
        match command.cmd() {
            macho::LC_SEGMENT_64 => {
                if let Some((segment, sections)) = command.segment_64().map_err(broken)? {
                    found.take_segment(source, segment, sections, policy)?;
                }
            }
            macho::LC_LOAD_DYLIB | macho::LC_LOAD_WEAK_DYLIB | macho::LC_REEXPORT_DYLIB => {
                let dylib: &DylibCommand<LE> = command.data().map_err(broken)?;
                let name = command.string(LE, dylib.dylib.name).map_err(broken)?;
                found.take_library(name, policy)?;
            }
            macho::LC_RPATH => return Err(InspectError::RunPath { tag: "RPATH" }),
            macho::LC_SYMTAB => found.symbols = Some(command.data().map_err(broken)?),
            _ => {}
        }
    }
    let named = found.finder.finish(policy)?;
    let entry = if named.note.foreign { Entry::C } else { Entry::Sdk };
    let mut linkage = found.linkage;
    let symbols = found.symbols.ok_or(malformed("symbol table", "is missing"))?;
    check_symbols(source, symbols, entry, &mut linkage, policy)?;
    Ok(Facts {
        note: named.note,
        spoken: policy.contract,
        plugin: named.plugin,
        version: named.version,
        entry,
        linkage,
        mapped_bytes: found.mapped_bytes,
    })
}

fn header<'a, R: ReadRef<'a>>(
    source: Source<R>,
    platform: Platform,
) -> Result<&'a MachHeader64<LE>, InspectError> {
    match source.slice("Mach-O header", 0, 4)? {
        b"\xcf\xfa\xed\xfe" => {}
        b"\xce\xfa\xed\xfe" => return Err(InspectError::WrongClass { found: "32-bit" }),
        b"\xca\xfe\xba\xbe" => {
            return Err(InspectError::ForeignFormat {
                format: "a universal binary",
            });
        }
        _ => return Err(InspectError::WrongEndian { found: "big-endian" }),
    }
    let table = source.table::<MachHeader64<LE>>("Mach-O header", 0, 1)?;
    let header = table.first().ok_or(malformed("Mach-O header", "is missing"))?;
    let wanted = match platform {
        Platform::MachOAarch64 | Platform::ElfAarch64 => macho::CPU_TYPE_ARM64,
        Platform::MachOX86_64 | Platform::ElfX86_64 => macho::CPU_TYPE_X86_64,
    };
    let found = header.cputype.get(LE);
    if found != wanted {
        let found = match found {
            macho::CPU_TYPE_ARM64 => "aarch64".to_owned(),
            macho::CPU_TYPE_X86_64 => "x86_64".to_owned(),
            other => format!("machine number {}", other.0),
        };
        return Err(InspectError::WrongMachine {
            found,
            wanted: platform.arch(),
        });
    }
    match header.filetype.get(LE) {
        macho::MH_DYLIB | macho::MH_BUNDLE => Ok(header),
        macho::MH_EXECUTE => Err(InspectError::Executable),
        macho::MH_OBJECT => Err(InspectError::Relocatable),
        macho::MH_CORE => Err(InspectError::OtherType { found: "core dump" }),
        _ => Err(InspectError::OtherType {
            found: "file of another type",
        }),
    }
}

impl<'a> Found<'a> {
    fn take_segment<R: ReadRef<'a>>(
        &mut self,
        source: Source<R>,
        segment: &SegmentCommand64<LE>,
        sections: &'a [u8],
        policy: &InspectPolicy,
    ) -> Result<(), InspectError> {
        source.check(
            "loaded segment",
            segment.fileoff.get(LE),
            segment.filesize.get(LE),
        )?;
        self.mapped_bytes = self.mapped_bytes.saturating_add(segment.vmsize.get(LE));
        if self.mapped_bytes > policy.max_mapped_bytes {
            let limit = policy.max_mapped_bytes;
            return Err(InspectError::TooMuchMemory {
                bytes: self.mapped_bytes,
                limit,
            });
        }
        let count = segment.nsects.get(LE) as usize;
        let (table, _) = object::pod::slice_from_bytes::<Section64<LE>>(sections, count)
            .map_err(|()| malformed("section table", "is longer than its command"))?;
        let named = |field: &[u8; 16], name: &str| field.split(|b| *b == 0).next() == Some(name.as_bytes());
        for section in table {
            let (offset, size) = (u64::from(section.offset.get(LE)), section.size.get(LE));
            if !named(&section.segname, NOTE_SECTION_MACHO.0)
                || !named(&section.sectname, NOTE_SECTION_MACHO.1)
            {
                continue;
            }
            if size > policy.max_note_bytes {
                let limit = policy.max_note_bytes;
                return Err(InspectError::TooMany {
                    what: "bytes of notes",
                    count: size,
                    limit,
                });
            }
            self.finder
                .scan(source.slice("note section", offset, size)?, offset, 4)?;
        }
        Ok(())
    }

    fn take_library(&mut self, name: &[u8], policy: &InspectPolicy) -> Result<(), InspectError> {
        let text = std::str::from_utf8(name).unwrap_or_default();
        let of_system = !text.contains("/../")
            && ["/usr/lib/", "/System/Library/"]
                .iter()
                .any(|start| text.starts_with(start));
        if !of_system && !policy.allowed_libraries.contains(text) {
            return Err(InspectError::LibraryNotAllowed {
                library: printable(name),
            });
        }
        self.linkage.needed.push(printable(name));
        Ok(())
    }
}

fn check_symbols<'a, R: ReadRef<'a>>(
    source: Source<R>,
    table: &SymtabCommand<LE>,
    entry: Entry,
    linkage: &mut Linkage,
    policy: &InspectPolicy,
) -> Result<(), InspectError> {
    let count = u64::from(table.nsyms.get(LE));
    if count > policy.max_symbols {
        return Err(InspectError::TooMany {
            what: "symbols",
            count,
            limit: policy.max_symbols,
        });
    }
    let symbols = source.table::<Nlist64<LE>>("symbol table", table.symoff.get(LE).into(), count)?;
    let strings = source.slice(
        "string table",
        table.stroff.get(LE).into(),
        u64::from(table.strsize.get(LE)),
    )?;
    let (mut has_entry, mut can_unwind) = (false, false);
    for symbol in symbols {
        // Debugging entries, and symbols that only this file sees.
        if symbol.n_type.0 & 0xe0 != 0 || symbol.n_type.0 & 1 == 0 {
            continue;
        }
        let rest = strings.get(symbol.n_strx.get(LE) as usize..);
        let bytes = rest.and_then(|rest| rest.split(|b| *b == 0).next());
        let bytes = bytes.ok_or(malformed("string table", "lacks a name"))?;
        let bytes = bytes.strip_prefix(b"_").unwrap_or(bytes);
        let name = std::str::from_utf8(bytes).unwrap_or_default();
        if symbol.n_type.0 & 0x0e == 0 {
            linkage.imports += 1;
            can_unwind |= name == "_Unwind_RaiseException";
            if policy.forbidden_imports.contains(name) {
                return Err(InspectError::ForbiddenImport {
                    symbol: name.to_owned(),
                });
            }
            continue;
        }
        if policy.reserved_symbols.contains(name) {
            return Err(InspectError::ReservedSymbol {
                symbol: name.to_owned(),
            });
        }
        has_entry |= name == entry.symbol();
        if linkage.exports.len() < policy.max_exports_listed {
            linkage.exports.push(printable(bytes));
        }
    }
    if entry == Entry::Sdk && !can_unwind {
        return Err(InspectError::PanicAbort);
    }
    if has_entry {
        Ok(())
    } else {
        Err(InspectError::NoEntry {
            symbol: entry.symbol(),
        })
    }
}
