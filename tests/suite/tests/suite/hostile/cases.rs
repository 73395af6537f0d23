//! One row for each kind of hostile file: how it is made, where it is caught, and the code it ends in.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use patchbay_tests_support::{CPlugin, Extra, deploy};
use serde_json::{Value as Json, json};

/// Where a file is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    Stage,
    Inspect,
    Probe,
    Load,
    /// Nowhere: it does no harm, and goes live.
    Nowhere,
}

/// How a file is made.
#[derive(Clone, Copy)]
pub(super) enum Make {
    /// From the source of this name in `tests/hostile`.
    Source(&'static str),
    /// From a source, with more arguments for the compiler.
    Linked(&'static str, &'static [&'static str]),
    /// From a plugin without a fault, with other metadata.
    Told(fn(&str) -> Json),
    /// From a source, with other metadata.
    Both(&'static str, fn(&str) -> Json),
    /// From the bytes of a plugin without a fault.
    Patched(fn(&mut Vec<u8>)),
    /// These bytes.
    Bytes(&'static [u8]),
    /// Something else at this path.
    Placed(fn(&Path)),
}

/// One kind of hostile file.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) make: Make,
    pub(super) caught: Caught,
    pub(super) code: &'static str,
}

impl Case {
    pub(super) fn file(&self) -> String {
        format!("{}.so", self.name)
    }

    pub(super) fn plugin(&self) -> String {
        format!("c-{}", self.name)
    }

    /// Compiles what there is to compile; `None` for what is made in place.
    pub(super) fn build(&self, scratch: &Path) -> Option<PathBuf> {
        let (plugin, node) = (self.plugin(), format!("c.{}", self.name));
        let of = |source, metadata: Option<&Json>, flags| {
            let plugin = CPlugin {
                source,
                plugin: &plugin,
                version: "1.0.0",
                node: &node,
                target: "/nowhere/left-behind",
            };
            plugin.built(Extra { metadata, flags })
        };
        let written = |bytes: &[u8]| {
            let path = scratch.join(self.file());
            fs::write(&path, bytes).unwrap();
            path
        };
        Some(match self.make {
            Make::Source(source) => of(source, None, &[]),
            Make::Linked(source, flags) => of(source, None, flags),
            Make::Told(metadata) => of("fit", Some(&metadata(&plugin)), &[]),
            Make::Both(source, metadata) => of(source, Some(&metadata(&plugin)), &[]),
            Make::Patched(patch) => {
                let mut bytes = fs::read(of("fit", None, &[])).unwrap();
                patch(&mut bytes);
                written(&bytes)
            }
            Make::Bytes(bytes) => written(bytes),
            Make::Placed(_) => return None,
        })
    }

    /// Puts the file at `path`.
    pub(super) fn put(&self, built: Option<&Path>, path: &Path) {
        match (self.make, built) {
            (Make::Placed(place), _) => place(path),
            (_, Some(built)) => deploy(built, path),
            (_, None) => unreachable!("{} was not built", self.name),
        }
    }
}

use Caught::{Inspect, Load, Nowhere, Probe, Stage};
use Make::{Both, Bytes, Linked, Patched, Placed, Source, Told};

const fn case(
    name: &'static str,
    caught: Caught,
    code: &'static str,
    what: &'static str,
    make: Make,
) -> Case {
    Case {
        name,
        what,
        make,
        caught,
        code,
    }
}

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    // What is no file, or no file that anybody may read.
    case("empty", Stage, "PB-STAGE-008", "an empty file", Bytes(b"")),
    case("folder", Stage, "PB-STAGE-003", "a directory", Placed(|path| fs::create_dir(path).unwrap())),
    case("pipe", Stage, "PB-STAGE-004", "a named pipe", Placed(|path| tool("mkfifo", &[path.to_str().unwrap()]))),
    case("socket", Stage, "PB-STAGE-005", "a socket", Placed(|path| drop(UnixListener::bind(path).unwrap()))),
    // The one device that a user without rights may make.
    case("device", Stage, "PB-STAGE-006", "a device", Placed(|path| tool("mknod", &[path.to_str().unwrap(), "c", "0", "0"]))),
    case("link-to-device", Stage, "PB-STAGE-002", "a symbolic link to a device", Placed(|path| symlink("/dev/zero", path).unwrap())),
    case("link-outside", Stage, "PB-STAGE-002", "a symbolic link out of the directory", Placed(|path| symlink("/etc/passwd", path).unwrap())),
    case("link-to-itself", Stage, "PB-STAGE-002", "a symbolic link in a circle", Placed(|path| symlink(path, path).unwrap())),
    case("link-to-nothing", Stage, "PB-STAGE-002", "a symbolic link to nothing", Placed(|path| symlink("/nowhere", path).unwrap())),
    case("sparse", Stage, "PB-STAGE-009", "10 GB of hole", Placed(|path| File::create(path).unwrap().set_len(10 << 30).unwrap())),
    // What is no shared object of this machine.
    case("text", Inspect, "PB-INSPECT-001", "text", Bytes(b"hello\n")),
    case("zeros", Inspect, "PB-INSPECT-001", "zeros", Bytes(&[0; 4096])),
    case("archive", Inspect, "PB-INSPECT-002", "a static library", Bytes(b"!<arch>\n/               0           0     0     0       4         `\n\0\0\0\0")),
    case("windows", Inspect, "PB-INSPECT-003", "a Windows library", Bytes(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0")),
    case("mac", Inspect, "PB-INSPECT-003", "a macOS library", Bytes(b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x06\0\0\0")),
    case("narrow", Inspect, "PB-INSPECT-004", "a 32-bit library", Patched(|bytes| bytes[4] = 1)),
    case("big-endian", Inspect, "PB-INSPECT-005", "a big-endian library", Patched(|bytes| bytes[5] = 2)),
    case("other-machine", Inspect, "PB-INSPECT-006", "a library for another processor", Patched(|bytes| bytes[18] = 243)),
    case("program", Inspect, "PB-INSPECT-007", "a program", Placed(program)),
    case("program-fixed", Inspect, "PB-INSPECT-007", "a program for a fixed address", Patched(|bytes| bytes[16] = 2)),
    case("object", Inspect, "PB-INSPECT-008", "an object file", Placed(object)),
    case("core-dump", Inspect, "PB-INSPECT-009", "a core dump", Patched(|bytes| bytes[16] = 4)),
    // What is damaged, or contradicts itself.
    case("half", Inspect, "PB-INSPECT-010", "half of a plugin", Patched(|bytes| bytes.truncate(bytes.len() / 2))),
    case("constructor-nowhere", Inspect, "PB-INSPECT-011", "a constructor that is not in the code", Patched(|bytes| set_dynamic(bytes, 12, 0x7fff_0000))),
    case("overlapping", Inspect, "PB-INSPECT-012", "segments that overlap", Patched(|bytes| { let at = nth_load(bytes, 1) + 16; bytes[at..at + 8].fill(0); })),
    case("huge-statics", Inspect, "PB-INSPECT-013", "1.5 GB of static memory", Source("huge_statics")),
    case("many-headers", Inspect, "PB-INSPECT-014", "60,000 program headers", Patched(|bytes| bytes[56..58].copy_from_slice(&60_000_u16.to_le_bytes()))),
    // What asks for something that no plugin gets.
    case("executable-stack", Inspect, "PB-INSPECT-015", "an executable stack", Linked("fit", &["-Wl,-z,execstack"])),
    case("writable-code", Inspect, "PB-INSPECT-016", "a segment that is writable and executable", Patched(|bytes| { let text = headers(bytes, 1).find(|at| bytes[at + 4] & 1 == 1).unwrap(); bytes[text + 4] |= 2; })),
    case("relocated-code", Inspect, "PB-INSPECT-017", "code that needs relocations", Linked("relocated_code", &["-Wl,-z,notext"])),
    case("never-unloaded", Inspect, "PB-INSPECT-018", "a library that may never be unloaded", Linked("fit", &["-Wl,-z,nodelete"])),
    case("run-path", Inspect, "PB-INSPECT-019", "a path to search for libraries (RUNPATH)", Linked("fit", &["-Wl,--enable-new-dtags,-rpath,$ORIGIN"])),
    case("old-run-path", Inspect, "PB-INSPECT-019", "a path to search for libraries (RPATH)", Linked("fit", &["-Wl,--disable-new-dtags,-rpath,/tmp"])),
    case("first-of-all", Inspect, "PB-INSPECT-020", "constructors before all others (INITFIRST)", Linked("fit", &["-Wl,-z,initfirst"])),
    case("interposes", Inspect, "PB-INSPECT-020", "symbols before all others (INTERPOSE)", Linked("fit", &["-Wl,-z,interpose"])),
    // What its note says.
    case("no-note", Inspect, "PB-INSPECT-021", "no note", Patched(|bytes| { let at = owner(bytes); bytes[at] = b'X'; })),
    case("two-notes", Inspect, "PB-INSPECT-022", "two notes", Source("two_notes")),
    case("long-note", Inspect, "PB-INSPECT-023", "a note that is too long", Patched(|bytes| { let at = owner(bytes) - 8; bytes[at..at + 4].copy_from_slice(&4096_u32.to_le_bytes()); })),
    case("cut-note", Inspect, "PB-INSPECT-024", "a note that is too short", Patched(|bytes| { let at = owner(bytes) - 8; bytes[at] = 8; bytes[at + 1] = 0; })),
    case("note-of-bytes", Inspect, "PB-INSPECT-024", "a note that is not UTF-8", Patched(|bytes| { let at = owner(bytes) + 28; bytes[at] = 0xff; })),
    case("bad-name", Inspect, "PB-INSPECT-025", "a name that is no name", Patched(|bytes| { let at = owner(bytes) + 28; bytes[at..at + 3].copy_from_slice(b"../"); })),
    case("bad-version", Inspect, "PB-INSPECT-026", "a version that is no version", Patched(|bytes| { let at = owner(bytes) + 92; bytes[at..at + 5].copy_from_slice(b"1.0.x"); })),
    case("newer-major", Inspect, "PB-INSPECT-027", "a later major version of the contract", Patched(|bytes| { let at = owner(bytes) + 12; bytes[at] = 99; })),
    case("newer-minor", Inspect, "PB-INSPECT-027", "a later minor version of the contract", Patched(|bytes| { let at = owner(bytes) + 16; bytes[at..at + 2].fill(0xff); })),
    case("older-major", Inspect, "PB-INSPECT-028", "a contract that was dropped", Patched(|bytes| { let at = owner(bytes) + 12; bytes[at] = 0; })),
    case("other-target", Inspect, "PB-INSPECT-029", "another target", Patched(|bytes| { let at = owner(bytes) + 236; bytes[at..at + 4].copy_from_slice(b"mips"); })),
    case("aborts-on-panic", Inspect, "PB-INSPECT-030", "panics that end the process", Patched(|bytes| { let at = owner(bytes) + 20; bytes[at] |= 1; })),
    case("cannot-unwind", Inspect, "PB-INSPECT-030", "a note of the Rust SDK in a library that cannot unwind", Patched(|bytes| { let at = owner(bytes) + 20; bytes[at] = 0; })),
    // What it needs, and what it brings.
    case("other-library", Inspect, "PB-INSPECT-031", "a library that is not allowed", Linked("fit", &["-Wl,--no-as-needed", "-lresolv"])),
    case("library-by-path", Inspect, "PB-INSPECT-031", "a library by its path", Placed(library_by_path)),
    case("forbidden", Inspect, "PB-INSPECT-032", "a function that acts on the whole machine", Source("forbidden")),
    case("unique", Inspect, "PB-INSPECT-033", "a symbol that all versions would share", Source("unique")),
    case("allocator", Inspect, "PB-INSPECT-034", "an allocator for everybody", Source("allocator")),
    case("no-entry", Inspect, "PB-INSPECT-035", "no entry point", Source("no_entry")),
    case("undefined", Probe, "PB-LOAD-013", "a symbol that nobody defines", Source("undefined")),
    // What its constructors do.
    case("segfault", Probe, "PB-PROBE-003", "a constructor that reads what is not there", Source("segfault")),
    case("abort", Probe, "PB-PROBE-003", "a constructor that aborts", Source("abort")),
    case("ifunc", Probe, "PB-PROBE-003", "a resolver of functions (IFUNC) that crashes", Source("ifunc")),
    case("exit", Probe, "PB-PROBE-004", "a constructor that calls `exit(0)`", Source("exit")),
    case("exit-at-once", Probe, "PB-PROBE-004", "a constructor that calls `_exit(0)`", Source("exit_at_once")),
    case("endless", Probe, "PB-PROBE-005", "a constructor that spins", Source("endless")),
    case("sleeps", Probe, "PB-PROBE-005", "a constructor that sleeps", Source("sleeps")),
    case("writes", Probe, "PB-PROBE-006", "a constructor that writes a file", Source("writes")),
    case("creates-file", Probe, "PB-PROBE-006", "a constructor that makes a file where it lies", Source("creates_file")),
    case("changes-mode", Probe, "PB-PROBE-006", "a constructor that changes the rights of a file", Source("changes_mode")),
    case("makes-folder", Probe, "PB-PROBE-006", "a constructor that makes a folder", Source("makes_folder")),
    case("huge-allocation", Probe, "PB-PROBE-006", "a constructor that allocates 100 GB", Source("huge_allocation")),
    case("eats-memory", Probe, "PB-PROBE-003", "a constructor that takes all memory bit by bit and uses what it did not get", Source("eats_memory")),
    case("forks", Probe, "PB-PROBE-009", "a constructor that forks and leaves the child running", Source("forks")),
    case("fork-bomb", Probe, "PB-PROBE-009", "a fork bomb", Source("fork_bomb")),
    case("spawns", Probe, "PB-PROBE-009", "a constructor that starts a program", Source("spawns")),
    case("execs", Probe, "PB-PROBE-009", "a constructor that becomes another program", Source("execs")),
    case("leaves-session", Probe, "PB-PROBE-010", "a constructor that starts a session", Source("leaves_session")),
    case("leaves-group", Probe, "PB-PROBE-010", "a constructor that leaves its group of processes", Source("leaves_group")),
    case("kills-parent", Probe, "PB-PROBE-010", "a constructor that kills the host", Source("kills_parent")),
    case("kills-group", Probe, "PB-PROBE-010", "a constructor that kills its group", Source("kills_group")),
    case("lifts-limits", Probe, "PB-PROBE-011", "a constructor that lifts limits", Source("lifts_limits")),
    case("handles-signals", Probe, "PB-PROBE-011", "a constructor that handles signals", Source("handles_signals")),
    case("takes-over-fence", Probe, "PB-PROBE-011", "a constructor that ignores refused system calls", Source("takes_over_fence")),
    case("filters-calls", Probe, "PB-PROBE-011", "a constructor that filters the system calls of the process", Source("filters_calls")),
    case("blocks-signals", Probe, "PB-PROBE-011", "a constructor that blocks signals", Source("blocks_signals")),
    case("changes-directory", Probe, "PB-PROBE-011", "a constructor that changes the working directory", Source("changes_directory")),
    case("changes-umask", Probe, "PB-PROBE-011", "a constructor that changes the umask", Source("changes_umask")),
    case("changes-environment", Probe, "PB-PROBE-011", "a constructor that sets `LD_PRELOAD`", Source("changes_environment")),
    case("closes-streams", Probe, "PB-PROBE-011", "a constructor that closes the standard streams", Source("closes_streams")),
    case("closes-everything", Probe, "PB-PROBE-012", "a constructor that closes all descriptors", Source("closes_everything")),
    case("forges", Probe, "PB-PROBE-013", "a constructor that forges its verdict and waits", Source("forges")),
    case("forges-and-exits", Probe, "PB-PROBE-013", "a constructor that forges its verdict and ends", Linked("forges", &["-DENDING=_exit(0)"])),
    case("forges-by-thread", Probe, "PB-PROBE-013", "a constructor whose thread forges a verdict before the trial gives its own", Source("forges_by_thread")),
    case("forges-behind", Probe, "PB-PROBE-013", "a constructor whose thread covers the trial's verdict and forges one behind it", Linked("forges_by_thread", &["-DCOVERED"])),
    case("connects", Probe, "PB-PROBE-014", "a constructor that connects to a port", Source("connects")),
    case("listens", Probe, "PB-PROBE-014", "a constructor that listens", Source("listens")),
    case("flood", Nowhere, "-", "a constructor that prints megabytes", Source("flood")),
    case("threads", Nowhere, "-", "a constructor that starts threads: it can be called, not unmapped", Source("threads")),
    case("deletes-files", Nowhere, "-", "a constructor that removes files: on trial none is removed", Source("deletes_files")),
    // What its tables say.
    case("null-table", Probe, "PB-LOAD-008", "a null table", Source("null_table")),
    case("misaligned-table", Probe, "PB-LOAD-008", "a table at an odd address", Source("misaligned_table")),
    case("small-table", Probe, "PB-LOAD-008", "a table of 8 bytes", Source("small_table")),
    case("many-nodes", Probe, "PB-LOAD-008", "ten million nodes in the table", Source("many_nodes")),
    case("null-nodes", Probe, "PB-LOAD-008", "nodes at null", Source("null_nodes")),
    case("odd-nodes", Probe, "PB-LOAD-008", "nodes of an odd size", Source("odd_nodes")),
    case("null-function", Probe, "PB-LOAD-008", "a function at null", Source("null_function")),
    case("nodes-nowhere", Probe, "PB-PROBE-003", "nodes where nothing is mapped", Source("nodes_nowhere")),
    // What its metadata says.
    case("describe-garbage", Probe, "PB-LOAD-009", "metadata that is no value", Source("describe_garbage")),
    case("describe-fails", Probe, "PB-LOAD-009", "no metadata", Source("describe_fails")),
    case("describe-flood", Probe, "PB-LOAD-009", "metadata without an end", Source("describe_flood")),
    case("describe-lies", Probe, "PB-LOAD-009", "metadata of an impossible length", Source("describe_lies")),
    case("describe-crashes", Probe, "PB-PROBE-003", "a crash while it describes itself", Source("describe_crashes")),
    case("describe-changes", Load, "PB-LOAD-014", "other metadata in service than on trial", Source("describe_changes")),
    case("other-name", Probe, "PB-LOAD-015", "another name in the metadata than in the note", Told(|_| metadata("somebody-else", json!([node("c.other-name")])))),
    case("no-nodes", Probe, "PB-LOAD-010", "no nodes", Told(|name| metadata(name, json!([])))),
    case("more-nodes", Probe, "PB-LOAD-010", "more nodes in the metadata than in the table", Told(|name| metadata(name, json!([node("c.more-nodes"), node("c.more")])))),
    case("huge-text", Probe, "PB-LOAD-010", "a description of a megabyte", Told(|name| { let mut all = metadata(name, json!([node("c.huge-text")])); all["description"] = "x".repeat(1 << 20).into(); all })),
    case("bad-node-type", Probe, "PB-LOAD-010", "another node type than the table's", Told(|name| metadata(name, json!([node("C;DROP TABLE")])))),
    case("doubled-alias", Probe, "PB-LOAD-016", "one alias twice", Told(|name| { let mut one = node("c.doubled-alias"); one["aliases"] = json!(["c.x", "c.x"]); metadata(name, json!([one])) })),
    case("no-schema", Probe, "PB-LOAD-017", "a schema that is a text", Told(|name| { let mut one = node("c.no-schema"); one["parameters"] = json!("anything"); metadata(name, json!([one])) })),
    case("doubled-type", Probe, "PB-LOAD-016", "two nodes of one type", Both("two_nodes", |name| metadata(name, json!([node("c.doubled-type"), node("c.doubled-type")])))),
    case("alias-of-itself", Probe, "PB-LOAD-016", "an alias that is the node's own type", Told(|name| metadata(name, json!([node_with("c.alias-of-itself", "aliases", json!(["c.alias-of-itself"]))])))),
    case("many-aliases", Probe, "PB-LOAD-010", "a thousand aliases", Told(|name| metadata(name, json!([node_with("c.many-aliases", "aliases", (0..1000).map(|n| format!("c.n{n}")).collect())])))),
    case("huge-alias", Probe, "PB-LOAD-010", "an alias of a megabyte", Told(|name| metadata(name, json!([node_with("c.huge-alias", "aliases", json!(["x".repeat(1 << 20)]))])))),
    case("number-schema", Probe, "PB-LOAD-017", "a schema that is a number", Told(|name| metadata(name, json!([node_with("c.number-schema", "result", json!(7))])))),
    case("list-schema", Probe, "PB-LOAD-017", "a schema that is a list", Told(|name| metadata(name, json!([node_with("c.list-schema", "config", json!([{}]))])))),
    case("bad-pattern", Nowhere, "-", "a schema with a pattern that is none: `patchbay check` names it", Told(bad_pattern)),
    case("huge-schema", Probe, "PB-LOAD-009", "a schema of 50 MB", Linked("describe_monsters", &["-DHUGE_SCHEMA"])),
    case("deep-schema", Probe, "PB-LOAD-009", "a schema that is a million lists deep", Linked("describe_monsters", &[])),
    case("said-millions", Probe, "PB-LOAD-009", "ten million nodes in the metadata, in nine bytes", Linked("describe_monsters", &["-DMILLIONS"])),
    // What it does when it is started and ended.
    case("refuses-to-start", Probe, "PB-LOAD-011", "a plugin that does not start", Source("refuses_to_start")),
    case("refuses-in-service", Load, "PB-LOAD-011", "a plugin that starts on trial alone, and leaves a thread in the host", Source("refuses_in_service")),
    case("refuses-to-create", Probe, "PB-LOAD-012", "a node that cannot be made", Source("refuses_to_create")),
    case("panics-in-create", Probe, "PB-LOAD-012", "a panic while a node is made", Linked("refuses_to_create", &["-DANSWERING=PB_PANICKED"])),
    case("crashes-in-create", Probe, "PB-PROBE-003", "a crash while a node is made", Source("crashes_in_create")),
    case("crashes-in-destroy", Probe, "PB-PROBE-003", "a crash while a node is ended", Source("crashes_in_destroy")),
    case("crashes-in-shutdown", Probe, "PB-PROBE-003", "a crash in `shutdown`", Source("crashes_in_shutdown")),
    case("hangs-in-shutdown", Probe, "PB-PROBE-005", "a `shutdown` without an end", Source("hangs_in_shutdown")),
];

fn metadata(name: &str, nodes: impl Into<Json>) -> Json {
    let nodes: Json = nodes.into();
    json!({ "name": name, "version": "1.0.0", "description": "", "hostApi": "^1.0.0", "nodes": nodes })
}

fn node(node_type: &str) -> Json {
    json!({ "nodeType": node_type, "version": "1.0.0", "hostApi": "^1.0.0", "effect": "pure" })
}

fn node_with(node_type: &str, field: &str, value: Json) -> Json {
    let mut node = node(node_type);
    node[field] = value;
    node
}

/// Metadata with a property whose pattern is no regular expression.
pub(super) fn bad_pattern(name: &str) -> Json {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": "(" } } });
    let node_type = name.replacen('-', ".", 1);
    metadata(name, json!([node_with(&node_type, "parameters", schema)]))
}

/// Where the note's owner is.
fn owner(bytes: &[u8]) -> usize {
    let at = bytes.windows(12).position(|window| window == b"Patchbay\0\0\0\0");
    at.unwrap()
}

fn word(bytes: &[u8], at: usize) -> usize {
    usize::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn headers(bytes: &[u8], kind: u8) -> impl Iterator<Item = usize> {
    let (start, count) = (word(bytes, 32), usize::from(bytes[56]));
    (0..count)
        .map(move |n| start + n * 56)
        .filter(move |at| bytes[*at] == kind && bytes[at + 3] == 0)
}

/// Where the header of a loaded segment is.
fn nth_load(bytes: &[u8], n: usize) -> usize {
    headers(bytes, 1).nth(n).unwrap()
}

/// Changes the value of an entry of the dynamic table.
fn set_dynamic(bytes: &mut [u8], tag: usize, value: usize) {
    let header = headers(bytes, 2).next().unwrap();
    let (start, size) = (word(bytes, header + 8), word(bytes, header + 32));
    let mut entries = (start..start + size).step_by(16);
    let at = entries.find(|at| word(bytes, *at) == tag).unwrap();
    bytes[at + 8..at + 16].copy_from_slice(&value.to_le_bytes());
}

fn tool(name: &str, arguments: &[&str]) {
    let output = Command::new(name).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn program(path: &Path) {
    compiled(path, &["-pie", "-fPIE"]);
}

fn object(path: &Path) {
    compiled(path, &["-c", "-fPIC"]);
}

fn compiled(path: &Path, flags: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let (source, made) = (dir.path().join("program.c"), dir.path().join("program"));
    fs::write(&source, "int main(void) { return 0; }").unwrap();
    let files = ["-o", made.to_str().unwrap(), source.to_str().unwrap()];
    tool("cc", &[flags, &files].concat());
    deploy(&made, path);
}

/// A library without a name of its own is needed by the path under which the linker found it.
fn library_by_path(path: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let (source, needed) = (dir.path().join("needed.c"), dir.path().join("needed.so"));
    fs::write(&source, "int needed(void) { return 0; }").unwrap();
    tool(
        "cc",
        &[
            "-shared",
            "-fPIC",
            "-o",
            needed.to_str().unwrap(),
            source.to_str().unwrap(),
        ],
    );
    let plugin = CPlugin {
        source: "fit",
        plugin: "c-library-by-path",
        version: "1.0.0",
        node: "c.library-by-path",
        target: "",
    };
    let flags = ["-Wl,--no-as-needed", needed.to_str().unwrap()];
    deploy(
        &plugin.built(Extra {
            metadata: None,
            flags: &flags,
        }),
        path,
    );
}
