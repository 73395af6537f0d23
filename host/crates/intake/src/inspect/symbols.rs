//! The dynamic symbols: what a plugin takes, offers and must not touch.
//!
//! A file does not say how many symbols it has. They are counted by the hash tables, which the linker uses to find a
//! symbol by its name, and by the relocations, which name symbols by their numbers; the highest count is taken.

use object::elf::{self, Sym64, SymbolSection};
use object::{LittleEndian as LE, ReadRef};
use plugin_api::note::NoteText;

use super::dynamic::Dynamic;
use super::elf::Segments;
use super::{Entry, InspectError, InspectPolicy, Linkage, Source, printable};

const fn malformed(what: &'static str, why: &'static str) -> InspectError {
    InspectError::Malformed { what, why }
}

/// Checks all symbols; gives what they amount to and the entry.
pub(super) fn check<'a, R: ReadRef<'a>>(
    source: Source<R>,
    segments: &Segments<'a>,
    dynamic: &Dynamic<'a>,
    note: &NoteText,
    policy: &InspectPolicy,
) -> Result<(Linkage, Entry), InspectError> {
    let table = Tables {
        source,
        segments,
        dynamic,
    };
    let count = table.count(policy)?;
    let symbols = table.symbols(count)?;
    table.check_versions(count)?;
    let entry = if note.foreign { Entry::C } else { Entry::Sdk };
    let mut linkage = Linkage {
        needed: dynamic.needed.clone(),
        ..Linkage::default()
    };
    let (mut has_entry, mut can_unwind) = (false, false);
    for symbol in symbols.iter().skip(1) {
        let bytes = dynamic.name(u64::from(symbol.st_name.get(LE)))?;
        let name = std::str::from_utf8(bytes).unwrap_or_default();
        if symbol.st_bind() == elf::STB_LOCAL {
            continue;
        }
        if symbol.st_shndx.get(LE) == SymbolSection(0) {
            linkage.imports += 1;
            can_unwind |= name == "_Unwind_RaiseException";
            if policy.forbidden_imports.contains(name) {
                return Err(InspectError::ForbiddenImport {
                    symbol: name.to_owned(),
                });
            }
            continue;
        }
        if symbol.st_bind() == elf::STB_GNU_UNIQUE {
            return Err(InspectError::UniqueSymbol {
                symbol: printable(bytes),
            });
        }
        if policy.reserved_symbols.contains(name) {
            return Err(InspectError::ReservedSymbol {
                symbol: name.to_owned(),
            });
        }
        let mapped = || segments.in_memory(symbol.st_value.get(LE), 1, elf::PF_R);
        has_entry |= name == entry.symbol() && mapped();
        if linkage.exports.len() < policy.max_exports_listed {
            linkage.exports.push(printable(bytes));
        }
    }
    // Measured with rustc 1.95: a Rust library imports it exactly when it can unwind, whatever its note says.
    if !note.foreign && !can_unwind {
        return Err(InspectError::PanicAbort);
    }
    if !has_entry {
        return Err(InspectError::NoEntry {
            symbol: entry.symbol(),
        });
    }
    Ok((linkage, entry))
}

struct Tables<'s, 'a, R> {
    source: Source<R>,
    segments: &'s Segments<'a>,
    dynamic: &'s Dynamic<'a>,
}

