//! Why an artifact is not fit to be mapped.

use std::io;

use patchbay_vocab::{BadId, Code, Explain};
use plugin_api::Contract;
use plugin_api::note::BadNote;

use crate::signature::SignatureError;

/// Why an artifact is not fit to be mapped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each field is what the message names")]
pub enum InspectError {
    /// No object file at all.
    #[error("this is not a shared object, it looks like {looks}")]
    NotShared { looks: &'static str },
    /// An archive of object files.
    #[error("this is a static library")]
    StaticLibrary,
    /// A format of another system.
    #[error("this is {format}, which this host cannot load")]
    ForeignFormat { format: &'static str },
    /// Made for 32 bits.
    #[error("this is a {found} shared object, the host is a 64-bit program")]
    WrongClass { found: &'static str },
    /// Made for the other byte order.
    #[error("this is a {found} shared object, the host is little-endian")]
    WrongEndian { found: &'static str },
    /// Made for another processor.
    #[error("this shared object is for {found}, the host runs on {wanted}")]
    WrongMachine { found: String, wanted: &'static str },
    /// A program.
    #[error("this is an executable program")]
    Executable,
    /// An object file.
    #[error("this is an object file that was not linked")]
    Relocatable,
    /// A core dump, or a type no linker makes.
    #[error("this is a {found}, not a shared object")]
    OtherType { found: &'static str },
    /// Something lies behind the end of the file.
    #[error("the file is cut off: its {what} is at {offset} with {size} bytes, the file has {file}")]
    Truncated {
        what: &'static str,
        offset: u64,
        size: u64,
        file: u64,
    },
    /// Something contradicts itself.
    #[error("the file is damaged: its {what} {why}")]
    Malformed { what: &'static str, why: &'static str },
    /// Its segments overlap or are out of order.
    #[error("the file is damaged: its segments {why}")]
    BadSegments { why: &'static str },
    /// It wants too much address space.
    #[error("its segments take {bytes} bytes of memory, the limit is {limit}")]
    TooMuchMemory { bytes: u64, limit: u64 },
    /// A count is beyond its limit.
    #[error("it has {count} {what}, the limit is {limit}")]
    TooMany {
        what: &'static str,
        count: u64,
        limit: u64,
    },
    /// It asks for an executable stack.
    #[error("it asks for an executable stack")]
    ExecutableStack,
    /// It has memory that is writable and executable.
    #[error("it has a segment that is both writable and executable")]
    WritableCode,
    /// Its code has to be patched when it is loaded.
    #[error("its code needs relocations (TEXTREL)")]
    TextRelocations,
    /// It asks never to be unloaded.
    #[error("it is marked NODELETE, so it could never be unloaded")]
    NoDelete,
    /// It names folders to search for libraries.
    #[error("it carries a {tag} to search for libraries")]
    RunPath { tag: &'static str },
    /// It asks the linker for a treatment that reaches other libraries.
    #[error("it asks the dynamic linker for {flag}")]
    LinkerFlag { flag: &'static str },
    /// No note.
    #[error("it carries no Patchbay note, so it is a library but not a plugin")]
    NoteMissing,
    /// More than one note.
    #[error("it carries more than one Patchbay note")]
    NoteDoubled,
    /// A note larger than the format.
    #[error("its Patchbay note has {size} bytes, the format has 288")]
    NoteOversized { size: usize },
    /// A note that cannot be read.
    #[error("its Patchbay note cannot be read")]
    NoteMalformed(#[source] BadNote),
    /// A name that is no plugin name.
    #[error("its plugin name is not valid")]
    BadName(#[source] BadId),
    /// A version that is no version.
    #[error("its version `{found}` is not valid")]
    BadVersion {
        found: String,
        #[source]
        cause: semver::Error,
    },
    /// It cannot work on a host as old as this one.
    #[error("it needs contract {wanted}, this host speaks {spoken}{}", lacking(*wanted, *spoken))]
    ContractTooNew { wanted: Contract, spoken: Contract },
    /// Built for a host of an earlier major.
    #[error("it was built for contract {wanted}, this host speaks {spoken} and has dropped that one")]
    ContractTooOld { wanted: Contract, spoken: Contract },
    /// Built for another target.
    #[error("its note names the target `{found}`, the host is {arch} on {system}")]
    WrongTarget {
        found: String,
        arch: &'static str,
        system: &'static str,
    },
    /// A panic in it would end the host.
    #[error("it was built with panic=abort, so a panic in it would end the host")]
    PanicAbort,
    /// It needs a library that is not allowed.
    #[error("it needs the library `{library}`, which is not on the list of allowed ones")]
    LibraryNotAllowed { library: String },
    /// It imports something that no plugin may use.
    #[error("it imports `{symbol}`, which no plugin may call")]
    ForbiddenImport { symbol: String },
    /// It has symbols that are shared by all versions.
    #[error("it defines the unique symbol `{symbol}`, which all its versions in one process would share")]
    UniqueSymbol { symbol: String },
    /// It defines what belongs to the host.
    #[error("it defines `{symbol}`, which belongs to the host")]
    ReservedSymbol { symbol: String },
    /// It has no entry.
    #[error("it does not export `{symbol}`, the entry that its note promises")]
    NoEntry { symbol: &'static str },
    /// The private copy cannot be read.
    #[error("the private copy cannot be read")]
    Read(#[source] io::Error),
    /// It is not what was signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Explain for InspectError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Signature(error) => return error.code(),
            Self::NotShared { .. } => "PB-INSPECT-001",
            Self::StaticLibrary => "PB-INSPECT-002",
            Self::ForeignFormat { .. } => "PB-INSPECT-003",
            Self::WrongClass { .. } => "PB-INSPECT-004",
            Self::WrongEndian { .. } => "PB-INSPECT-005",
            Self::WrongMachine { .. } => "PB-INSPECT-006",
            Self::Executable => "PB-INSPECT-007",
            Self::Relocatable => "PB-INSPECT-008",
            Self::OtherType { .. } => "PB-INSPECT-009",
            Self::Truncated { .. } => "PB-INSPECT-010",
            Self::Malformed { .. } => "PB-INSPECT-011",
            Self::BadSegments { .. } => "PB-INSPECT-012",
            Self::TooMuchMemory { .. } => "PB-INSPECT-013",
            Self::TooMany { .. } => "PB-INSPECT-014",
            Self::ExecutableStack => "PB-INSPECT-015",
            Self::WritableCode => "PB-INSPECT-016",
            Self::TextRelocations => "PB-INSPECT-017",
            Self::NoDelete => "PB-INSPECT-018",
            Self::RunPath { .. } => "PB-INSPECT-019",
            Self::LinkerFlag { .. } => "PB-INSPECT-020",
            Self::NoteMissing => "PB-INSPECT-021",
            Self::NoteDoubled => "PB-INSPECT-022",
            Self::NoteOversized { .. } => "PB-INSPECT-023",
            Self::NoteMalformed(_) => "PB-INSPECT-024",
            Self::BadName(_) => "PB-INSPECT-025",
            Self::BadVersion { .. } => "PB-INSPECT-026",
            Self::ContractTooNew { .. } => "PB-INSPECT-027",
            Self::ContractTooOld { .. } => "PB-INSPECT-028",
            Self::WrongTarget { .. } => "PB-INSPECT-029",
            Self::PanicAbort => "PB-INSPECT-030",
            Self::LibraryNotAllowed { .. } => "PB-INSPECT-031",
            Self::ForbiddenImport { .. } => "PB-INSPECT-032",
            Self::UniqueSymbol { .. } => "PB-INSPECT-033",
            Self::ReservedSymbol { .. } => "PB-INSPECT-034",
            Self::NoEntry { .. } => "PB-INSPECT-035",
            Self::Read(_) => "PB-INSPECT-036",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Signature(error) => return error.help(),
            Self::NotShared { .. } => "put the built shared object there (for Rust: `crate-type = [\"cdylib\"]`)",
            Self::StaticLibrary => "link it as a shared object: for Rust `crate-type = [\"cdylib\"]`, for C `cc -shared`",
            Self::ForeignFormat { .. } => "build it for the system that the host runs on",
            Self::WrongClass { .. } | Self::WrongEndian { .. } => "build it for the target of the host",
            Self::WrongMachine { wanted, .. } => return format!("build it with a {wanted} target"),
            Self::Executable => "build a shared object, not a program: for Rust `crate-type = [\"cdylib\"]`, for C `cc -shared -fPIC`",
            Self::Relocatable => "link the object file with `cc -shared`",
            Self::OtherType { .. } => "put the built shared object there, not a dump",
            Self::Truncated { .. } => "upload the file again, best under another name that is then renamed",
            Self::Malformed { .. } | Self::BadSegments { .. } => "build it again and upload it again; if it stays so, link it with another linker",
            Self::TooMuchMemory { .. } => "make its static data smaller, or raise the memory limit of the inspection",
            Self::TooMany { .. } => "export less (a version script), or raise that limit of the inspection",
            Self::ExecutableStack => "link it with `-z noexecstack`; assembler files need a `.note.GNU-stack` section",
            Self::WritableCode => "link it without `-N` or `--omagic`, and with `-z separate-code`",
            Self::TextRelocations => "compile every object with `-fPIC`",
            Self::NoDelete => "link it without `-z nodelete`",
            Self::RunPath { .. } => "link it without `-rpath`: a folder could slip in other libraries; link what it needs statically",
            Self::LinkerFlag { .. } => "link it without that flag: it would reach beyond the plugin",
            Self::NoteMissing => "for Rust call `export_plugin!` once in the plugin; for C and C++ include patchbay.h and write `PB_NOTE`, see plugin-api/docs/c.md",
            Self::NoteDoubled => "call `export_plugin!` once, and do not link one plugin into another",
            Self::NoteOversized { .. } | Self::NoteMalformed(_) => "emit the note with `export_plugin!` or lay it out as plugin-api/docs/abi.md says",
            Self::BadName(bad) => return format!("give the plugin a name of {}", bad.rule()),
            Self::BadVersion { .. } => "give the plugin a semantic version such as 1.2.3",
            Self::ContractTooNew { wanted, spoken } => return newer_host_or_less_need(*wanted, *spoken),
            Self::ContractTooOld { spoken, .. } => return format!("rebuild it with an SDK for contract {spoken}; what serves keeps serving"),
            Self::WrongTarget { .. } => "build it for the target of the host",
            Self::PanicAbort => "remove `panic = \"abort\"` from the profile that builds the plugin",
            Self::LibraryNotAllowed { .. } => "link that library statically, or have the host's administrator allow it",
            Self::ForbiddenImport { .. } => "do without that call: it acts on the whole host or outlives the plugin",
            Self::UniqueSymbol { .. } => "compile it with `-fno-gnu-unique`",
            Self::ReservedSymbol { .. } => "hide that symbol (a version script, or `-fvisibility=hidden`) or rename it",
            Self::NoEntry { .. } => "for Rust call `export_plugin!`; for C export the function with default visibility",
            Self::Read(_) => "check the disk of the staging folder, then put the plugin into the plugin directory again",
        }
        .into()
    }
}

/// What a plugin wants that this host does not have, as far as both know it.
fn lacking(wanted: Contract, spoken: Contract) -> String {
    let lacks = spoken.lacks(wanted);
    if lacks.is_empty() {
        return String::new();
    }
    format!(" and lacks {}", lacks.join(", "))
}

fn newer_host_or_less_need(wanted: Contract, spoken: Contract) -> String {
    let author = if wanted.major == spoken.major {
        format!(
            "its author: if it can do without, write `needs: \"{spoken}\"` in `export_plugin!` (in C: `PB_NOTE_NEEDS`) \
             and `cargo build` it again"
        )
    } else {
        format!(
            "its author: build it with a plugin-api for contract {}.x",
            spoken.major
        )
    };
    format!(
        "the administrator: start a host that speaks contract {wanted} (`patchbay status` shows which one does); \
         {author}; what serves keeps serving"
    )
}
