//! What this process holds, as the system sees it.

use std::fs;
use std::path::Path;

/// Mappings of files under `dir`.
#[must_use]
pub fn mappings(dir: &Path) -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let dir = fs::canonicalize(dir).unwrap();
    let dir = dir.to_str().unwrap();
    maps.lines()
        .filter(|line| line.contains(dir))
        .map(str::to_owned)
        .collect()
}

/// Names of the threads of this process.
#[must_use]
pub fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // A thread may end between the listing and the reading.
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
    let mut names: Vec<_> = tasks
        .flatten()
        .filter_map(name)
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    names
}

/// Open file descriptors of this process, the one that counts them left out.
#[must_use]
pub fn fds() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Resident memory in KiB.
#[must_use]
pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
