//! Any bytes, staged and inspected as a plugin: an answer, never a panic, in bounded time and memory.
//!
//! `tests/fuzz/run` builds and runs it with the compiler that the project pins; so does `cargo fuzz run --fuzz-dir tests/fuzz
//! inspect` with a nightly one.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use patchbay_intake::{InspectPolicy, Settled, StageConfig, Store, inspect, stage};
use tempfile::TempDir;

struct Bench {
    dir: TempDir,
    store: Store,
    policy: InspectPolicy,
}

fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        // In memory where there is such a place: every run writes two small files.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        let dir = dir.expect("a temporary folder");
        let config = StageConfig {
            dir: dir.path().join("store"),
            max_bytes: 1 << 20,
            free_bytes_min: 0,
        };
        Bench {
            store: Store::open(config).expect("a store"),
            policy: InspectPolicy::standard(),
            dir,
        }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let bench = bench();
    let path = bench.dir.path().join("plugin.so");
    std::fs::write(&path, bytes).expect("room for a file");
    let Ok(staged) = stage(Settled::vouched(&path), &bench.store) else { return };
    let digest = staged.digest();
    if let Ok(inspected) = inspect(staged, &bench.policy) {
        assert!(!inspected.plugin().as_str().is_empty());
        assert!(inspected.mapped_bytes() <= bench.policy.max_mapped_bytes);
    }
    bench.store.remove(digest).expect("the copy can be removed");
});
