//! Calls and runs of several tenants, versions good and bad, rollouts, pins, quarantines, collections, and kills, all at the
//! same time, held against a model.
//!
//! `PATCHBAY_CHAOS_SECONDS` is how long it takes, `PATCHBAY_CHAOS_SEED` what it does. A binary of its own, which wants the
//! machine for itself.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails its test"
)]

#[path = "chaos/arena.rs"]
mod arena;
#[path = "chaos/callers.rs"]
mod callers;
#[path = "chaos/commander.rs"]
mod commander;
#[path = "kills/subject.rs"]
mod subject;
#[path = "kills/world.rs"]
mod world;

use std::time::{Duration, Instant};

use arena::{Arena, CALLERS};
use commander::Commander;

fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}

#[test]
fn whatever_is_ordered_and_whoever_is_killed_each_call_is_answered_by_a_version_that_may() {
    let seed = setting("PATCHBAY_CHAOS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        u64::try_from(now.as_micros()).unwrap()
    });
    let seconds = setting("PATCHBAY_CHAOS_SECONDS").unwrap_or(20);
    eprintln!("seed {seed}, {seconds} s");
    let arena = Arena::new(seed);
    let until = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        for number in 0..CALLERS {
            let arena = &arena;
            scope.spawn(move || callers::call(arena, number));
        }
        // Whatever becomes of it, the callers are to end.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            Commander::new(&arena, until).command();
        }));
        arena.end();
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    arena.check();
    eprintln!("{}", arena.summary());
}
