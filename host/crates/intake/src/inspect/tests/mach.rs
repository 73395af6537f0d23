//! Mach-O files cannot be run here: hand-made ones show that each question is asked.

use super::*;

fn policy() -> InspectPolicy {
    InspectPolicy {
        platform: Platform::MachOAarch64,
        ..standard()
    }
}

struct Image {
    commands: Vec<Vec<u8>>,
    tail: Vec<u8>,
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    field[..text.len()].copy_from_slice(text.as_bytes());
    field
}

const CPU_ARM64: u32 = 0x0100_000c;
const DYLIB: u32 = 6;
/// Where the bytes behind the commands start.
const TAIL: u32 = 4096;

impl Image {
    /// A note section and a symbol table with these external symbols; `true` marks defined ones.
    fn new(note: &[u8], sections: u32, symbols: &[(&str, bool)]) -> Self {
        let mut segment = words(&[0x19, 72 + 80 * sections]);
        segment.extend(text::<16>("__DATA"));
        for word in [0, 4096, u64::from(TAIL), note.len() as u64] {
            segment.extend(u64::to_le_bytes(word));
        }
        segment.extend(words(&[3, 3, sections, 0]));
        for _ in 0..sections {
            segment.extend(text::<16>("__patchbay"));
            segment.extend(text::<16>("__DATA"));
            segment.extend(0_u64.to_le_bytes());
            segment.extend((note.len() as u64).to_le_bytes());
            segment.extend(words(&[TAIL, 2, 0, 0, 0, 0, 0, 0]));
        }
        let (mut tail, mut strings, mut table) = (note.to_vec(), vec![0], Vec::new());
        tail.resize(tail.len().next_multiple_of(8), 0);
        for (name, defined) in symbols {
            table.extend(words(&[strings.len() as u32]));
            table.extend([if *defined { 0x0f } else { 0x01 }, 0, 0, 0]);
            table.extend(0_u64.to_le_bytes());
            strings.extend(format!("_{name}\0").into_bytes());
        }
        let symbols_at = TAIL + tail.len() as u32;
        let strings_at = symbols_at + table.len() as u32;
        let count = symbols.len() as u32;
        let symtab = words(&[0x2, 24, symbols_at, count, strings_at, strings.len() as u32]);
        tail.extend(table);
        tail.extend(strings);
        Self {
            commands: vec![segment, symtab],
            tail,
        }
    }

    fn library(mut self, command: u32, name: &str) -> Self {
        let mut bytes = words(&[command, 24 + 64, 24, 0, 0, 0]);
        bytes.extend(text::<64>(name));
        self.commands.push(bytes);
        self
    }

    fn bytes(&self, cpu: u32, kind: u32) -> Vec<u8> {
        let size: usize = self.commands.iter().map(Vec::len).sum();
        let mut bytes = words(&[
            0xfeed_facf,
            cpu,
            0,
            kind,
            self.commands.len() as u32,
            size as u32,
            0,
            0,
        ]);
        bytes.extend(self.commands.concat());
        bytes.resize(TAIL as usize, 0);
        bytes.extend(&self.tail);
        bytes
    }

    fn code(&self) -> String {
        code_under(&self.bytes(CPU_ARM64, DYLIB), &policy())
    }
}

fn note() -> Vec<u8> {
    let contract = plugin_api::CONTRACT;
    let mut note = words(&[9, 288, 1]);
    note.extend(text::<12>("Patchbay"));
    note.extend(words(&[contract.major, contract.minor, 2, 0]));
    note.extend(text::<64>("mac"));
    note.extend(text::<48>("1.0.0"));
    note.extend(text::<32>(""));
    note.extend(text::<64>("clang"));
    note.extend(text::<64>("aarch64-apple-darwin"));
    note
}

fn good() -> Image {
    Image::new(&note(), 1, &[("patchbay_plugin_v1", true), ("puts", false)])
}

#[test]
fn a_fit_image_is_read() {
    let bytes = good()
        .library(0xc, "/usr/lib/libSystem.B.dylib")
        .bytes(CPU_ARM64, DYLIB);
    let facts = read_bytes(&bytes, &policy()).unwrap();
    assert_eq!(
        (facts.plugin.as_str(), facts.linkage.imports, facts.entry),
        ("mac", 1, Entry::C)
    );
    assert_eq!(facts.linkage.needed, ["/usr/lib/libSystem.B.dylib"]);
}

#[test]
fn images_of_the_wrong_kind_are_refused() {
    let image = good();
    for (cpu, kind, expected) in [
        (0x0100_0007, DYLIB, "006"),
        (CPU_ARM64, 2, "007"),
        (CPU_ARM64, 1, "008"),
        (CPU_ARM64, 4, "009"),
        (CPU_ARM64, 10, "009"),
        (CPU_ARM64, 8, "fit"),
    ] {
        assert_eq!(code_under(&image.bytes(cpu, kind), &policy()), expected);
    }
    for (magic, expected) in [
        (b"\xce\xfa\xed\xfe", "004"),
        (b"\xfe\xed\xfa\xcf", "005"),
        (b"\xca\xfe\xba\xbe", "003"),
        (b"\x7fELF", "003"),
    ] {
        let mut bytes = image.bytes(CPU_ARM64, DYLIB);
        bytes[..4].copy_from_slice(magic);
        assert_eq!(code_under(&bytes, &policy()), expected);
    }
}

#[test]
fn images_that_break_a_rule_are_refused() {
    let note = note();
    let entry = ("patchbay_plugin_v1", true);
    assert_eq!(good().library(0xc, "/opt/libx.dylib").code(), "031");
    assert_eq!(good().library(0xc, "/usr/lib/../../tmp/libx.dylib").code(), "031");
    assert_eq!(good().library(0x8000_001c, "@loader_path").code(), "019");
    assert_eq!(Image::new(&note, 0, &[entry]).code(), "021");
    assert_eq!(
        Image::new(&[note.clone(), note.clone()].concat(), 1, &[entry]).code(),
        "022"
    );
    assert_eq!(Image::new(&note, 1, &[entry, ("reboot", false)]).code(), "032");
    assert_eq!(Image::new(&note, 1, &[entry, ("malloc", true)]).code(), "034");
    assert_eq!(Image::new(&note, 1, &[]).code(), "035");
}

#[test]
fn a_cut_or_mutated_image_never_ends_the_process() {
    let bytes = good().bytes(CPU_ARM64, DYLIB);
    for len in 0..bytes.len() {
        assert_ne!(code_under(&bytes[..len], &policy()), "fit", "{len}");
    }
    for at in 0..bytes.len() {
        for value in [0, 0x7f, 0xff] {
            let mut mutant = bytes.clone();
            mutant[at] = value;
            let _ = code_under(&mutant, &policy());
        }
    }
}