impl<'a, R: ReadRef<'a>> Tables<'_, 'a, R> {
    /// The little-endian words at an address.
    fn words(&self, what: &'static str, address: u64, count: u64) -> Result<&'a [[u8; 4]], InspectError> {
        let size = count.checked_mul(4).ok_or(malformed(what, "is too large"))?;
        let offset = self
            .segments
            .in_file(address, size)
            .ok_or(malformed(what, "is not in what is mapped"))?;
        Ok(self.source.slice(what, offset, size)?.as_chunks::<4>().0)
    }

    fn count(&self, policy: &InspectPolicy) -> Result<u64, InspectError> {
        let mut count = self.dynamic.symbols_named;
        if let Some(address) = self.dynamic.value(elf::DT_HASH) {
            count = count.max(self.count_by_hash(address)?);
        }
        if let Some(address) = self.dynamic.value(elf::DT_GNU_HASH) {
            count = count.max(self.count_by_gnu_hash(address, policy.max_symbols)?);
        }
        if count > policy.max_symbols {
            return Err(InspectError::TooMany {
                what: "symbols",
                count,
                limit: policy.max_symbols,
            });
        }
        Ok(count)
    }

    fn count_by_hash(&self, address: u64) -> Result<u64, InspectError> {
        const WHAT: &str = "hash table";
        let head = self.words(WHAT, address, 2)?;
        let (buckets, chains) = (word(head, 0), word(head, 1));
        if buckets == 0 {
            return Err(malformed(WHAT, "has no buckets"));
        }
        let table = self.words(WHAT, address, 2 + buckets + chains)?;
        // Every chain has to end: the linker follows them without counting.
        let next = |at: u64| word(table, 2 + buckets + at);
        let mut seen = 0;
        for bucket in 0..buckets {
            let mut at = word(table, 2 + bucket);
            while at != 0 {
                seen += 1;
                if at >= chains || seen > chains {
                    return Err(malformed(WHAT, "has a chain without an end"));
                }
                at = next(at);
            }
        }
        Ok(chains)
    }

    fn count_by_gnu_hash(&self, address: u64, limit: u64) -> Result<u64, InspectError> {
        const WHAT: &str = "GNU hash table";
        let head = self.words(WHAT, address, 4)?;
        let (buckets, first, bloom) = (word(head, 0), word(head, 1), word(head, 2));
        if buckets == 0 || !bloom.is_power_of_two() || word(head, 3) > 63 {
            return Err(malformed(WHAT, "has a head that makes no sense"));
        }
        // The filter has words of eight bytes; checking its place is enough.
        let table_at = address
            .checked_add(16 + bloom * 8)
            .ok_or(malformed(WHAT, "is too large"))?;
        self.words(WHAT, address, 4 + bloom * 2)?;
        let table = self.words(WHAT, table_at, buckets)?;
        let Some(last) = (0..buckets)
            .map(|n| word(table, n))
            .max()
            .filter(|last| *last != 0)
        else {
            return Ok(first);
        };
        if (0..buckets).map(|n| word(table, n)).any(|n| n != 0 && n < first) {
            return Err(malformed(WHAT, "has a bucket before its first symbol"));
        }
        if last > limit {
            return Err(InspectError::TooMany {
                what: "symbols",
                count: last,
                limit,
            });
        }
        // A chain ends at a hash with its lowest bit set. The one that starts last ends last.
        let chains_at = table_at + buckets * 4;
        let mut at = last;
        while at < limit {
            let address = chains_at
                .checked_add((at - first) * 4)
                .ok_or(malformed(WHAT, "is too large"))?;
            let block = (self.segments.file_bytes_from(address) / 4).clamp(1, BLOCK);
            let hashes = self.words(WHAT, address, block)?;
            if let Some(end) = (0..block).find(|n| word(hashes, *n) & 1 == 1) {
                return Ok(at + end + 1);
            }
            at += block;
        }
        Err(InspectError::TooMany {
            what: "symbols",
            count: at,
            limit,
        })
    }

    fn symbols(&self, count: u64) -> Result<&'a [Sym64<LE>], InspectError> {
        const WHAT: &str = "symbol table";
        let entry = size_of::<Sym64<LE>>() as u64;
        if self
            .dynamic
            .value(elf::DT_SYMENT)
            .is_some_and(|size| size != entry)
        {
            return Err(malformed(WHAT, "has entries of another size"));
        }
        let address = self
            .dynamic
            .value(elf::DT_SYMTAB)
            .ok_or(malformed(WHAT, "is missing"))?;
        let offset = self
            .segments
            .in_file(address, count * entry)
            .ok_or(malformed(WHAT, "is not in what is mapped"))?;
        self.source.table(WHAT, offset, count)
    }

    /// The linker takes a symbol's version out of a table by its number, without a look at the table's size.
    fn check_versions(&self, symbols: u64) -> Result<(), InspectError> {
        const WHAT: &str = "version table";
        let Some(address) = self.dynamic.value(elf::DT_VERSYM) else {
            return Ok(());
        };
        let size = symbols * 2;
        let offset = self
            .segments
            .in_file(address, size)
            .ok_or(malformed(WHAT, "is not in what is mapped"))?;
        let highest = self.highest_version()?;
        for number in self.source.slice(WHAT, offset, size)?.as_chunks::<2>().0 {
            // The top bit hides a symbol; 0 and 1 are local and unversioned.
            if u16::from_le_bytes(*number) & 0x7fff > highest {
                return Err(malformed(WHAT, "names a version that is not there"));
            }
        }
        Ok(())
    }

    fn highest_version(&self) -> Result<u16, InspectError> {
        let mut highest = 1;
        if let Some(at) = self.dynamic.value(elf::DT_VERNEED) {
            // Needed versions: per library a list of versions, their numbers in the upper half of the third word.
            self.walk(at, 3, |library, at| {
                self.dynamic.name(word(library, 1))?;
                let list = at
                    .checked_add(word(library, 2))
                    .ok_or(malformed("version table", "is too large"))?;
                self.walk(list, 3, |version, _| {
                    highest = highest.max((word(version, 1) >> 16) as u16 & 0x7fff);
                    self.dynamic.name(word(version, 2)).map(drop)
                })
            })?;
        }
        if let Some(at) = self.dynamic.value(elf::DT_VERDEF) {
            self.walk(at, 4, |defined, at| {
                highest = highest.max(word(defined, 1) as u16 & 0x7fff);
                let name_at = at
                    .checked_add(word(defined, 3))
                    .ok_or(malformed("version table", "is too large"))?;
                self.dynamic
                    .name(word(self.words("version table", name_at, 2)?, 0))
                    .map(drop)
            })?;
        }
        Ok(highest)
    }

    /// Follows a list whose entries say, in the word `next`, how far away the next one is.
    fn walk(
        &self,
        mut at: u64,
        next: u64,
        mut visit: impl FnMut(&'a [[u8; 4]], u64) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        const WHAT: &str = "version table";
        for _ in 0..MAX_VERSIONS {
            let entry = self.words(WHAT, at, next + 1)?;
            visit(entry, at)?;
            match word(entry, next) {
                0 => return Ok(()),
                by => at = at.checked_add(by).ok_or(malformed(WHAT, "is too large"))?,
            }
        }
        Err(InspectError::TooMany {
            what: "versions",
            count: MAX_VERSIONS,
            limit: MAX_VERSIONS,
        })
    }
}

/// How many hashes are read in one go.
const BLOCK: u64 = 256;

/// The longest list of versions that is followed; the C library itself has about fifty.
const MAX_VERSIONS: u64 = 512;

fn word(words: &[[u8; 4]], at: u64) -> u64 {
    let word = usize::try_from(at).ok().and_then(|at| words.get(at));
    word.map_or(0, |word| u64::from(u32::from_le_bytes(*word)))
}
