//! Every kind of unfit file ends in its own code.

use super::*;
use crate::signature::{TrustPolicy, verify};
use crate::{Settled, StageConfig, Staged, Store, stage};

fn vouched(staged: Staged) -> Vouched {
    verify(staged, &TrustPolicy::default()).unwrap()
}

#[test]
fn a_fit_plugin_is_read_out_of_the_store_and_again_in_a_child_of_the_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c-hello.so");
    let bytes = fit().build();
    fs::write(&path, &bytes).unwrap();
    let config = StageConfig {
        dir: dir.path().join("store"),
        max_bytes: 1 << 20,
        free_bytes_min: 0,
    };
    let store = Store::open(config).unwrap();
    let first = inspect(
        vouched(stage(Settled::vouched(&path), &store).unwrap()),
        &standard(),
    )
    .unwrap();
    let second = inspect(vouched(store.reopen(first.digest()).unwrap()), &standard()).unwrap();
    assert_eq!((first.origin(), second.origin()), (path.as_path(), first.path()));
    for inspected in [&first, &second] {
        assert_eq!(inspected.plugin().as_str(), "c-hello");
        assert_eq!(inspected.version().to_string(), "1.2.3");
        assert_eq!(inspected.entry_kind(), Entry::C);
        assert_eq!(inspected.needed(), ["libc.so.6"]);
        assert!(inspected.imports() > 0 && inspected.mapped_bytes() > 4096);
        assert!(inspected.exports().iter().any(|name| name == "call_out"));
        assert_eq!(inspected.size(), bytes.len() as u64);
        assert_eq!(inspected.note().compiler, "cc");
    }
    let listed = InspectPolicy {
        max_exports_listed: 1,
        ..standard()
    };
    assert_eq!(read_bytes(&bytes, &listed).unwrap().linkage.exports.len(), 1);
}

#[test]
fn every_linker_and_hash_style_of_this_machine_yields_a_fit_plugin() {
    let styles = [
        "-Wl,--hash-style=sysv",
        "-Wl,--hash-style=gnu",
        "-Wl,--hash-style=both",
        "-s",
        "-Wl,-z,now",
        "-g",
    ];
    for flag in styles {
        check(&fit().flag(flag), "fit");
    }
}

#[test]
fn what_is_no_shared_object_is_called_by_its_name() {
    for (bytes, expected) in [
        (b"hello world\n".as_slice(), "001"),
        (b"#!/bin/sh\nexit 0\n", "001"),
        (b"<!DOCTYPE html><html>", "001"),
        (b"PK\x03\x04zip", "001"),
        (&[0; 4096], "001"),
        (&[0xfe; 4096], "001"),
        (b"x", "001"),
        (b"!<arch>\n/ 0 ", "002"),
        (b"MZ\x90\0", "003"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "003"),
        (b"\x7fELF", "010"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", "010"),
    ] {
        assert_eq!(code(bytes), expected, "{:?}", &bytes[..bytes.len().min(12)]);
    }
}

#[test]
fn what_was_built_as_something_else_is_refused() {
    let program = fit().body("int main(void) { return 0; }");
    assert_eq!(code(&program.compile("c", "cc", &["-pie", "-fPIE"])), "007");
    assert_eq!(code(&program.compile("c", "cc", &["-no-pie"])), "007");
    assert_eq!(code(&fit().compile("c", "cc", &["-c"])), "008");
}

#[test]
fn a_file_for_another_machine_is_refused() {
    let good = fit().build();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        code(&bytes)
    };
    assert_eq!(with(4, 1), "004");
    assert_eq!(with(5, 2), "005");
    assert_eq!(with(18, 243), "006");
    assert_eq!(with(16, 4), "009");
    assert_eq!(with(4, 9), "011");
    assert_eq!(with(7, 9), "011");
    let other = match Platform::of_this_build() {
        Platform::ElfAarch64 => Platform::ElfX86_64,
        _ => Platform::ElfAarch64,
    };
    assert_eq!(
        code_under(
            &good,
            &InspectPolicy {
                platform: other,
                ..standard()
            }
        ),
        "006"
    );
    assert_eq!(
        code_under(
            &good,
            &InspectPolicy {
                platform: Platform::MachOAarch64,
                ..standard()
            }
        ),
        "003"
    );
}

