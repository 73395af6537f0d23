use std::fs::{File, FileTimes};

use super::super::{StageConfig, stage};
use super::*;
use crate::settle::Settled;

struct Bench {
    dir: tempfile::TempDir,
    told: Arc<Mutex<Vec<KnownFile>>>,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            told: Arc::default(),
        }
    }

    fn store(&self, files: Vec<KnownFile>) -> Store {
        let config = StageConfig {
            dir: self.dir.path().join("store"),
            max_bytes: 1 << 20,
            free_bytes_min: 0,
        };
        let told = Arc::clone(&self.told);
        let on_known = Arc::new(move |file| told.lock().unwrap().push(file));
        Store::open(config).unwrap().knowing(files, on_known)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn told(&self) -> Vec<PathBuf> {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        told.into_iter().map(|file| file.path).collect()
    }
}

fn known(path: &Path, digest: Digest) -> KnownFile {
    KnownFile {
        path: path.to_owned(),
        stamp: stamp_of(path).unwrap().written(),
        digest,
    }
}

fn staged(store: &Store, path: &Path) -> Digest {
    stage(Settled::vouched(path), store).unwrap().digest()
}

fn later() -> SystemTime {
    SystemTime::now() + 2 * OLD
}

#[test]
fn a_file_that_is_as_it_was_is_not_read_and_one_that_was_changed_is_whatever_its_time_says() {
    let bench = Bench::new();
    let other = staged(&bench.store(Vec::new()), &bench.file("other.so", "other"));
    let path = bench.file("a.so", "first");
    // What is known of it is wrong: who believes it has not read it.
    let copy = known(&bench.store(Vec::new()).path_of(other), other);
    let store = bench.store(vec![known(&path, other), copy]);
    assert_eq!(staged(&store, &path), other);

    let before = stamp_of(&path).unwrap();
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    // Until the kernel's clock has ticked.
    while stamp_of(&path) == Some(before) {
        fs::write(&path, "second").unwrap();
        fs::write(&path, "again").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(written)).unwrap();
    }
    let after = stamp_of(&path).unwrap();
    assert_eq!((after.size, after.mtime), (before.size, before.mtime));
    assert_eq!(staged(&store, &path), Digest::of(b"again"));
}

#[test]
fn a_file_is_read_when_the_copy_of_its_content_is_gone_or_not_what_it_was() {
    let bench = Bench::new();
    let path = bench.file("a.so", "content");
    let digest = staged(&bench.store(Vec::new()), &path);
    let copy = bench.store(Vec::new()).path_of(digest);
    let files = vec![known(&path, digest), known(&copy, digest)];
    fs::remove_file(&copy).unwrap();
    let store = bench.store(files.clone());
    assert!(store.recall(&path).is_none());
    assert_eq!(staged(&store, &path), digest);
    assert_eq!(fs::read(&copy).unwrap(), b"content");

    fs::remove_file(&copy).unwrap();
    fs::write(&copy, "damaged").unwrap();
    assert_eq!(staged(&bench.store(files), &path), digest);
    assert_eq!(
        fs::read(&copy).unwrap(),
        b"content",
        "the good one took its place"
    );
}

#[test]
fn a_file_that_was_written_just_before_it_was_read_is_known_when_it_was_read_once_more() {
    let bench = Bench::new();
    let store = bench.store(Vec::new());
    let path = bench.file("a.so", "content");
    let first = stage(Settled::vouched(&path), &store).unwrap();
    store.remember(&first);
    assert_eq!(bench.told(), [store.path_of(first.digest())], "only the copy");
    assert_eq!(store.read_young(10), 0, "it is still young");
    assert!(store.recall(&path).is_none());
    assert_eq!(store.read_young_at(10, later()), 1);
    assert_eq!(bench.told(), std::slice::from_ref(&path));
    assert_eq!(store.recall(&path).unwrap().digest(), first.digest());
    assert_eq!(store.read_young_at(10, later()), 0, "once");

    let changed = bench.file("b.so", "content");
    let second = stage(Settled::vouched(&changed), &store).unwrap();
    store.remember(&second);
    fs::write(&changed, "another").unwrap();
    assert_eq!(store.read_young_at(10, later()), 1);
    assert!(store.recall(&changed).is_none());
    assert!(bench.told().is_empty());
}

#[test]
fn what_is_known_is_told_once_and_known_to_the_next_host() {
    let bench = Bench::new();
    let store = bench.store(Vec::new());
    let path = bench.file("a.so", "content");
    let first = stage(Settled::vouched(&path), &store).unwrap();
    store.remember_at(&first, later());
    store.remember_at(&first, later());
    let told = bench.told.lock().unwrap().clone();
    assert_eq!(told.len(), 2, "the file and the copy");
    let next = bench.store(told);
    assert_eq!(next.recall(&path), Some(first.clone()));
    next.remove(first.digest()).unwrap();
    assert_eq!(next.recall(&path), None);
}

#[test]
fn what_is_no_stamp_is_of_no_file() {
    for text in ["", "1 2 3 4", "1 2 3 4 5 6", "-1 2 3 4 5", "a b c d e"] {
        assert_eq!(Stamp::read(text), None, "{text}");
    }
    let bench = Bench::new();
    let stamp = stamp_of(&bench.file("a", "x")).unwrap();
    assert_eq!(Stamp::read(&stamp.written()), Some(stamp));
}
