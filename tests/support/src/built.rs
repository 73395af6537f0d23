//! Where the binary and the fixtures are, built once for each run of the tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Says that everything has been built before the tests were started.
const BUILT: &str = "PATCHBAY_TESTS_BUILT";

/// Plugins over contracts as they once were, by the name of their folder in `tests/frozen`.
const FROZEN: [&str; 3] = ["contract-1-0", "other-sdk", "wide-bytes"];

const FIXTURES: [&str; 31] = [
    "echo-1-0",
    "echo-1-1",
    "echo-1-1-other",
    "echo-2-0",
    "tls-1-0",
    "tls-1-1",
    "stray",
    "panics",
    "needs-echo",
    "ring-a-1-0",
    "ring-a-1-1",
    "ring-b",
    "thief",
    "counter-1-0",
    "counter-1-1",
    "counter-2-0",
    "counter-3-0",
    "twins-1-0",
    "twins-2-0",
    "clock-1-0",
    "clock-1-1",
    "flow",
    "steady-1-0",
    "steady-1-1",
    "sql-1-1",
    "waits-1-0",
    "waits-1-1",
    "fickle-1-0",
    "fickle-1-1",
    "fickle-1-2",
    "lethal",
];

/// Those of the sample plugins that recorded workflows are made of, by the name of their folder in `sample-plugins`.
pub const SAMPLES: [&str; 10] = [
    "control", "convert", "dict", "list", "logic", "math", "string", "test", "utility", "var",
];

/// The `patchbay` binary, which is also the child for trial loads.
#[must_use]
pub fn binary() -> PathBuf {
    built().join("patchbay")
}

/// The plugin file of a fixture, by the name of its folder.
#[must_use]
pub fn fixture(name: &str) -> PathBuf {
    assert!(FIXTURES.contains(&name), "there is no fixture {name}");
    built().join(format!("libfixture_{}.so", name.replace('-', "_")))
}

/// The plugin file of a folder in `tests/frozen`.
#[must_use]
pub fn frozen(name: &str) -> PathBuf {
    assert!(FROZEN.contains(&name), "there is no frozen plugin {name}");
    built().join(format!("libfrozen_{}.so", name.replace('-', "_")))
}

/// The plugin file of a sample plugin, by the name of its folder.
#[must_use]
pub fn sample(name: &str) -> PathBuf {
    assert!(
        library().iter().any(|known| known == name),
        "there is no sample {name}"
    );
    built().join(format!("libpatchbay_{}.so", name.replace('-', "_")))
}

/// Every sample plugin, by the name of its folder, sorted.
#[must_use]
pub fn library() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-plugins");
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let plugins = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
        let mut names: Vec<_> = plugins
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    })
}

/// An example program of the host; built with it.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    built().join("examples").join(name)
}

/// The folder with what cargo built.
pub(crate) fn built() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let dir = test.ancestors().find(|dir| dir.join("deps").is_dir());
        let dir = dir.expect("a test runs from a target folder of cargo").to_owned();
        if std::env::var_os(BUILT).is_none() {
            build_once(&dir);
        }
        dir
    })
}

/// Builds, unless another process of the same run of the tests has done so.
fn build_once(dir: &Path) {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("tests-built.lock"))
        .unwrap();
    lock.lock().unwrap();
    let mark = dir.join("tests-built");
    let run = std::env::var("NEXTEST_RUN_ID").ok();
    if run.is_some() && fs::read_to_string(&mark).ok() == run {
        return;
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--bins",
        "--lib",
        "--examples",
        "-p",
        "patchbay",
        "--features",
        "patchbay/kill-points",
    ]);
    for sample in library() {
        cargo.arg("-p").arg(format!("sample-{sample}"));
    }
    for fixture in FIXTURES {
        cargo.arg("-p").arg(format!("fixture-{fixture}"));
    }
    for frozen in FROZEN {
        cargo.arg("-p").arg(format!("frozen-{frozen}"));
    }
    match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => drop(cargo.args(["--profile", profile])),
    }
    cargo
        .arg("--target-dir")
        .arg(dir.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(mark, run.unwrap_or_default()).unwrap();
}
