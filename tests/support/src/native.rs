//! Plugins over `patchbay.h`, compiled when a test wants one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A source in `tests/native` with what it is compiled with.
#[derive(Clone, Debug)]
pub struct Native {
    source: PathBuf,
    defines: Vec<String>,
}

impl Native {
    /// A source of `tests/native`, and the plugin's version.
    #[must_use]
    pub fn new(source: &str, version: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../native");
        Self::at(folder.join(source), version)
    }

    /// A source anywhere, and the plugin's version.
    #[must_use]
    pub fn at(source: PathBuf, version: &str) -> Self {
        Self {
            source,
            defines: vec![format!("-DVERSION={version:?}")],
        }
    }

    /// Defines a name before the source is compiled.
    #[must_use]
    pub fn define(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.defines.push(format!("-D{name}={value}"));
        self
    }

    /// Compiles it to `out`, with every warning an error.
    ///
    /// # Panics
    /// With the compiler's words, when it refuses; and when there is no compiler.
    pub fn compile(&self, out: &Path) {
        let made = tempfile::tempdir().unwrap();
        let part = made.path().join("plugin.so");
        let exports = format!(
            "-Wl,--version-script={}",
            header_folder().join("patchbay.map").display()
        );
        self.run_compiler(&["-shared", "-fPIC", "-fvisibility=hidden", &exports], &part);
        crate::deploy(&part, out);
    }

    /// Compiles it to a program and runs that to its end.
    ///
    /// # Panics
    /// When it cannot be compiled, or ends with another status than 0.
    pub fn run(&self) {
        let made = tempfile::tempdir().unwrap();
        let program = made.path().join("program");
        self.run_compiler(&["-g"], &program);
        let output = Command::new(&program).output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn run_compiler(&self, flags: &[&str], out: &Path) {
        let is_cxx = self.source.extension().is_some_and(|end| end == "cpp");
        let (compiler, language) = if is_cxx {
            ("c++", ["-std=c++17", "-fno-gnu-unique"].as_slice())
        } else {
            ("cc", ["-std=c11"].as_slice())
        };
        let output = Command::new(compiler)
            .args([
                if is_cxx { "-O0" } else { "-O1" },
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
            ])
            .args(language)
            .args(flags)
            .args(&self.defines)
            .arg("-I")
            .arg(header_folder())
            .arg("-o")
            .arg(out)
            .arg(&self.source)
            .output()
            .unwrap_or_else(|error| panic!("{compiler}: {error}"));
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Where `patchbay.h` is.
pub(crate) fn header_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api/include")
}
