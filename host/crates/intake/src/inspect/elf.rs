//! ELF: the header, the segments, and where an address lies in the file.

use object::elf::{self, FileHeader64, ProgramFlags, ProgramHeader64};
use object::{LittleEndian as LE, ReadRef};

use super::dynamic::Dynamic;
use super::{Facts, InspectError, InspectPolicy, Platform, Source, note, symbols};

pub(super) fn read<'a, R: ReadRef<'a>>(
    source: Source<R>,
    policy: &InspectPolicy,
) -> Result<Facts, InspectError> {
    let header = header(source, policy.platform)?;
    let segments = Segments::read(source, header, policy)?;
    let named = notes(source, &segments, policy)?;
    let dynamic = Dynamic::read(source, &segments, policy)?;
    let (linkage, entry) = symbols::check(source, &segments, &dynamic, &named.note, policy)?;
    Ok(Facts {
        note: named.note,
        spoken: policy.contract,
        plugin: named.plugin,
        version: named.version,
        entry,
        linkage,
        mapped_bytes: segments.mapped_bytes,
    })
}

fn header<'a, R: ReadRef<'a>>(
    source: Source<R>,
    platform: Platform,
) -> Result<&'a FileHeader64<LE>, InspectError> {
    let ident = source.slice("ELF header", 0, 16)?;
    match ident[4] {
        2 => {}
        1 => return Err(InspectError::WrongClass { found: "32-bit" }),
        _ => {
            return Err(InspectError::Malformed {
                what: "ELF header",
                why: "has an unknown class",
            });
        }
    }
    match ident[5] {
        1 => {}
        2 => return Err(InspectError::WrongEndian { found: "big-endian" }),
        _ => {
            return Err(InspectError::Malformed {
                what: "ELF header",
                why: "has an unknown byte order",
            });
        }
    }
    let table = source.table::<FileHeader64<LE>>("ELF header", 0, 1)?;
    let header = table.first().ok_or(InspectError::Malformed {
        what: "ELF header",
        why: "is missing",
    })?;
    check_machine(header.e_machine.get(LE), platform)?;
    match header.e_type.get(LE) {
        elf::ET_DYN => {}
        elf::ET_EXEC => return Err(InspectError::Executable),
        elf::ET_REL => return Err(InspectError::Relocatable),
        elf::ET_CORE => return Err(InspectError::OtherType { found: "core dump" }),
        _ => {
            return Err(InspectError::OtherType {
                found: "file of an unknown type",
            });
        }
    }
    let current = (ident[6], header.e_version.get(LE)) == (1, 1);
    // The systems whose files the dynamic linker takes: System V and GNU.
    if !current || !matches!(ident[7], 0 | 3) {
        return Err(InspectError::Malformed {
            what: "ELF header",
            why: "is of another version or system",
        });
    }
    // Nothing reads the section headers, but linkers put them last: a file that lacks them was cut off.
    let sections = u64::from(header.e_shnum.get(LE)) * u64::from(header.e_shentsize.get(LE));
    if header.e_shoff.get(LE) != 0 {
        source.check("section header table", header.e_shoff.get(LE), sections)?;
    }
    Ok(header)
}

fn check_machine(found: elf::Machine, platform: Platform) -> Result<(), InspectError> {
    let wanted = if platform.arch() == "aarch64" {
        elf::EM_AARCH64
    } else {
        elf::EM_X86_64
    };
    if found == wanted {
        return Ok(());
    }
    let found = match found {
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        elf::EM_386 => "x86".to_owned(),
        elf::EM_ARM => "arm".to_owned(),
        elf::EM_RISCV => "riscv".to_owned(),
        elf::EM_PPC64 => "powerpc64".to_owned(),
        elf::EM_S390 => "s390x".to_owned(),
        other => format!("machine number {}", other.0),
    };
    Err(InspectError::WrongMachine {
        found,
        wanted: platform.arch(),
    })
}

/// A part of the file that is mapped.
#[derive(Clone, Copy, Debug)]
struct Load {
    offset: u64,
    start: u64,
    in_file: u64,
    in_memory: u64,
    flags: ProgramFlags,
}

impl Load {
    fn holds(&self, address: u64, size: u64, len: u64) -> bool {
        address >= self.start
            && address
                .checked_add(size)
                .is_some_and(|end| end - self.start <= len)
    }
}

