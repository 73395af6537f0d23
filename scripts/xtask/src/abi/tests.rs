use super::*;

const ABI: &str = r#"
pub type Status = i32;
pub const C_ENTRY: &str = "patchbay_plugin_v1";
pub mod status {
    use super::Status;
    pub const OK: Status = 0;
}
#[repr(C)]
pub struct Holder {
    pub tag: u8,
    pub bytes: Bytes,
}
#[repr(C)]
pub struct Bytes {
    pub ptr: *const u8,
    pub len: usize,
}
#[repr(C)]
pub struct HostTable {
    pub size: u32,
    pub flags: u32,
    pub now: unsafe extern "C" fn(context: *const Bytes) -> u64,
    pub call: Option<unsafe extern "C" fn(Status)>,
}
struct NotOfTheContract(u8);
"#;

fn contract(text: &str) -> Contract {
    read::contract(&[("", text.to_owned())]).unwrap()
}

/// What tidy says when `from` in the sources becomes `to` and only the sources as they were are recorded.
fn said(from: &str, to: &str) -> Vec<String> {
    assert!(ABI.contains(from), "{from}");
    let recorded = BTreeMap::from([((1, 0), contract(ABI))]);
    check((1, 0), &contract(&ABI.replacen(from, to, 1)), &recorded)
}

#[test]
fn types_are_laid_out_as_the_compiler_does() {
    let contract = contract(ABI);
    let names: Vec<_> = contract
        .types
        .iter()
        .map(|ty| (ty.name.as_str(), ty.size, ty.is_table))
        .collect();
    assert_eq!(
        names,
        [
            ("Bytes", 16, false),
            ("Holder", 24, false),
            ("HostTable", 24, true)
        ]
    );
    let now = &contract.types[2].fields[2];
    assert_eq!((now.offset, now.size), (8, 8));
    assert_eq!(now.ty, r#"unsafe extern "C" fn(context: *const Bytes) -> u64"#);
    assert_eq!(contract.constants["status::OK"], "Status = 0");
}

#[test]
fn a_snapshot_reads_back_as_what_was_written() {
    let contract = contract(ABI);
    let text = snapshot((1, 0), &contract).unwrap();
    assert!(
        text.contains("\ntable HostTable 24\n    0   4 size: u32\n"),
        "{text}"
    );
    assert!(
        text::parse(&text.replace("size: u32", "size u32")).is_err(),
        "a damaged line is not passed over"
    );
}

#[test]
fn nothing_is_said_of_a_contract_that_did_not_change() {
    assert_eq!(said("pub len", "pub len"), [""; 0]);
    assert_eq!(said("pub len: usize,", "/// Words.\n pub len: usize,"), [""; 0]);
}

#[test]
fn a_field_at_the_tail_of_a_table_is_a_new_minor() {
    let tail = "pub call: Option<unsafe extern \"C\" fn(Status)>,";
    let said = said(tail, &format!("{tail} pub more: u64,"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`HostTable.more` is new, at the tail: a new minor. Raise CONTRACT"));
    assert!(said[0].contains("to 1.1") && said[0].contains("cargo xtask seal-abi"));
}

#[test]
fn every_other_change_of_a_type_is_a_new_major_and_names_the_field() {
    for (from, to, says) in [
        (
            "pub len: usize,",
            "pub len: usize, pub spare: u8,",
            "`Bytes.spare` is new, and shapes never change",
        ),
        (
            "pub len: usize,",
            "pub len: u32,",
            "`Bytes.len` was `usize` and is `u32`",
        ),
        ("pub len: usize,", "", "`Bytes.len` is gone"),
        (
            "pub flags: u32,",
            "pub flags: u32, pub more: u64,",
            "`HostTable.more` is new and not at the tail",
        ),
        ("pub flags: u32,", "", "`HostTable.flags` is gone"),
        (
            "pub size: u32,\n    pub flags: u32,",
            "pub flags: u32,\n    pub size: u32,",
            "`HostTable` is another kind of type",
        ),
        ("-> u64", "-> u32", "`HostTable.now` was"),
        ("pub struct HostTable", "pub struct Other", "`HostTable` is gone"),
        (
            "OK: Status = 0",
            "OK: Status = 7",
            "the constant `status::OK` was `Status = 0` and is `Status = 7`",
        ),
        (
            "pub const OK: Status = 0;",
            "",
            "the constant `status::OK` is gone",
        ),
        (
            "type Status = i32",
            "type Status = u32",
            "the type alias `Status` was `i32` and is `u32`",
        ),
    ] {
        let said = said(from, to);
        assert!(
            said.iter()
                .any(|line| line.contains(says) && line.contains("contract 2.0")),
            "{to}: {said:#?}"
        );
    }
}

#[test]
fn a_new_constant_is_a_new_minor() {
    let said = said(
        "pub const OK: Status = 0;",
        "pub const OK: Status = 0; pub const NEW: Status = 1;",
    );
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("the constant `status::NEW` is new: a new minor"));
}

#[test]
fn each_recorded_minor_begins_with_the_one_before() {
    let first = contract(ABI);
    let other = contract(&ABI.replacen("pub flags: u32,", "pub flags: u64,", 1));
    let said = check(
        (1, 1),
        &other,
        &BTreeMap::from([((1, 0), first.clone()), ((1, 1), other.clone())]),
    );
    assert!(
        said.iter().any(|line| line.contains(
            "plugin-api/abi/1.1.txt does not begin with plugin-api/abi/1.0.txt: `HostTable.flags`"
        )),
        "{said:#?}"
    );
    // A major owes nothing to the one before.
    let majors = BTreeMap::from([((1, 0), first), ((2, 0), other.clone())]);
    assert_eq!(check((2, 0), &other, &majors), [""; 0]);
}

#[test]
fn a_raised_contract_asks_to_be_recorded() {
    let recorded = BTreeMap::from([((1, 0), contract(ABI))]);
    let said = check((1, 1), &contract(ABI), &recorded);
    assert_eq!(said, ["contract 1.1 is not recorded: run `cargo xtask seal-abi`"]);
}

#[test]
fn the_version_is_read_from_its_constant() {
    let text = "pub const CONTRACT: Contract = Contract { major: 3, minor: 14 };";
    assert_eq!(read::version(text).unwrap(), (3, 14));
    assert!(read::version("pub const OTHER: u32 = 1;").is_err());
}
