//! A disk that fills up, and a data directory that is taken away, while the host runs.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use patchbay_tests_support::{TestHost, Up, deploy, fixture};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::directory::plugin;

/// Changes nothing but the file's time.
fn touch(path: &Path) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
}

/// Copies that are not complete.
fn unfinished(data: &Path) -> usize {
    let files = fs::read_dir(data.join("artifacts")).unwrap().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|end| end == "part"))
        .count()
}

fn serves(up: &Up) {
    let called = up.run(&["call", "fx.version", "{}", "--json"]);
    assert_eq!(called.code, 0, "{called:?}\n{}", up.log());
}

/// No file may be longer than so many bytes, from now on; `None` for any length.
fn limit_files_of(up: &Up, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(up.pid()).unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// The write itself fails, in the middle of the file; by itself, the signal that goes with it would end the host.
#[test]
fn a_copy_that_the_system_stops_half_way_is_removed_and_made_when_there_is_room() {
    let up = Up::start(|_| {}, &[]);
    deploy(&fixture("echo-1-0"), &up.plugins().join("echo.so"));
    up.wait_live("echo", "1.0.0");
    limit_files_of(&up, Some(200_000));
    let large = up.plugins().join("tls.so");
    deploy(&fixture("tls-1-0"), &large);
    let refused = up.wait_rejected("tls.so", "PB-STAGE-011");
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("then touch the file"), "{hint}");
    assert_eq!(unfinished(&up.data()), 0);
    serves(&up);
    limit_files_of(&up, None);
    touch(&large);
    up.wait_live("tls", "1.0.0");
    serves(&up);
}

/// A disk of the host's own, where the system permits to mount one; the test above needs no permission.
#[test]
fn a_disk_without_room_refuses_at_each_step_and_takes_the_file_when_there_is_some() {
    let mounts = "mount -t tmpfs -o size=512m,nr_inodes=400 none \"$1\"; shift; exec \"$@\"";
    let Some(up) = Up::start_apart(mounts, &[]) else {
        return;
    };
    deploy(&fixture("echo-1-0"), &up.plugins().join("echo.so"));
    up.wait_live("echo", "1.0.0");
    let data = up.data_within();
    let filler = |n: usize| data.join(format!("filler-{n}"));
    let filled = (0..).take_while(|n| File::create_new(filler(*n)).is_ok()).count();
    assert!(filled > 100, "{filled}");
    let late = up.plugins().join("late.so");
    deploy(&plugin("c-late"), &late);
    // No room for the first copy; none for the copy that the trial maps; none for the one that is to serve.
    let mut codes = Vec::new();
    for room in 0..8 {
        if room > 0 {
            fs::remove_file(filler(room)).unwrap();
            touch(&late);
        }
        let listed = up.run_until(&["plugins", "--rejected", "--json"], |all| {
            let all = all.as_array().unwrap();
            all.is_empty() || all[0]["at"].as_u64() > codes.last().map(|(at, _): &(u64, String)| *at)
        });
        let Some(refused) = listed.as_array().unwrap().first() else {
            break;
        };
        assert!(refused["hint"].as_str().unwrap().contains("space"), "{refused}");
        assert_eq!(unfinished(&data), 0);
        serves(&up);
        let code = refused["code"].as_str().unwrap().to_owned();
        codes.push((refused["at"].as_u64().unwrap(), code));
    }
    up.wait_live("c-late", "1.0.0");
    let mut codes: Vec<_> = codes.into_iter().map(|(_, code)| code).collect();
    codes.dedup();
    assert_eq!(codes, ["PB-STAGE-011", "PB-LOAD-001"]);
}

#[test]
fn a_store_that_becomes_read_only_refuses_new_files_until_it_is_writable() {
    let up = Up::start_unprivileged(|_| {}, &[]);
    deploy(&fixture("echo-1-0"), &up.plugins().join("echo.so"));
    up.wait_live("echo", "1.0.0");
    let closed = |name: &str, mode| {
        use std::os::unix::fs::PermissionsExt;
        let folder = up.data().join(name);
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    };
    let late = up.plugins().join("late.so");
    for (folder, code) in [("artifacts", "PB-STAGE-013"), ("maps", "PB-LOAD-001")] {
        closed(folder, 0o500);
        deploy(&plugin("c-late"), &late);
        let refused = up.wait_rejected("late.so", code);
        assert!(refused["hint"].as_str().unwrap().len() > 20, "{refused}");
        serves(&up);
        closed(folder, 0o700);
    }
    touch(&late);
    up.wait_live("c-late", "1.0.0");
}

#[test]
fn a_store_that_is_gone_or_replaced_refuses_new_files_and_is_used_again_when_it_is_back() {
    for part in ["data/artifacts", "data/maps", "data"] {
        let host = TestHost::holding(&["echo-1-0"], |_| {});
        let (folder, lost) = (host.scratch(part), host.scratch("lost"));
        let is_maps = part == "data/maps";
        let code = if is_maps { "PB-LOAD-001" } else { "PB-STAGE-013" };
        let refused = |name: &str| {
            deploy(&plugin(name), &host.inbox(&format!("{name}.so")));
            let refused = host.wait_rejected(&format!("{name}.so"));
            assert_eq!(refused.code, code, "`{part}`: {refused:?}");
            assert_eq!(host.version(), "1.0.0");
        };
        fs::rename(&folder, &lost).unwrap();
        // Lost maps alone are made again: see below.
        if !is_maps {
            refused("c-gone");
        }
        fs::write(&folder, "in its place").unwrap();
        refused("c-replaced");
        fs::remove_file(&folder).unwrap();
        fs::rename(&lost, &folder).unwrap();
        touch(&host.inbox("c-replaced.so"));
        host.wait("plugin.live", "c-replaced", "1.0.0");
    }
}

/// It holds nothing that a host could not make again.
#[test]
fn a_lost_folder_for_mapped_copies_is_made_again() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    fs::remove_dir_all(host.maps()).unwrap();
    deploy(&plugin("c-late"), &host.inbox("late.so"));
    host.wait("plugin.live", "c-late", "1.0.0");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn a_disk_with_less_room_than_has_to_stay_free_takes_no_file() {
    let full = TestHost::with(|config| config.min_free_bytes = u64::MAX / 2);
    deploy(&plugin("c-late"), &full.inbox("late.so"));
    assert_eq!(full.wait_rejected("late.so").code, "PB-STAGE-011");
}