/// The segments of a file, each inside it.
#[derive(Debug)]
pub(super) struct Segments<'a> {
    headers: &'a [ProgramHeader64<LE>],
    loads: Vec<Load>,
    pub(super) mapped_bytes: u64,
}

const WIDEST_PAGE: u64 = 64 << 10;
/// Where user space ends on every machine the host runs on.
const HIGHEST: u64 = 1 << 47;

const fn malformed(what: &'static str, why: &'static str) -> InspectError {
    InspectError::Malformed { what, why }
}

impl<'a> Segments<'a> {
    fn read<R: ReadRef<'a>>(
        source: Source<R>,
        header: &FileHeader64<LE>,
        policy: &InspectPolicy,
    ) -> Result<Self, InspectError> {
        let count = u64::from(header.e_phnum.get(LE));
        if count > policy.max_headers {
            return Err(InspectError::TooMany {
                what: "program headers",
                count,
                limit: policy.max_headers,
            });
        }
        if usize::from(header.e_phentsize.get(LE)) != size_of::<ProgramHeader64<LE>>() {
            return Err(malformed("program header table", "has entries of another size"));
        }
        let headers = source.table("program header table", header.e_phoff.get(LE), count)?;
        let mut segments = Self {
            headers,
            loads: Vec::new(),
            mapped_bytes: 0,
        };
        for header in headers {
            segments.take_in(source, header)?;
        }
        segments.measure(policy)?;
        for header in headers {
            segments.check_inside(header, count, policy)?;
        }
        let stack = headers.iter().find(|h| h.p_type.get(LE) == elf::PT_GNU_STACK);
        // Without that header the dynamic linker takes an executable stack to be wanted.
        if stack.is_none_or(|h| h.p_flags.get(LE).contains(elf::PF_X)) {
            return Err(InspectError::ExecutableStack);
        }
        Ok(segments)
    }

    fn take_in<R: ReadRef<'a>>(
        &mut self,
        source: Source<R>,
        header: &ProgramHeader64<LE>,
    ) -> Result<(), InspectError> {
        let kind = header.p_type.get(LE);
        let what = match kind {
            elf::PT_NULL | elf::PT_GNU_STACK => return Ok(()),
            elf::PT_INTERP => return Err(InspectError::Executable),
            elf::PT_LOAD => "loaded segment",
            elf::PT_DYNAMIC => "dynamic segment",
            elf::PT_NOTE => "note segment",
            elf::PT_TLS => "thread-local segment",
            _ => "segment",
        };
        let load = Load {
            offset: header.p_offset.get(LE),
            start: header.p_vaddr.get(LE),
            in_file: header.p_filesz.get(LE),
            in_memory: header.p_memsz.get(LE),
            flags: header.p_flags.get(LE),
        };
        source.check(what, load.offset, load.in_file)?;
        if kind != elf::PT_LOAD {
            return Ok(());
        }
        let bad = |why| Err(InspectError::BadSegments { why });
        let Some(end) = load
            .start
            .checked_add(load.in_memory)
            .filter(|end| *end <= HIGHEST)
        else {
            return bad("lie beyond the address space");
        };
        if load.in_file > load.in_memory {
            return bad("are larger in the file than in memory");
        }
        let align = header.p_align.get(LE).max(1);
        if !align.is_power_of_two() || align > 1 << 30 || load.start % align != load.offset % align {
            return bad("are not aligned as they say");
        }
        if end == load.start {
            return Ok(());
        }
        if self
            .loads
            .last()
            .is_some_and(|last| last.start + last.in_memory > load.start)
        {
            return bad("overlap or are out of order");
        }
        if load.flags.contains(elf::PF_W) && load.flags.contains(elf::PF_X) {
            return Err(InspectError::WritableCode);
        }
        self.loads.push(load);
        Ok(())
    }

    fn measure(&mut self, policy: &InspectPolicy) -> Result<(), InspectError> {
        let (Some(first), Some(last)) = (self.loads.first(), self.loads.last()) else {
            return Err(InspectError::BadSegments { why: "load nothing" });
        };
        self.mapped_bytes = last.start + last.in_memory - first.start;
        if self.mapped_bytes > policy.max_mapped_bytes {
            return Err(InspectError::TooMuchMemory {
                bytes: self.mapped_bytes,
                limit: policy.max_mapped_bytes,
            });
        }
        Ok(())
    }

    /// The linker and the unwinder go by addresses: what they read has to be in what is mapped.
    fn check_inside(
        &self,
        header: &ProgramHeader64<LE>,
        headers: u64,
        policy: &InspectPolicy,
    ) -> Result<(), InspectError> {
        let (start, size) = (header.p_vaddr.get(LE), header.p_memsz.get(LE));
        let (what, inside) = match header.p_type.get(LE) {
            elf::PT_TLS => {
                let limit = policy.max_mapped_bytes;
                if size > limit {
                    return Err(InspectError::TooMuchMemory { bytes: size, limit });
                }
                let align = header.p_align.get(LE).max(1);
                let file = header.p_filesz.get(LE);
                let fits = align.is_power_of_two() && align <= WIDEST_PAGE && file <= size;
                (
                    "thread-local segment",
                    fits && (file == 0 || self.in_file(start, file).is_some()),
                )
            }
            elf::PT_GNU_RELRO => ("read-only-after-relocation segment", self.spans(start, size)),
            elf::PT_PHDR => {
                let table = headers * size_of::<ProgramHeader64<LE>>() as u64;
                ("program header segment", self.in_file(start, table).is_some())
            }
            elf::PT_GNU_EH_FRAME => ("unwind table", self.in_file(start, size).is_some()),
            elf::PT_GNU_PROPERTY => ("property segment", self.in_file(start, size).is_some()),
            elf::PT_NOTE => ("note segment", size == 0 || self.in_file(start, size).is_some()),
            _ => return Ok(()),
        };
        if inside {
            Ok(())
        } else {
            Err(malformed(what, "is not in what is mapped"))
        }
    }

    fn spans(&self, start: u64, size: u64) -> bool {
        let end = self
            .loads
            .last()
            .map_or(0, |l| (l.start + l.in_memory).next_multiple_of(WIDEST_PAGE));
        self.loads.first().is_some_and(|l| start >= l.start)
            && start.checked_add(size).is_some_and(|e| e <= end)
    }

    /// Where in the file an address range lies, if all of it comes from the file.
    pub(super) fn in_file(&self, address: u64, size: u64) -> Option<u64> {
        let load = self
            .loads
            .iter()
            .find(|load| load.holds(address, size, load.in_file))?;
        Some(load.offset + (address - load.start))
    }

    /// How many bytes from `address` on come from the file in one piece.
    pub(super) fn file_bytes_from(&self, address: u64) -> u64 {
        let load = self
            .loads
            .iter()
            .find(|load| load.holds(address, 1, load.in_file));
        load.map_or(0, |load| load.in_file - (address - load.start))
    }

    /// Whether an address range is mapped with these rights.
    pub(super) fn in_memory(&self, address: u64, size: u64, flags: ProgramFlags) -> bool {
        self.loads
            .iter()
            .any(|load| load.flags.contains(flags) && load.holds(address, size, load.in_memory))
    }

    /// The one dynamic segment: its address and size.
    pub(super) fn dynamic(&self) -> Result<(u64, u64), InspectError> {
        let mut all = self
            .headers
            .iter()
            .filter(|h| h.p_type.get(LE) == elf::PT_DYNAMIC);
        let header = match (all.next(), all.next()) {
            (Some(header), None) => header,
            (None, _) => return Err(malformed("dynamic segment", "is missing")),
            (Some(_), Some(_)) => return Err(malformed("dynamic segment", "is there twice")),
        };
        let (start, size) = (header.p_vaddr.get(LE), header.p_filesz.get(LE));
        // The linker goes by the address, other tools by the offset: they have to see the same.
        if self.in_file(start, size) != Some(header.p_offset.get(LE)) {
            return Err(malformed("dynamic segment", "is not in what is mapped"));
        }
        Ok((start, size))
    }
}

fn notes<'a, R: ReadRef<'a>>(
    source: Source<R>,
    segments: &Segments<'a>,
    policy: &InspectPolicy,
) -> Result<note::Named, InspectError> {
    let mut finder = note::Finder::default();
    let mut total = 0_u64;
    for header in segments
        .headers
        .iter()
        .filter(|h| h.p_type.get(LE) == elf::PT_NOTE)
    {
        let (offset, size) = (header.p_offset.get(LE), header.p_filesz.get(LE));
        total = total.saturating_add(size);
        if total > policy.max_note_bytes {
            return Err(InspectError::TooMany {
                what: "bytes of notes",
                count: total,
                limit: policy.max_note_bytes,
            });
        }
        finder.scan(
            source.slice("note segment", offset, size)?,
            offset,
            header.p_align.get(LE),
        )?;
    }
    finder.finish(policy)
}
