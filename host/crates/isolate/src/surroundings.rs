//! What belongs to the whole process, before and after a plugin was in it.
//!
//! Invariant: only differences that a plugin made are found; what the system or the child itself changes meanwhile is
//! not looked at.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// What a plugin must leave as it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Surroundings {
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    signals: BTreeMap<String, String>,
    descriptors: BTreeMap<OsString, PathBuf>,
}

/// Lines of `/proc/self/status`, and what they are to people.
const LINES: [(&str, &str); 4] = [
    ("Umask", "the mask of new files' rights"),
    ("SigBlk", "the mask of blocked signals"),
    ("SigIgn", "the ignored signals"),
    ("SigCgt", "the handlers of signals"),
];

impl Surroundings {
    /// As they are now, seen from the thread that asks.
    pub(crate) fn look() -> Self {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let lines = status.lines().filter_map(|line| line.split_once(':'));
        let lines = lines.map(|(name, value)| (name.to_owned(), without_libc(value.trim())));
        let open = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let open = open.filter_map(|fd| Some((fd.file_name(), fs::read_link(fd.path()).ok()?)));
        Self {
            environment: std::env::vars_os().collect(),
            directory: std::env::current_dir().ok(),
            signals: lines
                .filter(|(name, _)| LINES.iter().any(|(line, _)| line == name))
                .collect(),
            descriptors: open.collect(),
        }
    }

    /// What is not as it was before, in words.
    pub(crate) fn changed_since(&self, before: &Self) -> Option<&'static str> {
        if self.environment != before.environment {
            return Some("the environment");
        }
        if self.directory != before.directory {
            return Some("the working directory");
        }
        let line = |name: &&(&str, &str)| self.signals.get(name.0) != before.signals.get(name.0);
        if let Some((_, what)) = LINES.iter().find(line) {
            return Some(what);
        }
        // New ones are the plugin's own affair; the listing itself has one open, under a number that may differ.
        let listing = |target: &PathBuf| target.starts_with("/proc");
        let kept =
            |(fd, target): (&OsString, &PathBuf)| listing(target) || self.descriptors.get(fd) == Some(target);
        if before.descriptors.iter().all(kept) {
            None
        } else {
            Some("descriptors that it did not open")
        }
    }
}

/// A set of signals without the two that the C library keeps for itself: it handles them from the first thread on.
fn without_libc(value: &str) -> String {
    const OWN: u64 = 0b11 << 31;
    match u64::from_str_radix(value, 16) {
        Ok(set) if value.len() == 16 => format!("{:016x}", set & !OWN),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_changed_when_nothing_was_done() {
        assert_eq!(Surroundings::look().changed_since(&Surroundings::look()), None);
    }

    #[test]
    fn the_signals_of_the_c_library_are_not_a_plugins() {
        assert_eq!(without_libc("0000000180000440"), "0000000000000440");
        assert_eq!(without_libc("0022"), "0022");
    }

    #[test]
    fn a_descriptor_that_is_gone_is_a_change_and_a_new_one_is_not() {
        let before = Surroundings::look();
        let file = fs::File::open("Cargo.toml").unwrap();
        let with = Surroundings::look();
        assert_eq!(with.changed_since(&before), None);
        drop(file);
        let changed = Surroundings::look().changed_since(&with);
        assert_eq!(changed, Some("descriptors that it did not open"));
    }
}