#[test]
fn limits_of_the_policy_are_kept() {
    let good = fit().build();
    for (policy, expected) in [
        (
            InspectPolicy {
                max_mapped_bytes: 4096,
                ..standard()
            },
            "013",
        ),
        (
            InspectPolicy {
                max_headers: 2,
                ..standard()
            },
            "014",
        ),
        (
            InspectPolicy {
                max_headers: 16,
                ..standard()
            },
            "014",
        ),
        (
            InspectPolicy {
                max_note_bytes: 100,
                ..standard()
            },
            "014",
        ),
        (
            InspectPolicy {
                max_symbols: 3,
                ..standard()
            },
            "014",
        ),
        (
            InspectPolicy {
                max_relocations: 1,
                ..standard()
            },
            "014",
        ),
    ] {
        assert_eq!(code_under(&good, &policy), expected);
    }
    check(&fit().body("char huge[1500000000];"), "013");
}

#[test]
fn links_that_endanger_the_host_are_refused() {
    check(&fit().flag("-Wl,-z,execstack"), "015");
    check(&fit().flag("-Wl,-z,nodelete"), "018");
    check(&fit().flag("-Wl,-rpath,/opt/lib"), "019");
    check(&fit().flag("-Wl,-rpath,/opt/lib,--disable-new-dtags"), "019");
    for flag in [
        "-Wl,-z,global",
        "-Wl,-z,interpose",
        "-Wl,-z,initfirst",
        "-Wl,-z,nodlopen",
    ] {
        check(&fit().flag(flag), "020");
    }
    check(&fit().flag("-Wl,-F,libother.so"), "020");
    check(&fit().flag("-Wl,-soname,libstdc++.so.6"), "034");
    check(&fit().flag("-Wl,-soname,libc-hello.so"), "fit");
}

