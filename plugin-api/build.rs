//! Records the compiler and the target, which the plugin's note carries.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty() && text.len() < 64)
        .unwrap_or_else(|| "rustc (version unknown)".to_owned());
    println!("cargo::rustc-env=PLUGIN_API_COMPILER={version}");
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=PLUGIN_API_TARGET={target}");
}
