//! Good plugins, damaged at random, in the directory of a host that serves: none of them may end it.
//!
//! `PATCHBAY_MUTANTS` says how many; `cargo xtask mutants --count N` sets it and shows where they ended.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use patchbay_tests_support::{CPlugin, Extra, TestHost, deploy, fixture};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Mutants that wait to be judged at the same time.
const AHEAD: usize = 64;

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    fn mutant(&mut self, good: &[u8]) -> Vec<u8> {
        let mut bytes = good.to_vec();
        // The tables at the start are small, and a hit in them matters.
        let reach = if self.roll(2) == 0 { bytes.len() } else { 4096 };
        for _ in 0..=self.roll(4) {
            let at = self.roll(reach - 64);
            match self.roll(8) {
                0..4 => bytes[at] ^= 1 << self.roll(8),
                4 => bytes[at] = u8::try_from(self.roll(256)).unwrap(),
                5 => bytes[at..at + 8].copy_from_slice(&(1_u64 << self.roll(64)).to_le_bytes()),
                6 => bytes[at..at + 64].fill(0),
                _ => {
                    let from = self.roll(good.len() - 64);
                    bytes[at..at + 64].copy_from_slice(&good[from..from + 64]);
                }
            }
        }
        if self.roll(40) == 0 {
            bytes.truncate(good.len() / 100 * self.roll(100));
        }
        bytes
    }
}

#[test]
fn no_mutant_of_a_good_plugin_ends_the_host_or_fails_a_call() {
    let count = std::env::var("PATCHBAY_MUTANTS").map_or(1000, |count| count.parse().unwrap());
    let host = TestHost::holding(&["echo-1-0", "tls-1-0"], |config| {
        config.probe_deadline = Duration::from_secs(1);
    });
    let c = CPlugin {
        source: "fit",
        plugin: "c-seed",
        version: "1.0.0",
        node: "c.seed",
        target: "",
    };
    let c = c.built(Extra::default());
    // With the seeds admitted, a mutant that loads is refused as the same version with other content.
    deploy(&c, &host.inbox("seed.so"));
    host.wait("plugin.live", "c-seed", "1.0.0");
    let seeds = [fs::read(c).unwrap(), fs::read(fixture("tls-1-0")).unwrap()];
    let mut seen: BTreeSet<_> = seeds.iter().map(|bytes| hash(bytes)).collect();
    let (mut dice, mut ends) = (Dice(SEED), BTreeMap::<String, usize>::new());
    let (over, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let caller = threads.spawn(|| {
            while !over.load(Ordering::Acquire) {
                assert_eq!(host.version(), "1.0.0");
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (mut sent, mut from) = (0, host.tape().position());
            let mut waiting = BTreeSet::new();
            while sent < count || !waiting.is_empty() {
                while sent < count && waiting.len() < AHEAD {
                    // Four of five are small, so that many fit into a minute.
                    let bytes = dice.mutant(&seeds[usize::from(sent % 5 == 0)]);
                    if !seen.insert(hash(&bytes)) {
                        continue;
                    }
                    let name = format!("m{sent}.so");
                    let part = host.scratch("mutant");
                    fs::write(&part, bytes).unwrap();
                    fs::rename(part, host.inbox(&name)).unwrap();
                    waiting.insert(name);
                    sent += 1;
                }
                let end = host.wait_after(from, "a mutant to be judged", |event| {
                    event.kind == "file.rejected"
                });
                from = host.tape().position_after(&end);
                let name = end
                    .message
                    .split(": ")
                    .next()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned();
                *ends.entry(end.code.unwrap()).or_default() += 1;
                if waiting.remove(&name) {
                    fs::remove_file(host.inbox(&name)).unwrap();
                }
            }
        }));
        over.store(true, Ordering::Release);
        caller.join().unwrap();
        judged.unwrap();
    });
    let loaded = ends.get("PB-REG-001").copied().unwrap_or_default();
    eprintln!(
        "{count} mutants, seed {SEED:#x}: {loaded} load (PB-REG-001), {} calls meanwhile, none failed\n{ends:#?}",
        calls.load(Ordering::Relaxed)
    );
    assert_eq!(ends.values().sum::<usize>(), count);
    // Damage is found at every stage, and much of it changes nothing that is looked at.
    for stage in ["PB-INSPECT-", "PB-PROBE-", "PB-REG-001"] {
        assert!(
            ends.keys().any(|code| code.starts_with(stage)),
            "{stage}: {ends:#?}"
        );
    }
    assert_eq!(host.host().plugins().len(), 3);
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
