//! Events that never arrive.

use std::time::Instant;

use notify::event::Flag;
use patchbay_vocab::SystemClock;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    run: Run,
    told: Receiver<WatchEvent>,
    stop: Sender<()>,
    dir: tempfile::TempDir,
}

/// A watcher that would look at its empty directory by itself in an hour.
fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let config = WatchConfig {
        dir: dir.path().to_owned(),
        stable_for: Duration::from_millis(1),
        rescan: Duration::from_secs(3600),
    };
    let (out, told) = crossbeam_channel::unbounded();
    let (stop, stopped) = crossbeam_channel::bounded(0);
    let asked = crossbeam_channel::never();
    let ends = Ends { out, stopped, asked };
    let mut run = Run::new(config, Arc::new(SystemClock::new()), ends).unwrap();
    run.next_scan = Monotonic(run.clock.now().0 + run.config.rescan);
    Bench { run, told, stop, dir }
}

impl Bench {
    /// Lets the thread go on, and waits for what it tells of first.
    fn first_told(self) -> WatchEvent {
        let Self { run, told, stop, dir } = self;
        let thread = std::thread::spawn(move || run.go_on_until_stopped());
        let event = told.recv_timeout(PATIENCE).unwrap();
        drop(stop);
        thread.join().unwrap();
        drop(dir);
        event
    }
}

impl Run {
    /// As `until_stopped`, for one that was started before.
    fn go_on_until_stopped(mut self) {
        let Err(Over) = self.work();
    }
}

#[test]
fn what_is_dropped_from_a_full_queue_is_found_by_listing() {
    let mut bench = bench();
    assert!(bench.run.start().is_ok());
    assert!(matches!(bench.told.try_recv(), Ok(WatchEvent::Scanned)));
    let noise = || Ok(Event::new(EventKind::Any).add_path("/elsewhere/noise".into()));
    while bench.run.feed.try_send(noise()).is_ok() {}
    assert_eq!(bench.run.feed.len(), QUEUE);
    let file = bench.dir.path().join("late.so");
    fs::write(&file, b"x").unwrap();
    // Its own events come from the system, and find no place.
    let until = Instant::now() + PATIENCE;
    while !bench.run.overflow.load(Ordering::Acquire) {
        assert!(Instant::now() < until, "no event was dropped");
        std::thread::yield_now();
    }
    assert!(matches!(bench.first_told(), WatchEvent::Settled(settled) if settled.path() == file));
}

#[test]
fn an_overflow_that_the_system_tells_of_leads_to_a_listing() {
    // It was never attached to the directory: no other event arrives.
    let bench = bench();
    let file = bench.dir.path().join("late.so");
    fs::write(&file, b"x").unwrap();
    let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
    bench.run.feed.send(Ok(lost)).unwrap();
    assert!(matches!(bench.first_told(), WatchEvent::Settled(settled) if settled.path() == file));
}

#[test]
fn used_up_watches_and_instances_are_told_from_other_reasons() {
    let code = |cause| no_events("/plugins".into(), cause).code().0;
    let of = |errno: rustix::io::Errno| notify::Error::io(errno.into());
    assert_eq!(
        code(notify::Error::new(notify::ErrorKind::MaxFilesWatch)),
        "PB-WATCH-004"
    );
    assert_eq!(code(of(rustix::io::Errno::MFILE)), "PB-WATCH-004");
    assert_eq!(code(of(rustix::io::Errno::NOSYS)), "PB-WATCH-005");
}
