use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;
use plugin_io::Stop;
use rusqlite::Connection;

use super::turns::Turns;

/// Gives a [`Stop`] to a test: there is no other way to one than a call.
#[parameters]
struct Nothing {}

/// Waits for a turn at the file that a secret names, at the place that another copy of this plugin would have.
#[node(id = "test.turn", secrets = ["PATH"], capabilities = ["secrets"])]
async fn turn(_input: Nothing, ctx: Ctx<'_>) -> NodeResult<Answer<bool>> {
    let path = ctx.secret("PATH")?;
    plugin_io::run_blocking(ctx, move |stop| {
        OTHER.take(Path::new(&path), stop)?;
        Ok(answer(true))
    })
    .await
}

/// The turns of what would be another copy of SQLite.
static OTHER: Turns = Turns::new();

/// Runs work with a stop that nobody asks for.
fn unstopped<T: Send + 'static>(work: impl FnOnce(&Stop) -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    let work = std::sync::Mutex::new(Some((work, sender)));
    let lent: Arc<dyn Fn(&Stop) + Send + Sync> = Arc::new(move |stop| {
        if let Some((work, sender)) = work.lock().unwrap().take() {
            sender.send(work(stop)).unwrap();
        }
    });
    *LENT.lock().unwrap() = Some(lent);
    Harness::new().call::<lend>("{}").unwrap();
    receiver.recv().unwrap()
}

type Lent = Arc<dyn Fn(&Stop) + Send + Sync>;

static LENT: std::sync::Mutex<Option<Lent>> = std::sync::Mutex::new(None);

/// Calls what is lent.
#[node(id = "test.lend")]
async fn lend(_input: Nothing, ctx: Ctx<'_>) -> NodeResult<Answer<bool>> {
    let lent = LENT.lock().ok().and_then(|mut lent| lent.take());
    plugin_io::run_blocking(ctx, move |stop| {
        if let Some(lent) = lent {
            lent(stop);
        }
        Ok(answer(true))
    })
    .await
}

fn increment(path: &Path) {
    let mut connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let n: i64 = transaction
        .query_row("SELECT n FROM counter", [], |row| row.get(0))
        .unwrap();
    transaction.execute("UPDATE counter SET n = ?", [n + 1]).unwrap();
    transaction.commit().unwrap();
}

#[test]
fn two_versions_take_turns_and_lose_nothing() {
    const VERSIONS: usize = 2;
    const THREADS: usize = 3;
    const ROUNDS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counter.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)")
        .unwrap();

    let versions: Vec<Turns> = (0..VERSIONS).map(|_| Turns::new()).collect();
    // Which version has connections open, and how many.
    let inside = Arc::new([const { AtomicUsize::new(0) }; VERSIONS]);
    let changes = Arc::new(AtomicU32::new(0));
    let last = Arc::new(AtomicUsize::new(usize::MAX));
    let (file, seen, changed) = (path.clone(), Arc::clone(&inside), Arc::clone(&changes));
    unstopped(move |stop| {
        std::thread::scope(|scope| {
            for (number, turns) in versions.iter().enumerate() {
                for _ in 0..THREADS {
                    let (file, seen, changed, last) = (&file, &seen, &changed, &last);
                    scope.spawn(move || {
                        for _ in 0..ROUNDS {
                            let turn = turns.take(file, stop).unwrap();
                            seen[number].fetch_add(1, Ordering::SeqCst);
                            let others = seen.iter().enumerate().filter(|(other, _)| *other != number);
                            assert_eq!(
                                others
                                    .map(|(_, inside)| inside.load(Ordering::SeqCst))
                                    .sum::<usize>(),
                                0
                            );
                            if last.swap(number, Ordering::SeqCst) != number {
                                changed.fetch_add(1, Ordering::SeqCst);
                            }
                            increment(file);
                            seen[number].fetch_sub(1, Ordering::SeqCst);
                            drop(turn);
                        }
                    });
                }
            }
        });
    });

    let connection = Connection::open(&path).unwrap();
    let n: i64 = connection
        .query_row("SELECT n FROM counter", [], |row| row.get(0))
        .unwrap();
    assert_eq!(usize::try_from(n), Ok(VERSIONS * THREADS * ROUNDS));
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    // Neither had to wait until the other had done everything.
    assert!(changes.load(Ordering::SeqCst) > 2, "{changes:?}");
}

#[test]
fn a_version_joins_its_own_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    unstopped(move |stop| {
        let turns = Turns::new();
        let first = turns.take(&path, stop).unwrap();
        let second = turns.take(&path, stop).unwrap();
        drop(first);
        drop(second);
        // Nothing of it is left: another version has it at once.
        drop(Turns::new().take(&path, stop).unwrap());
    });
}

#[test]
fn waiting_for_a_turn_ends_with_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let (taken, told) = channel();
    let (release, released) = channel::<()>();
    let file = path.clone();
    let holder = std::thread::spawn(move || {
        // As another process would.
        let mut beside = file.into_os_string();
        beside.push(".patchbay-lock");
        let lock = std::fs::File::create(beside).unwrap();
        lock.lock().unwrap();
        taken.send(()).unwrap();
        released.recv().unwrap();
    });
    told.recv().unwrap();
    let harness = Harness::new()
        .secret("PATH", path.to_str().unwrap())
        .deadline(Duration::from_millis(30));
    assert_eq!(harness.call::<turn>("{}").unwrap_err().code, code::TIMEOUT);
    release.send(()).unwrap();
    holder.join().unwrap();
    let harness = Harness::new().secret("PATH", path.to_str().unwrap());
    assert!(harness.call::<turn>("{}").is_ok());
}

#[test]
fn a_folder_that_cannot_be_written_is_told_of() {
    unstopped(|stop| {
        let path = Path::new("/nowhere/at/all.db");
        let error = Turns::new().take(path, stop).map(|_| ()).unwrap_err();
        assert!(error.message.contains("has to be writable"), "{error}");
        assert!(!error.message.contains("nowhere"), "{error}");
    });
}
