//! The dynamic table: what the linker will read, need and write.

use object::elf::{self, Dyn64, DynamicTag, Rela64};
use object::{LittleEndian as LE, ReadRef};

use super::elf::Segments;
use super::{InspectError, InspectPolicy, Source, printable};

/// The dynamic table of a file, with its tables inside the file.
#[derive(Debug)]
pub(super) struct Dynamic<'a> {
    entries: &'a [Dyn64<LE>],
    strings: &'a [u8],
    pub(super) needed: Vec<String>,
    /// One more than the highest symbol a relocation names.
    pub(super) symbols_named: u64,
}

const fn malformed(what: &'static str, why: &'static str) -> InspectError {
    InspectError::Malformed { what, why }
}

impl<'a> Dynamic<'a> {
    pub(super) fn read<R: ReadRef<'a>>(
        source: Source<R>,
        segments: &Segments<'a>,
        policy: &InspectPolicy,
    ) -> Result<Self, InspectError> {
        const WHAT: &str = "dynamic segment";
        let (address, size) = segments.dynamic()?;
        let count = size / size_of::<Dyn64<LE>>() as u64;
        if count > policy.max_headers {
            return Err(InspectError::TooMany {
                what: "dynamic entries",
                count,
                limit: policy.max_headers,
            });
        }
        let offset = segments
            .in_file(address, size)
            .ok_or(malformed(WHAT, "is not in what is mapped"))?;
        let entries = source.table::<Dyn64<LE>>(WHAT, offset, count)?;
        let end = entries.iter().position(|e| e.d_tag.get(LE) == elf::DT_NULL);
        let entries = &entries[..end.ok_or(malformed(WHAT, "has no end"))?];
        let mut dynamic = Self {
            entries,
            strings: &[],
            needed: Vec::new(),
            symbols_named: 0,
        };
        dynamic.strings = dynamic
            .bytes(source, segments, "string table", elf::DT_STRTAB, elf::DT_STRSZ)?
            .ok_or(malformed("string table", "is missing"))?;
        dynamic.check_flags()?;
        dynamic.check_libraries(policy)?;
        dynamic.check_code(source, segments)?;
        dynamic.check_relocations(source, segments, policy)?;
        Ok(dynamic)
    }

    /// The value of a tag; the last one counts, as it does for the linker.
    pub(super) fn value(&self, tag: DynamicTag) -> Option<u64> {
        self.entries
            .iter()
            .rev()
            .find(|e| e.d_tag.get(LE) == tag)
            .map(|e| e.d_val.get(LE))
    }

    /// A name out of the string table.
    pub(super) fn name(&self, at: u64) -> Result<&'a [u8], InspectError> {
        let rest = usize::try_from(at).ok().and_then(|at| self.strings.get(at..));
        let end = rest.and_then(|rest| rest.iter().position(|b| *b == 0));
        rest.zip(end)
            .map(|(rest, end)| &rest[..end])
            .ok_or(malformed("string table", "lacks a name"))
    }

    /// The bytes of a table that is given by an address and a size; `None` when there is no such table.
    pub(super) fn bytes<R: ReadRef<'a>>(
        &self,
        source: Source<R>,
        segments: &Segments<'a>,
        what: &'static str,
        at: DynamicTag,
        size: DynamicTag,
    ) -> Result<Option<&'a [u8]>, InspectError> {
        let Some(address) = self.value(at) else {
            return Ok(None);
        };
        let size = self.value(size).ok_or(malformed(what, "has no size"))?;
        if size == 0 {
            return Ok(Some(&[]));
        }
        let offset = segments
            .in_file(address, size)
            .ok_or(malformed(what, "is not in what is mapped"))?;
        source.slice(what, offset, size).map(Some)
    }

    fn check_flags(&self) -> Result<(), InspectError> {
        let has = |tag| self.value(tag).is_some();
        let flags = elf::DynamicFlags(self.value(elf::DT_FLAGS).unwrap_or(0));
        let flags_1 = elf::DynamicFlags1(self.value(elf::DT_FLAGS_1).unwrap_or(0));
        if flags_1.contains(elf::DF_1_PIE) {
            return Err(InspectError::Executable);
        }
        if flags_1.contains(elf::DF_1_NODELETE) {
            return Err(InspectError::NoDelete);
        }
        if has(elf::DT_TEXTREL) || flags.contains(elf::DF_TEXTREL) {
            return Err(InspectError::TextRelocations);
        }
        for (tag, name) in [(elf::DT_RUNPATH, "RUNPATH"), (elf::DT_RPATH, "RPATH")] {
            if has(tag) {
                return Err(InspectError::RunPath { tag: name });
            }
        }
        let flagged = [
            (flags_1.contains(elf::DF_1_GLOBAL), "GLOBAL"),
            (flags_1.contains(elf::DF_1_INTERPOSE), "INTERPOSE"),
            (flags_1.contains(elf::DF_1_INITFIRST), "INITFIRST"),
            (flags_1.contains(elf::DF_1_NOOPEN), "NOOPEN"),
            (has(elf::DT_AUDIT) || has(elf::DT_DEPAUDIT), "AUDIT"),
            (has(elf::DT_FILTER) || has(elf::DT_AUXILIARY), "FILTER"),
        ];
        flagged
            .iter()
            .find(|(set, _)| *set)
            .map_or(Ok(()), |&(_, flag)| Err(InspectError::LinkerFlag { flag }))
    }

    fn check_libraries(&mut self, policy: &InspectPolicy) -> Result<(), InspectError> {
        let allowed =
            |name: &[u8]| std::str::from_utf8(name).is_ok_and(|name| policy.allowed_libraries.contains(name));
        for entry in self.entries.iter().filter(|e| e.d_tag.get(LE) == elf::DT_NEEDED) {
            let name = self.name(entry.d_val.get(LE))?;
            if !allowed(name) {
                return Err(InspectError::LibraryNotAllowed {
                    library: printable(name),
                });
            }
            self.needed.push(printable(name));
        }
        // Under such a name it would be taken for that library by whatever is loaded later.
        if let Some(at) = self.value(elf::DT_SONAME)
            && let name = self.name(at)?
            && allowed(name)
        {
            return Err(InspectError::ReservedSymbol {
                symbol: printable(name),
            });
        }
        Ok(())
    }

    fn check_code<R: ReadRef<'a>>(
        &self,
        source: Source<R>,
        segments: &Segments<'a>,
    ) -> Result<(), InspectError> {
        for (tag, what) in [(elf::DT_INIT, "constructor"), (elf::DT_FINI, "destructor")] {
            if self
                .value(tag)
                .is_some_and(|at| at != 0 && !segments.in_memory(at, 1, elf::PF_X))
            {
                return Err(malformed(what, "is not in its code"));
            }
        }
        let arrays = [
            ("constructor table", elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ),
            ("destructor table", elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ),
        ];
        for (what, at, size) in arrays {
            if self
                .bytes(source, segments, what, at, size)?
                .is_some_and(|table| table.len() % 8 != 0)
            {
                return Err(malformed(what, "ends in the middle of an entry"));
            }
        }
        Ok(())
    }

    fn check_relocations<R: ReadRef<'a>>(
        &mut self,
        source: Source<R>,
        segments: &Segments<'a>,
        policy: &InspectPolicy,
    ) -> Result<(), InspectError> {
        const WHAT: &str = "relocation table";
        if self.value(elf::DT_REL).is_some() {
            return Err(malformed(WHAT, "is of a kind that this machine does not use"));
        }
        let sized = |tag, size| self.value(tag).is_none_or(|found| found == size);
        if !sized(elf::DT_RELAENT, 24) || !sized(elf::DT_RELRENT, 8) || !sized(elf::DT_PLTREL, 7) {
            return Err(malformed(WHAT, "has entries of another size"));
        }
        let tables = [
            (elf::DT_RELA, elf::DT_RELASZ),
            (elf::DT_JMPREL, elf::DT_PLTRELSZ),
            (elf::DT_RELR, elf::DT_RELRSZ),
        ];
        for (at, size) in tables {
            let Some(bytes) = self.bytes(source, segments, WHAT, at, size)? else {
                continue;
            };
            let entry = if at == elf::DT_RELR {
                8
            } else {
                size_of::<Rela64<LE>>()
            };
            let count = bytes.len() / entry;
            if count as u64 > policy.max_relocations {
                let limit = policy.max_relocations;
                return Err(InspectError::TooMany {
                    what: "relocations",
                    count: count as u64,
                    limit,
                });
            }
            if bytes.len() % entry != 0 {
                return Err(malformed(WHAT, "ends in the middle of an entry"));
            }
            let targets_fit = if at == elf::DT_RELR {
                packed_targets_fit(bytes, segments)
            } else {
                self.targets_fit(bytes, count, segments)?
            };
            if !targets_fit {
                return Err(malformed(WHAT, "writes to memory that is not writable"));
            }
        }
        Ok(())
    }

    fn targets_fit(
        &mut self,
        bytes: &[u8],
        count: usize,
        segments: &Segments<'a>,
    ) -> Result<bool, InspectError> {
        let (table, _) = object::pod::slice_from_bytes::<Rela64<LE>>(bytes, count)
            .map_err(|()| malformed("relocation table", "is not aligned"))?;
        let mut fit = true;
        for entry in table {
            let info = entry.r_info.get(LE);
            self.symbols_named = self.symbols_named.max((info >> 32) + 1);
            // Type 0 is no relocation.
            fit &= info & 0xffff_ffff == 0 || segments.in_memory(entry.r_offset.get(LE), 8, elf::PF_W);
        }
        Ok(fit)
    }
}

/// Checks the compact form: an even word is a place, an odd one a bitmap of the 63 places behind the last.
fn packed_targets_fit(bytes: &[u8], segments: &Segments<'_>) -> bool {
    let writable = |at: u64| segments.in_memory(at, 8, elf::PF_W);
    let mut base = 0_u64;
    for word in bytes.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*word);
        if word & 1 == 0 {
            if !writable(word) {
                return false;
            }
            base = word.wrapping_add(8);
            continue;
        }
        let places = (0..63)
            .filter(|bit| (word >> 1) >> bit & 1 == 1)
            .map(|bit| base.checked_add(bit * 8));
        if !places.into_iter().all(|at| at.is_some_and(writable)) {
            return false;
        }
        base = base.wrapping_add(63 * 8);
    }
    true
}
