use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use patchbay_vocab::Explain;

use super::*;

const MAX: u64 = 1 << 20;

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StageConfig {
            dir: dir.path().join("store"),
            max_bytes: MAX,
            free_bytes_min: 0,
        };
        Self {
            store: Store::open(config).unwrap(),
            dir,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn stage(&self, path: &Path) -> Result<Staged, StageError> {
        stage(Settled::vouched(path), &self.store)
    }

    fn stored(&self) -> usize {
        fs::read_dir(&self.store.config().dir).unwrap().count()
    }

    #[track_caller]
    fn refuses(&self, path: &Path, code: &str) {
        let error = self.stage(path).unwrap_err();
        assert_eq!(error.code().0, code, "{error}");
        assert!(!error.help().is_empty());
        assert_eq!(self.stored(), 0, "something was left behind");
    }
}

#[test]
fn a_regular_file_is_copied_under_its_digest_and_made_read_only() {
    let bench = Bench::new();
    let content = vec![7; PIECE * 2 + 5];
    let staged = bench.stage(&bench.file("a.so", &content)).unwrap();
    assert_eq!(staged.digest(), Digest::of(&content));
    assert_eq!(staged.path(), bench.store.path_of(staged.digest()));
    assert_eq!(
        (staged.origin(), staged.size()),
        (bench.path("a.so").as_path(), content.len() as u64)
    );
    assert_eq!(fs::read(staged.path()).unwrap(), content);
    assert_eq!(
        fs::metadata(staged.path()).unwrap().permissions().mode() & 0o777,
        0o400
    );
    assert_eq!(
        fs::metadata(&bench.store.config().dir)
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    assert_eq!(bench.store.reopen(staged.digest()).unwrap().path(), staged.path());
    assert_eq!(bench.store.digests().unwrap(), [staged.digest()]);
    bench.store.remove(staged.digest()).unwrap();
    bench.store.remove(staged.digest()).unwrap();
    assert_eq!(
        bench.store.reopen(staged.digest()).unwrap_err().code().0,
        "PB-STAGE-014"
    );
}

#[test]
fn the_same_content_is_stored_once() {
    let bench = Bench::new();
    let first = bench.stage(&bench.file("a.so", b"same")).unwrap();
    let before = Stamp::of(&fs::metadata(first.path()).unwrap());
    let second = bench.stage(&bench.file("b.so", b"same")).unwrap();
    assert_eq!((first.digest(), first.path()), (second.digest(), second.path()));
    assert_eq!(Stamp::of(&fs::metadata(first.path()).unwrap()), before);
    assert_eq!(bench.stored(), 1);
}

#[test]
fn a_damaged_copy_is_noticed_and_replaced_by_the_next_good_one() {
    let bench = Bench::new();
    let origin = bench.file("a.so", b"good");
    let staged = bench.stage(&origin).unwrap();
    fs::set_permissions(staged.path(), fs::Permissions::from_mode(0o600)).unwrap();
    for damage in [b"bad!".as_slice(), b"longer than before"] {
        fs::write(staged.path(), damage).unwrap();
        assert_eq!(
            bench.store.reopen(staged.digest()).unwrap_err().code().0,
            "PB-STAGE-015"
        );
    }
    bench.stage(&origin).unwrap();
    bench.store.reopen(staged.digest()).unwrap();
}

#[test]
fn whatever_is_not_a_regular_file_is_refused_by_its_own_code_and_never_opened() {
    let bench = Bench::new();
    let target = bench.file("target", b"x");
    let link = |name: &str, to: &Path| {
        symlink(to, bench.path(name)).unwrap();
        bench.path(name)
    };
    bench.refuses(&link("in.so", &target), "PB-STAGE-002");
    bench.refuses(&link("out.so", Path::new("/etc/passwd")), "PB-STAGE-002");
    bench.refuses(&link("loop.so", &bench.path("loop.so")), "PB-STAGE-002");
    bench.refuses(&link("dangling.so", Path::new("/nowhere")), "PB-STAGE-002");
    fs::create_dir(bench.path("d.so")).unwrap();
    bench.refuses(&bench.path("d.so"), "PB-STAGE-003");
    // mkfifo, which no crate here offers without unsafe code.
    assert!(
        std::process::Command::new("mkfifo")
            .arg(bench.path("f.so"))
            .status()
            .unwrap()
            .success()
    );
    bench.refuses(&bench.path("f.so"), "PB-STAGE-004");
    let _socket = UnixListener::bind(bench.path("s.so")).unwrap();
    bench.refuses(&bench.path("s.so"), "PB-STAGE-005");
    bench.refuses(Path::new("/dev/zero"), "PB-STAGE-006");
    bench.refuses(&bench.path("none.so"), "PB-STAGE-001");
}

#[test]
fn an_unreadable_file_is_refused_unless_the_host_may_read_everything() {
    let bench = Bench::new();
    let path = bench.file("a.so", b"x");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if rustix::process::geteuid().is_root() {
        assert!(bench.stage(&path).is_ok());
    } else {
        bench.refuses(&path, "PB-STAGE-007");
    }
}

#[test]
fn sizes_are_judged_before_a_byte_is_read() {
    let bench = Bench::new();
    bench.refuses(&bench.file("empty.so", b""), "PB-STAGE-008");
    let sparse = bench.file("sparse.so", b"");
    File::options()
        .write(true)
        .open(&sparse)
        .unwrap()
        .set_len(10 << 30)
        .unwrap();
    bench.refuses(&sparse, "PB-STAGE-009");
    let most = bench.file("most.so", b"");
    File::options()
        .write(true)
        .open(&most)
        .unwrap()
        .set_len(MAX)
        .unwrap();
    assert!(bench.stage(&most).is_ok());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_to_be_settled_again() {
    let bench = Bench::new();
    let old = vec![1; PIECE * 3];
    let other = vec![2; PIECE * 3];
    let path = bench.path("a.so");
    let append = || fs::write(&path, [old.as_slice(), b"more"].concat());
    let shrink = || File::options().write(true).open(&path)?.set_len(PIECE as u64 + 1);
    let rewrite = || fs::write(&path, &other);
    let replace =
        || fs::write(bench.path("next"), &other).and_then(|()| fs::rename(bench.path("next"), &path));
    let remove = || fs::remove_file(&path);
    let changes: [&dyn Fn() -> io::Result<()>; 5] = [&append, &shrink, &rewrite, &replace, &remove];
    for (at, change) in changes.into_iter().enumerate() {
        fs::write(&path, &old).unwrap();
        // The times of a file tick coarsely: without an old one, a rewrite in the same tick could not be told.
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let mut during = |total| if total == PIECE as u64 { change() } else { Ok(()) };
        let error = copy_in(path.clone(), &bench.store, &mut during).unwrap_err();
        assert_eq!(
            (error.code().0, error.is_transient()),
            ("PB-STAGE-010", true),
            "change {at}"
        );
        assert_eq!(bench.stored(), 0, "change {at}");
    }
}

#[test]
fn a_full_disk_has_its_own_code_and_leaves_nothing_behind() {
    let bench = Bench::new();
    let path = bench.file("a.so", &[1; PIECE * 3]);
    let reasons = [
        rustix::io::Errno::NOSPC,
        rustix::io::Errno::DQUOT,
        rustix::io::Errno::FBIG,
    ];
    for full in reasons {
        let mut during = |total| {
            if total > PIECE as u64 {
                Err(full.into())
            } else {
                Ok(())
            }
        };
        let error = copy_in(path.clone(), &bench.store, &mut during).unwrap_err();
        assert_eq!((error.code().0, error.is_transient()), ("PB-STAGE-011", false));
        assert_eq!(bench.stored(), 0);
    }
    let greedy = StageConfig {
        free_bytes_min: u64::MAX,
        ..bench.store.config().clone()
    };
    let error = stage(Settled::vouched(&path), &Store::attach(greedy).unwrap()).unwrap_err();
    assert_eq!(error.code().0, "PB-STAGE-011");
}

#[test]
fn opening_the_store_clears_unfinished_copies_and_tightens_the_folder() {
    let bench = Bench::new();
    let staged = bench.stage(&bench.file("a.so", b"x")).unwrap();
    let config = bench.store.config().clone();
    fs::write(config.dir.join("1-1.part"), b"half").unwrap();
    fs::set_permissions(&config.dir, fs::Permissions::from_mode(0o755)).unwrap();
    Store::attach(config.clone()).unwrap();
    assert_eq!(bench.stored(), 2);
    let store = Store::open(config.clone()).unwrap();
    assert_eq!(bench.stored(), 1);
    assert!(store.reopen(staged.digest()).is_ok());
    assert_eq!(
        fs::metadata(&config.dir).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_store_that_is_not_a_folder_of_its_own_is_refused() {
    let bench = Bench::new();
    symlink(bench.dir.path(), bench.path("link")).unwrap();
    bench.file("file", b"");
    for name in ["link", "file"] {
        let config = StageConfig {
            dir: bench.path(name),
            max_bytes: MAX,
            free_bytes_min: 0,
        };
        assert_eq!(Store::open(config).unwrap_err().code().0, "PB-STAGE-013");
    }
}
