//! What commander and callers share: where the host is, and what may be true of it now.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

use patchbay_tests_support::{Client, Site};

use crate::subject::{Subject, TENANTS};
use crate::world::{Minor, World};

pub(crate) const CALLERS: u64 = 3;

/// Plugins whose every version does what it should.
pub(crate) const SUBJECTS: [Subject; 2] = [
    Subject {
        plugin: "alpha",
        node: "alpha.version",
    },
    Subject {
        plugin: "beta",
        node: "beta.version",
    },
];

const CONFIG: &str = "
[lifecycle]
stable_for_ms = 1
rescan_ms = 200
[rollout]
tick_ms = 20
stable_after_ms = 1
[retention]
revisions = 4
rollbacks = 2
[breaker]
window_ms = 2000
panics = 5
timeouts = 5
";

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: AtomicU64,
    pub(crate) runs: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) orders: AtomicU64,
    pub(crate) bad_files: AtomicU64,
    pub(crate) kills: AtomicU64,
}

impl Counts {
    pub(crate) fn add(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) struct Arena {
    pub(crate) seed: u64,
    pub(crate) site: Site,
    pub(crate) counts: Counts,
    /// For each subject what may be true of it, from its beginning on; the last entry is what may be true now.
    possible: [Mutex<Vec<Vec<World>>>; SUBJECTS.len()],
    /// Where orders and calls go; nobody while no host serves.
    client: Mutex<Option<Client>>,
    serves: Condvar,
    ended: AtomicBool,
    faulty: AtomicBool,
    failure: Mutex<Option<String>>,
    script: Mutex<String>,
}

impl Arena {
    pub(crate) fn new(seed: u64) -> Self {
        let begun = || Mutex::new(vec![vec![World::begun()]]);
        Self {
            seed,
            site: Site::new(CONFIG),
            counts: Counts::default(),
            possible: [begun(), begun()],
            client: Mutex::default(),
            serves: Condvar::new(),
            ended: AtomicBool::new(false),
            faulty: AtomicBool::new(false),
            failure: Mutex::default(),
            script: Mutex::default(),
        }
    }

    pub(crate) fn note(&self, line: &str) {
        let _ = writeln!(self.script.lock().unwrap(), "{line}");
    }

    /// Something is not as it should be: the first word counts.
    pub(crate) fn fail(&self, why: &str) {
        self.note(&format!("FAILED: {why}"));
        self.failure.lock().unwrap().get_or_insert_with(|| why.to_owned());
        self.end();
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.lock().unwrap().is_some()
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.serves.notify_all();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Panics with all there is to know, when something has failed.
    pub(crate) fn check(&self) {
        let Some(why) = self.failure.lock().unwrap().clone() else {
            return;
        };
        let script = self.script.lock().unwrap();
        let from = script.len().saturating_sub(20_000);
        let log = self.site.log();
        let start = log.len().saturating_sub(30_000);
        let start = (start..log.len())
            .find(|at| log.is_char_boundary(*at))
            .unwrap_or(0);
        panic!(
            "{why}\nseed {}\nscript:\n{}\nthe hosts' log:\n{}",
            self.seed,
            &script[from..],
            &log[start..]
        );
    }

    pub(crate) fn put(&self, client: Option<Client>) {
        *self.client.lock().unwrap() = client;
        self.serves.notify_all();
    }

    /// The host that serves, when there is one; `None` at the end.
    pub(crate) fn client(&self) -> Option<Client> {
        let mut client = self.client.lock().unwrap();
        while client.is_none() && !self.is_ended() {
            client = self.serves.wait(client).unwrap();
        }
        client.clone().filter(|_| !self.is_ended())
    }

    /// From now on one of these is true of a subject.
    pub(crate) fn may_be(&self, subject: usize, worlds: Vec<World>) {
        self.possible[subject].lock().unwrap().push(worlds);
    }

    /// A moment, to ask later what was possible since.
    pub(crate) fn moment(&self, subject: usize) -> usize {
        self.possible[subject].lock().unwrap().len() - 1
    }

    /// What may have answered a tenant since a moment.
    pub(crate) fn answers(&self, subject: usize, tenant: &'static str, since: usize) -> BTreeSet<Minor> {
        let possible = self.possible[subject].lock().unwrap();
        let worlds = possible[since..].iter().flatten();
        worlds.flat_map(|world| world.answers(tenant)).collect()
    }

    /// Whether it may be that nothing was live since a moment.
    pub(crate) fn may_be_absent(&self, subject: usize, since: usize) -> bool {
        let possible = self.possible[subject].lock().unwrap();
        possible[since..]
            .iter()
            .flatten()
            .any(|world| world.seen.live.is_none())
    }

    pub(crate) fn saw_faulty(&self) {
        self.faulty.store(true, Ordering::Release);
    }

    /// Whether the plugin that fails was live at some time.
    pub(crate) fn has_faulty(&self) -> bool {
        self.faulty.load(Ordering::Acquire)
    }

    pub(crate) fn summary(&self) -> String {
        format!("seed {}: {:?}, {} tenants", self.seed, self.counts, TENANTS.len())
    }
}
