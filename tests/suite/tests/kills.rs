//! A host that is killed at any step of its work loses nothing that it has acknowledged, and does nothing by half.
//!
//! `PATCHBAY_KILLS` is how many hosts are killed; `PATCHBAY_KILLS_SEED` begins elsewhere. A binary of its own, which wants the
//! machine for itself.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails its test"
)]

#[path = "kills/campaign.rs"]
mod campaign;
#[path = "kills/checks.rs"]
mod checks;
#[path = "kills/subject.rs"]
mod subject;
#[path = "kills/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use campaign::Campaign;
use patchbay_tests_support::Chance;

/// Points within the work of a host that serves.
const POINTS: [&str; 33] = [
    "journal.begun",
    "journal.written",
    "journal.committed",
    "state.opened",
    "state.booted",
    "state.queued",
    "state.begun",
    "state.written",
    "state.committed",
    "audit.appended",
    "artifact.copied",
    "artifact.placed",
    "verdict.written",
    "admit.loaded",
    "admit.numbered",
    "admit.mounted",
    "swap.ready",
    "swap.stored",
    "pin.loaded",
    "pin.stored",
    "policy.set",
    "policy.told",
    "quarantine.ready",
    "quarantine.stored",
    "rollout.begun",
    "rollout.effected",
    "rollout.told",
    "rollout.resumed",
    "retention.forgotten",
    "retention.removed",
    "host.restored",
    "host.reinstated",
    "host.opened",
];
/// Points before a host serves.
const OF_A_START: [&str; 6] = [
    "rollout.resumed",
    "state.opened",
    "state.booted",
    "host.restored",
    "host.reinstated",
    "host.opened",
];
/// Orders that one data directory sees, before the next one begins.
const ORDERS: usize = 150;
/// Hosts that are killed when nothing else is said.
const KILLS: u64 = 300;
/// Data directories that are at work at the same time.
const AT_ONCE: u64 = 3;

fn setting(name: &str, standard: u64) -> u64 {
    std::env::var(name).map_or(standard, |text| text.parse().unwrap())
}

/// What all campaigns came to.
#[derive(Default)]
struct Tally {
    kills: AtomicU64,
    orders: AtomicU64,
    at: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    fn killed(&self, at: &str) -> u64 {
        *self.at.lock().unwrap().entry(at.to_owned()).or_default() += 1;
        self.kills.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// One data directory, until it has seen enough orders or all together enough kills.
fn campaign(seed: u64, kills: u64, tally: &Tally, points: &AtomicU64) {
    let mut campaign = Campaign::new(seed);
    while campaign.given.len() < ORDERS && tally.kills.load(Ordering::Relaxed) < kills {
        let mut chance = Chance::of_seed(campaign.chance.any());
        let turn = points.fetch_add(1, Ordering::Relaxed) as usize;
        let point = match (POINTS[turn % POINTS.len()], campaign.world.seen.rolling) {
            // Only where one is under way is one taken up.
            ("rollout.resumed", None) => "rollout.begun",
            (_, Some(_)) if chance.one_in(6) => "rollout.resumed",
            (point, _) => point,
        };
        let by_hand = chance.one_in(7);
        let most = if OF_A_START.contains(&point) { 1 } else { 4 };
        let kill_at = format!("{point}:{}", 1 + chance.below(most));
        let kill_at = (!by_hand).then_some(kill_at);
        campaign.note(&format!("a host starts, to die at {kill_at:?}"));
        let life = match campaign.site.boot(kill_at.as_deref()) {
            Ok(life) => life,
            Err(status) => campaign.fail(&format!("a host did not start: {status}")),
        };
        let (at, began) = (kill_at.as_deref().unwrap_or("by hand"), campaign.given.len());
        let Some(life) = life else {
            campaign.note("  it died before it served");
            tally.killed(at.split(':').next().unwrap());
            let life = campaign.revive();
            campaign.verify(&life.client());
            campaign.end(life);
            continue;
        };
        let left = match by_hand {
            true => {
                let client = life.client();
                let pid = life.pid();
                let micros = chance.below(400_000);
                kill_after(pid, micros);
                drop(client);
                campaign.work(life, None, 1000)
            }
            false => campaign.work(life, Some(point), 20),
        };
        match left {
            None => {
                tally.killed(at.split(':').next().unwrap());
            }
            // It never came to its point.
            Some(life) => {
                campaign.note("it is killed");
                life.kill();
                tally.killed("afterwards");
            }
        }
        tally
            .orders
            .fetch_add((campaign.given.len() - began) as u64, Ordering::Relaxed);
        let life = campaign.revive();
        campaign.verify(&life.client());
        campaign.end(life);
    }
    campaign.close();
}

/// Kills a process after a while, whatever it does then.
fn kill_after(pid: u32, micros: u64) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_micros(micros));
        let _ = kill_process(pid, Signal::KILL);
    });
}

#[test]
fn a_host_that_is_killed_at_any_step_keeps_what_it_acknowledged_and_does_nothing_by_half() {
    let (kills, seed) = (
        setting("PATCHBAY_KILLS", KILLS),
        setting("PATCHBAY_KILLS_SEED", 1),
    );
    campaign::SUBJECT.compile();
    let (tally, points, seeds) = (Tally::default(), AtomicU64::new(0), AtomicU64::new(seed));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while tally.kills.load(Ordering::Relaxed) < kills {
                    campaign(seeds.fetch_add(1, Ordering::Relaxed), kills, &tally, &points);
                }
            });
        }
    });
    let at = tally.at.into_inner().unwrap();
    let orders = tally.orders.into_inner();
    eprintln!(
        "{} kills among {orders} orders: {at:#?}",
        tally.kills.into_inner()
    );
    if kills >= KILLS {
        let missing: Vec<_> = POINTS.iter().filter(|point| !at.contains_key(**point)).collect();
        // Chance may pass by one of them.
        assert!(missing.len() <= 2, "never killed at {missing:?}");
    }
}
