//! What a file looks like, so that the wrong kind of file is called by its name.

use object::ReadRef;

use super::{InspectError, Platform, Source};

/// Refuses whatever is not in the host's shared object format.
pub(super) fn check<'a, R: ReadRef<'a>>(source: Source<R>, platform: Platform) -> Result<(), InspectError> {
    let head = source.slice("start", 0, source.size.min(512))?;
    match format(head) {
        Format::Elf if platform.is_elf() => Ok(()),
        Format::MachO if !platform.is_elf() => Ok(()),
        Format::Archive => Err(InspectError::StaticLibrary),
        Format::Other(looks) => Err(InspectError::NotShared { looks }),
        Format::Elf => Err(InspectError::ForeignFormat {
            format: "an ELF file (Linux)",
        }),
        Format::MachO => Err(InspectError::ForeignFormat {
            format: "a Mach-O file (macOS)",
        }),
        Format::Windows => Err(InspectError::ForeignFormat {
            format: "a PE file (Windows)",
        }),
    }
}

enum Format {
    Elf,
    MachO,
    Windows,
    Archive,
    Other(&'static str),
}

fn format(head: &[u8]) -> Format {
    let starts: [(&[u8], Format); 15] = [
        (b"\x7fELF", Format::Elf),
        (b"\xcf\xfa\xed\xfe", Format::MachO),
        (b"\xce\xfa\xed\xfe", Format::MachO),
        (b"\xfe\xed\xfa\xcf", Format::MachO),
        (b"\xfe\xed\xfa\xce", Format::MachO),
        (b"\xca\xfe\xba\xbe", Format::MachO),
        (b"!<arch>\n", Format::Archive),
        (b"!<thin>\n", Format::Archive),
        (b"#!", Format::Other("a script")),
        (b"PK\x03\x04", Format::Other("a zip archive")),
        (b"\x1f\x8b", Format::Other("a gzip archive")),
        (b"BC\xc0\xde", Format::Other("LLVM bitcode")),
        (
            b"version https://git-lfs",
            Format::Other("a Git LFS pointer; the file itself was not fetched"),
        ),
        (b"\0asm", Format::Other("a WebAssembly module")),
        (b"MZ", Format::Windows),
    ];
    for (start, format) in starts {
        if head.starts_with(start) {
            return format;
        }
    }
    let is_text = std::str::from_utf8(head).map_or_else(|e| e.valid_up_to() + 4 > head.len(), |_| true)
        && !head.iter().any(|b| *b < b' ' && !b.is_ascii_whitespace());
    Format::Other(match head {
        _ if head.iter().all(|b| *b == 0) => "a hole: its first bytes are all zero",
        _ if is_text && head.trim_ascii_start().starts_with(b"<") => "a web page or XML",
        _ if is_text => "text",
        _ => "unknown bytes",
    })
}
