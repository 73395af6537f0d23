//! `patchbay.h` against the Rust types: sizes, offsets, types and constants, asserted by the C and the C++ compiler.
//!
//! The Rust side is measured by the compiler, not read from the sources: each type is taken apart by a pattern that names
//! all of its fields, so that a field which is missing here does not compile. What is measured has to be what the recorded
//! contract says, and the assertions for the header are made from it.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

use std::fmt::Write;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

use plugin_api::CONTRACT;
use plugin_api::abi::*;

struct Measured {
    name: &'static str,
    size: usize,
    fields: Vec<(&'static str, usize, usize)>,
}

/// The size of the field that a function borrows.
fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! measured {
    ($($ty:ident { $($field:ident),+ })+) => {
        vec![$({
            #[expect(dead_code, reason = "compiled, never called: the pattern must name every field")]
            fn names_all(whole: &$ty) {
                let $ty { $($field: _),+ } = whole;
            }
            Measured {
                name: stringify!($ty),
                size: size_of::<$ty>(),
                fields: vec![$((stringify!($field), offset_of!($ty, $field), size_of_field(|of: &$ty| &of.$field))),+],
            }
        }),+]
    };
}

fn measured() -> Vec<Measured> {
    measured! {
        Bytes { ptr, len }
        Sink { data, len, cap, reserve }
        Call { input, out, context }
        FutureHandle { state, poll, drop }
        WakerHandle { data, table }
        WakerTable { clone, wake, wake_by_ref, drop }
        Context { size, flags, host, handle, tenant, run, node, deadline, cancel }
        HostTable {
            size, contract_major, contract_minor, flags, now, log, read, write, remove, call, wake_after, wall_clock,
            list, replace, select_output, evaluate
        }
        NodeTable { size, flags, node_type, create, destroy, execute, start, save_state, load_state }
        PluginTable { size, node_size, nodes, node_count, describe, start, shutdown }
    }
}

/// The recorded contract, which tidy compares with the sources.
fn recorded() -> String {
    let path = format!(
        "{}/abi/{}.{}.txt",
        env!("CARGO_MANIFEST_DIR"),
        CONTRACT.major,
        CONTRACT.minor
    );
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Types of the recorded contract that C does not see, or that have a private face in Rust.
const NOT_MEASURED: [&str; 3] = ["Note", "RootModule", "Shapes"];

/// The lines of a type in the record: offset, size, name, type.
fn fields_of<'r>(record: &'r str, name: &str) -> Vec<(usize, usize, &'r str, &'r str)> {
    let head = |line: &&str| line.split(' ').nth(1) == Some(name) && line.split(' ').count() == 3;
    let lines = record.lines().skip_while(|line| !head(line)).skip(1);
    lines
        .take_while(|line| line.starts_with(' '))
        .map(|line| {
            let (place, ty) = line.split_once(": ").unwrap();
            let mut words = place.split_whitespace();
            let mut number = || words.next().unwrap().parse().unwrap();
            let (offset, size) = (number(), number());
            (offset, size, words.next().unwrap(), ty)
        })
        .collect()
}

/// `HostTable` is `pb_host_table` in C.
fn c_name(rust: &str) -> String {
    let mut name = String::from("pb");
    for letter in rust.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A Rust type of the contract as C writes it; a function as a pointer to one.
fn c_type(rust: &str) -> String {
    let rust = rust
        .strip_prefix("Option<")
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(rust);
    if let Some(function) = rust.strip_prefix("unsafe extern \"C\" fn(") {
        let (inputs, output) = function.rsplit_once(')').unwrap();
        let output = output
            .strip_prefix(" -> ")
            .map_or_else(|| "void".to_owned(), c_type);
        let inputs = inputs
            .split(", ")
            .filter(|input| !input.is_empty())
            .map(|input| c_type(input.split_once(": ").unwrap().1));
        let inputs = inputs.collect::<Vec<_>>().join(", ");
        let inputs = if inputs.is_empty() {
            "void".to_owned()
        } else {
            inputs
        };
        return format!("{output} (*)({inputs})");
    }
    if let Some(to) = rust.strip_prefix("*mut ") {
        return format!("{} *", c_type(to));
    }
    if let Some(to) = rust.strip_prefix("*const ") {
        return format!("const {} *", c_type(to));
    }
    match rust {
        "u8" => "uint8_t".into(),
        "u32" | "AtomicU32" => "uint32_t".into(),
        "u64" => "uint64_t".into(),
        "usize" => "size_t".into(),
        "c_void" => "void".into(),
        "Status" => "pb_status".into(),
        name => c_name(name),
    }
}

/// Constants of the record that C has under the same name; those left out describe how Rust finds the note.
fn c_constant(rust: &str) -> Option<String> {
    let (module, name) = rust.split_once("::")?;
    match module {
        "status" => Some(format!("PB_{name}")),
        "note" => name.starts_with("FLAG_").then(|| format!("PB_NOTE_{name}")),
        module => Some(format!("PB_{}_{name}", module.to_uppercase())),
    }
}

/// What the compilers are asked to assert.
fn assertions() -> String {
    let record = recorded();
    let mut text = String::from(
        "#include \"patchbay.h\"\n\
         #ifdef __cplusplus\n#include <type_traits>\n\
         #define SAME(type, field, wanted) std::is_same<decltype(type::field), wanted>::value\n\
         #else\n#define SAME(type, field, wanted) _Generic(&((type *)0)->field, wanted *: 1, default: 0)\n#endif\n",
    );
    let mut types = measured();
    types.sort_by_key(|ty| ty.name);
    for ty in &types {
        let name = c_name(ty.name);
        writeln!(
            text,
            "PB_STATIC_ASSERT(sizeof({name}) == {}, \"{name}\");",
            ty.size
        )
        .unwrap();
        for (field, offset, size) in &ty.fields {
            let rust = fields_of(&record, ty.name);
            let (.., wanted) = rust.iter().find(|known| known.2 == *field).unwrap();
            let typedef = format!("{name}_{field}_type");
            let wanted = c_type(wanted);
            let wanted = match wanted.split_once("(*)") {
                Some((output, inputs)) => format!("typedef {output}(*{typedef}){inputs};"),
                None => format!("typedef {wanted} {typedef};"),
            };
            writeln!(
                text,
                "{wanted}\n\
                 PB_STATIC_ASSERT(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");\n\
                 PB_STATIC_ASSERT(sizeof((({name} *)0)->{field}) == {size}, \"{name}.{field}\");\n\
                 PB_STATIC_ASSERT(SAME({name}, {field}, {typedef}), \"{name}.{field} is of another type\");"
            )
            .unwrap();
        }
    }
    for (offset, size, field, _) in fields_of(&record, "Note") {
        writeln!(
            text,
            "PB_STATIC_ASSERT(offsetof(pb_note, {field}) == {offset} && sizeof(((pb_note *)0)->{field}) == {size}, \
             \"pb_note.{field}\");"
        )
        .unwrap();
    }
    let note = size_of::<plugin_api::note::Note>();
    writeln!(text, "PB_STATIC_ASSERT(sizeof(pb_note) == {note}, \"pb_note\");").unwrap();
    for line in record.lines().filter_map(|line| line.strip_prefix("const ")) {
        let (name, value) = line.split_once(": ").unwrap();
        let value = value.split_once(" = ").unwrap().1;
        if let Some(constant) = c_constant(name) {
            writeln!(text, "PB_STATIC_ASSERT({constant} == {value}, \"{constant}\");").unwrap();
        }
    }
    writeln!(
        text,
        "PB_STATIC_ASSERT(PB_CONTRACT_MAJOR == {} && PB_CONTRACT_MINOR == {}, \"the contract\");",
        CONTRACT.major, CONTRACT.minor
    )
    .unwrap();
    text
}

/// Compiles a text with the header of this crate; the compiler's words when it refuses.
fn compile(compiler: &str, standard: &str, text: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join(if compiler == "c++" { "a.cpp" } else { "a.c" });
    std::fs::write(&source, text).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let output = Command::new(compiler)
        .args([
            standard,
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            "-fsyntax-only",
            "-I",
        ])
        .arg(include)
        .arg(source)
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn the_rust_types_are_those_of_the_recorded_contract() {
    let record = recorded();
    let measured = measured();
    for ty in &measured {
        let recorded: Vec<_> = fields_of(&record, ty.name)
            .iter()
            .map(|(offset, size, name, _)| (*name, *offset, *size))
            .collect();
        assert_eq!(ty.fields, recorded, "{}", ty.name);
    }
    let heads = record
        .lines()
        .filter(|line| line.starts_with("table ") || line.starts_with("shape "));
    for name in heads.map(|line| line.split(' ').nth(1).unwrap()) {
        let known = measured.iter().any(|ty| ty.name == name) || NOT_MEASURED.contains(&name);
        assert!(known, "{name} is not compared with the header");
    }
}

#[test]
fn the_header_is_the_contract_in_c() {
    compile("cc", "-std=c11", &assertions()).unwrap();
}

#[test]
fn the_header_is_the_contract_in_cxx() {
    compile("c++", "-std=c++17", &assertions()).unwrap();
}

#[test]
fn a_header_that_differs_from_the_contract_does_not_compile() {
    let good = assertions();
    for (right, wrong) in [
        (
            "offsetof(pb_host_table, wall_clock) == 72",
            "offsetof(pb_host_table, wall_clock) == 80",
        ),
        (
            "offsetof(pb_host_table, now)",
            "offsetof(pb_host_table, forgotten)",
        ),
        ("sizeof(pb_bytes) == 16", "sizeof(pb_bytes) == 24"),
        ("PB_POISONED == 4", "PB_POISONED == 5"),
        (
            "typedef uint64_t (*pb_host_table_now_type)",
            "typedef uint32_t (*pb_host_table_now_type)",
        ),
    ] {
        assert!(good.contains(right), "{right}");
        assert!(
            compile("cc", "-std=c11", &good.replace(right, wrong)).is_err(),
            "{wrong} was taken"
        );
    }
}

#[test]
fn names_too_long_for_the_note_stop_the_build() {
    let note =
        |name: &str, version: &str| format!("#include \"patchbay.h\"\nPB_NOTE(\"{name}\", \"{version}\");\n");
    compile("cc", "-std=c11", &note(&"n".repeat(63), &"1".repeat(47))).unwrap();
    for (name, version) in [(64, 1), (1, 48)] {
        let refused = compile("cc", "-std=c11", &note(&"n".repeat(name), &"1".repeat(version)));
        assert!(refused.unwrap_err().contains("too long for its note"));
    }
}
