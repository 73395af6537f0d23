//! Makes the types of this crate look to `abi_stable` as if `plugin-api` had defined them, which is what it compares.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let frozen = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap()).join("../contract-1-0");
    println!("cargo::rerun-if-changed={}", frozen.display());
    let (package, version) = (
        env::var("CARGO_PKG_NAME").unwrap(),
        env::var("CARGO_PKG_VERSION").unwrap(),
    );
    let sdk = if package == "frozen-other-sdk" {
        "9.0.0"
    } else {
        "0.1.0"
    };
    println!("cargo::rustc-env=CARGO_PKG_NAME=plugin-api");
    println!("cargo::rustc-env=CARGO_PKG_VERSION={sdk}");
    println!("cargo::rustc-env=PLUGIN_VERSION={version}");
    println!("cargo::rustc-env=PLUGIN_API_COMPILER=rustc");
    println!(
        "cargo::rustc-env=PLUGIN_API_TARGET={}",
        env::var("TARGET").unwrap()
    );

    // What the crate `wide-bytes` has in place of `abi.rs`.
    let abi = fs::read_to_string(frozen.join("src/abi.rs")).unwrap();
    let (shapes, asserts) = abi.split_once("// The layout on 64-bit targets").unwrap();
    let types = &shapes[shapes.find("use std::").unwrap()..];
    let narrow = "pub len: usize,\n}\n\n/// A growing buffer";
    assert!(types.contains(narrow) && asserts.contains("size_of::<Bytes>() == 16"));
    let wide = types.replacen(
        narrow,
        &format!(
            "pub len: usize,\n    /// New.\n    pub {}",
            &narrow[4..].replace("len: usize,", "spare: usize,")
        ),
        1,
    );
    fs::write(PathBuf::from(env::var("OUT_DIR").unwrap()).join("abi.rs"), wide).unwrap();
}
