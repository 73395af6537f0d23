use patchbay_vocab::{Clock, FakeClock};

use super::*;

const STABLE: Duration = Duration::from_millis(100);

struct Bench {
    clock: FakeClock,
    settler: Settler,
    now_there: Option<Stamp>,
}

fn file(ino: u64, size: u64) -> Stamp {
    Stamp {
        kind: Kind::File,
        dev: 1,
        ino,
        size,
        mtime: 0,
        ctime: 0,
    }
}

fn path() -> PathBuf {
    "/plugins/a.so".into()
}

impl Bench {
    fn new() -> Self {
        Self {
            clock: FakeClock::new(),
            settler: Settler::new(STABLE),
            now_there: None,
        }
    }

    fn sees(&mut self, sight: Sight, stamp: Option<Stamp>) -> Option<Decision> {
        self.now_there = stamp;
        self.settler.observe(&path(), sight, stamp, self.clock.now())
    }

    /// Lets `millis` pass, looking at whatever falls due.
    fn after(&mut self, millis: u64) -> Vec<Decision> {
        self.clock.advance(Duration::from_millis(millis));
        let now = self.clock.now();
        let due = self.settler.due(now);
        due.iter()
            .filter_map(|path| self.settler.look(path, self.now_there, now))
            .collect()
    }
}

fn settled() -> Decision {
    Decision::Settled(Settled { path: path() })
}

#[test]
fn a_closed_or_renamed_file_settles_at_once_and_leaves_nothing_waiting() {
    let mut bench = Bench::new();
    assert_eq!(bench.sees(Sight::Written, Some(file(1, 5))), None);
    assert_eq!(bench.sees(Sight::Complete, Some(file(1, 9))), Some(settled()));
    assert_eq!(bench.settler.next_wake(), None);
    assert_eq!(bench.after(1000), []);
}

#[test]
fn an_unclosed_file_settles_once_when_it_has_been_the_same_for_the_whole_time() {
    let mut bench = Bench::new();
    bench.sees(Sight::Written, Some(file(1, 5)));
    assert_eq!(bench.settler.next_wake(), Some(Monotonic(STABLE)));
    assert_eq!(bench.after(99), []);
    assert_eq!(bench.after(1), [settled()]);
    assert_eq!(bench.after(1000), []);
}

#[test]
fn a_file_that_keeps_growing_stays_pending_with_and_without_events() {
    let mut bench = Bench::new();
    for size in 1..20 {
        assert_eq!(bench.sees(Sight::Written, Some(file(1, size))), None);
        assert_eq!(bench.after(90), []);
    }
    for size in 20..40 {
        bench.now_there = Some(file(1, size));
        assert_eq!(bench.after(100), []);
    }
    assert_eq!(bench.after(100), [settled()]);
}

#[test]
fn a_write_that_leaves_the_same_stamp_still_settles_again() {
    // Two writes within one tick of the file system's clock cannot be told apart by their times.
    let mut bench = Bench::new();
    assert_eq!(bench.sees(Sight::Complete, Some(file(1, 5))), Some(settled()));
    assert_eq!(bench.sees(Sight::Complete, Some(file(1, 5))), Some(settled()));
    assert_eq!(bench.sees(Sight::Written, Some(file(1, 5))), None);
    assert_eq!(bench.after(100), [settled()]);
}

#[test]
fn a_sighting_that_shows_nothing_new_settles_nothing() {
    let mut bench = Bench::new();
    bench.sees(Sight::Complete, Some(file(1, 5)));
    bench.sees(Sight::Seen, Some(file(1, 5)));
    assert_eq!(bench.after(1000), []);
    bench.sees(Sight::Seen, Some(file(2, 5)));
    assert_eq!(bench.after(100), [settled()]);
}

#[test]
fn what_is_not_a_regular_file_settles_once_without_waiting() {
    let mut bench = Bench::new();
    let folder = Stamp {
        kind: Kind::Directory,
        size: 0,
        ..file(3, 0)
    };
    assert_eq!(bench.sees(Sight::Seen, Some(folder)), Some(settled()));
    assert_eq!(bench.sees(Sight::Seen, Some(folder)), None);
}

#[test]
fn a_removal_is_told_once_and_only_of_what_was_settled() {
    let mut bench = Bench::new();
    bench.sees(Sight::Written, Some(file(1, 5)));
    assert_eq!(bench.sees(Sight::Seen, None), None);
    assert_eq!(bench.after(1000), []);
    bench.sees(Sight::Complete, Some(file(1, 5)));
    assert_eq!(bench.sees(Sight::Seen, None), Some(Decision::Removed(path())));
    assert_eq!(bench.sees(Sight::Seen, None), None);
}

#[test]
fn the_first_scan_settles_old_files_and_waits_for_young_ones() {
    let mut bench = Bench::new();
    bench.clock.advance(Duration::from_millis(10_000));
    let ms = 1_000_000;
    let old = Stamp {
        mtime: 9_900 * ms,
        ..file(1, 5)
    };
    let young = Stamp {
        mtime: 9_901 * ms,
        ..file(2, 5)
    };
    let future = Stamp {
        mtime: 99_000 * ms,
        ..file(3, 5)
    };
    let found = vec![
        ("/p/old.so".into(), old),
        (path(), young),
        ("/p/future.so".into(), future),
    ];
    let first = bench
        .settler
        .first_scan(found, bench.clock.now(), bench.clock.wall());
    assert_eq!(
        first,
        [Decision::Settled(Settled {
            path: "/p/old.so".into()
        })]
    );
    assert_eq!(bench.settler.waiting().count(), 2);
}

#[test]
fn a_rescan_finds_what_events_missed_and_nothing_else() {
    let mut bench = Bench::new();
    bench.sees(Sight::Complete, Some(file(1, 5)));
    let same = vec![(path(), file(1, 5))];
    assert_eq!(bench.settler.rescan(same, bench.clock.now()), []);
    assert_eq!(bench.after(1000), []);
    let other = file(1, 6);
    assert_eq!(bench.settler.rescan(vec![(path(), other)], bench.clock.now()), []);
    bench.now_there = Some(other);
    assert_eq!(bench.after(100), [settled()]);
    assert_eq!(
        bench.settler.rescan(vec![], bench.clock.now()),
        [Decision::Removed(path())]
    );
}

#[test]
fn a_batch_keeps_only_what_still_matters_in_order() {
    let (a, b) = (PathBuf::from("a"), PathBuf::from("b"));
    let batch = vec![
        (a.clone(), Sight::Written),
        (a.clone(), Sight::Complete),
        (b.clone(), Sight::Complete),
        (a.clone(), Sight::Written),
        (a.clone(), Sight::Complete),
        (a.clone(), Sight::Written),
        (a.clone(), Sight::Written),
    ];
    let kept = vec![
        (b, Sight::Complete),
        (a.clone(), Sight::Complete),
        (a, Sight::Written),
    ];
    assert_eq!(coalesce(batch), kept);
}