#[test]
fn writable_code_and_relocated_code_are_refused() {
    let good = fit().build();
    // The first executable segment: its flags are read and execute.
    let writable = patched(&good, &[1, 0, 0, 0, 5, 0, 0, 0], &[1, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(code(&writable), "016");
    // DT_FLAGS, which `-z origin` makes the linker emit, with DF_TEXTREL in it.
    let flags = fit().flag("-Wl,-z,origin").build();
    let textrel = patched(
        &flags,
        &[30, 0, 0, 0, 0, 0, 0, 0, 1],
        &[30, 0, 0, 0, 0, 0, 0, 0, 4],
    );
    assert_eq!(code(&textrel), "017");
}

#[test]
fn a_note_that_is_missing_doubled_oversized_or_unreadable_has_its_own_code() {
    check(&Recipe { notes: 0, ..fit() }, "021");
    check(&Recipe { notes: 2, ..fit() }, "022");
    check(&fit().with("more", "11").with("desc_size", "300"), "023");
    check(&fit().with("desc_size", "4000000000u"), "023");
    check(&fit().with("desc_size", "280"), "024");
    check(&fit().with("flags", "0x82"), "024");
    check(&fit().with("name", r#""\xff\xfe""#), "024");
    check(&fit().with("name", r#""a\0b""#), "024");
    for name in ["", "Upper", "../x", "x y"] {
        check(&fit().with("name", format!("{name:?}")), "025");
    }
    for version in ["", "1.2", "one", "1.2.3.4"] {
        check(&fit().with("version", format!("{version:?}")), "026");
    }
}

#[test]
fn the_contract_is_judged_in_both_directions() {
    let host = |major, minor| InspectPolicy {
        contract: plugin_api::Contract { major, minor },
        ..standard()
    };
    let plugin = fit().with("major", "2").with("minor", "3").build();
    for (policy, expected) in [
        (host(2, 3), "fit"),
        (host(2, 9), "fit"),
        (host(2, 2), "027"),
        (host(1, 9), "027"),
        (host(3, 0), "028"),
    ] {
        assert_eq!(code_under(&plugin, &policy), expected);
    }
    let error = read_bytes(&plugin, &host(1, 0)).unwrap_err().to_string();
    assert!(error.contains("2.3") && error.contains("1.0"), "{error}");
}

#[test]
fn a_target_that_is_not_the_hosts_is_refused() {
    check(&fit().with("target", r#""sparc-unknown-linux-gnu""#), "029");
    let windows = format!("\"{}-pc-windows-msvc\"", std::env::consts::ARCH);
    check(&fit().with("target", windows), "029");
    check(&fit().with("target", r#""""#), "fit");
}

#[test]
fn a_plugin_whose_panic_would_end_the_host_is_refused_by_its_flag_and_by_what_it_imports() {
    let sdk = Recipe {
        entry: Entry::Sdk.symbol(),
        ..fit()
    }
    .with("flags", "0");
    let unwinds = "extern void _Unwind_RaiseException(void); void up(void) { _Unwind_RaiseException(); }";
    check(&fit().with("flags", "3"), "030");
    check(&sdk, "030");
    let sdk = sdk.body(unwinds);
    check(&sdk, "fit");
    assert_eq!(read_bytes(&sdk.build(), &standard()).unwrap().entry, Entry::Sdk);
}

#[test]
fn libraries_and_imports_are_held_against_the_lists() {
    check(&fit().flag("-Wl,--no-as-needed").flag("-lm"), "fit");
    let bytes = fit().flag("-Wl,--no-as-needed").flag("-lm").build();
    let strict = InspectPolicy {
        allowed_libraries: ["libc.so.6".to_owned()].into(),
        ..standard()
    };
    let error = read_bytes(&bytes, &strict).unwrap_err();
    assert_eq!(error.code().0, "PB-INSPECT-031");
    assert!(error.to_string().contains("libm.so.6"));
    check(
        &fit().body("extern int reboot(int); int f(void) { return reboot(0); }"),
        "032",
    );
    check(
        &fit().body("extern void pthread_exit(void *); void f(void) { pthread_exit(0); }"),
        "032",
    );
    check(&fit().body("void *malloc(unsigned long n) { return 0; }"), "034");
    check(&fit().body("int pthread_key_create(void) { return 0; }"), "034");
}

#[test]
fn symbols_that_all_versions_would_share_are_refused() {
    // The same as a C++ template's static; assembler spells it without a C++ compiler.
    let shared = fit().body("__asm__(\".globl shared\\n.type shared, %gnu_unique_object\\n.data\\nshared: .quad 1\\n.size shared, 8\\n.text\");");
    check(&shared, "033");
}

#[test]
fn a_plugin_without_the_entry_its_note_promises_is_refused() {
    check(
        &Recipe {
            entry: "something_else",
            ..fit()
        },
        "035",
    );
    check(&fit().flag("-fvisibility=hidden"), "035");
    // It is named, but not defined.
    let imported = Recipe {
        entry: "other",
        ..fit()
    };
    check(
        &imported.body("extern void patchbay_plugin_v1(void); void f(void) { patchbay_plugin_v1(); }"),
        "035",
    );
}

#[test]
fn a_rust_library_that_uses_all_of_std_is_fit_unless_it_aborts_on_panic() {
    // The note says nothing of the panic strategy here: what the library imports has to tell it.
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("plugin.rs");
    fs::write(&source, include_str!("std_plugin.rs")).unwrap();
    fs::write(dir.path().join("note"), rust_note()).unwrap();
    for (strategy, expected) in [("panic=unwind", "fit"), ("panic=abort", "030")] {
        let target = dir.path().join(format!("{strategy}.so"));
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args([
                "--edition=2024",
                "--crate-type=cdylib",
                "-O",
                "-C",
                strategy,
                "-o",
            ])
            .arg(&target)
            .arg(&source);
        let output = rustc.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let bytes = fs::read(target).unwrap();
        assert_eq!(code(&bytes), expected, "{strategy}");
        for percent in (50..100).step_by(7) {
            assert_eq!(code(&bytes[..bytes.len() * percent / 100]), "010", "{percent} %");
        }
    }
}

fn rust_note() -> Vec<u8> {
    let mut note = Vec::new();
    for word in [9, 288, 1] {
        note.extend(u32::to_le_bytes(word));
    }
    note.extend(b"Patchbay\0\0\0\0");
    for word in [plugin_api::CONTRACT.major, plugin_api::CONTRACT.minor, 0, 0] {
        note.extend(word.to_le_bytes());
    }
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    for (text, size) in [
        ("std-user", 64),
        ("0.1.0", 48),
        ("0.1.0", 32),
        ("rustc", 64),
        (target.as_str(), 64),
    ] {
        let end = note.len() + size;
        note.extend(text.as_bytes());
        note.resize(end, 0);
    }
    note
}

#[test]
fn a_private_copy_that_was_cut_after_staging_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("a.so");
    fs::write(&path, fit().build()).unwrap();
    let config = StageConfig {
        dir: dir.path().join("store"),
        max_bytes: 1 << 20,
        free_bytes_min: 0,
    };
    let staged = vouched(stage(Settled::vouched(&path), &Store::open(config).unwrap()).unwrap());
    let copy = staged.staged().path().to_owned();
    fs::remove_file(&copy).unwrap();
    assert_eq!(
        inspect(staged.clone(), &standard()).unwrap_err().code().0,
        "PB-INSPECT-036"
    );
    fs::write(copy, b"short").unwrap();
    assert_eq!(
        inspect(staged, &standard()).unwrap_err().code().0,
        "PB-INSPECT-036"
    );
}
