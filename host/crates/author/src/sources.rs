//! Watching the sources of a project.
//!
//! Invariant: what a build writes and what an editor keeps beside a file is never taken for a change of a source. Folders
//! are watched one by one, so that the thousands below `target` cost nothing.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::{DevError, Project};

/// Folders of one project that are watched at most.
const MOST_FOLDERS: usize = 4096;

/// What a file event amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A source changed.
    Source,
    /// The lock file changed, which a build may have done.
    Lock,
}

/// The watched sources of a project.
#[derive(Debug)]
pub struct Sources {
    watcher: RecommendedWatcher,
    folder: PathBuf,
    product: Option<PathBuf>,
    watched: HashSet<PathBuf>,
}

impl Sources {
    /// Begins to watch; `on_event` is called on a thread of the watcher and should hand the event to the loop, which
    /// asks [`Sources::observe`] what it means.
    ///
    /// # Errors
    /// When the system grants no watch.
    pub fn watch(project: &Project, on_event: impl Fn(Event) + Send + 'static) -> Result<Self, DevError> {
        let refused = |error: &notify::Error| DevError::Watch {
            path: project.folder().to_owned(),
            reason: error.to_string(),
        };
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error means that events were lost: as good as a change of the whole folder.
            on_event(event.unwrap_or_else(|_| Event::new(EventKind::Any)));
        });
        let mut sources = Self {
            watcher: watcher.map_err(|error| refused(&error))?,
            folder: project.folder().to_owned(),
            product: project.product().map(Path::to_owned),
            watched: HashSet::new(),
        };
        let folder = sources.folder.clone();
        sources.take_in(&folder).map_err(|error| refused(&error))?;
        Ok(sources)
    }

    /// Watches a folder and those in it.
    fn take_in(&mut self, folder: &Path) -> notify::Result<()> {
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            if self.watched.len() >= MOST_FOLDERS || self.watched.contains(&folder) {
                continue;
            }
            self.watcher.watch(&folder, RecursiveMode::NonRecursive)?;
            self.watched.insert(folder.clone());
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            open.extend(
                folders
                    .map(|entry| entry.path())
                    .filter(|path| self.is_source(path)),
            );
        }
        Ok(())
    }

    /// What an event amounts to; `None` for nothing.
    pub fn observe(&mut self, event: &Event) -> Option<Change> {
        let changes = match event.kind {
            EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
            _ => true,
        };
        if !changes {
            return None;
        }
        if event.paths.is_empty() {
            return Some(Change::Source);
        }
        let mut change = None;
        for path in event
            .paths
            .iter()
            .filter(|path| self.is_source(path))
            .cloned()
            .collect::<Vec<_>>()
        {
            if matches!(event.kind, EventKind::Remove(_)) {
                self.watched.remove(&path);
            } else if path.is_dir() {
                // A folder that cannot be watched any more is one whose changes need another save to be seen.
                let _ = self.take_in(&path);
            }
            let is_lock = path == self.folder.join("Cargo.lock");
            change = match change {
                None | Some(Change::Lock) if is_lock => Some(Change::Lock),
                _ => Some(Change::Source),
            };
        }
        change
    }

    fn is_source(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.folder) else {
            return false;
        };
        if self.product.as_deref() == Some(path) {
            return false;
        }
        let mut names = inside.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        !names.any(is_foreign)
    }
}

/// Whether a name is a build's or an editor's own.
fn is_foreign(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let ends = [
        "~",
        ".swp",
        ".swx",
        ".swo",
        ".tmp",
        ".part",
        ".bak",
        "___jb_tmp___",
        "___jb_old___",
    ];
    name == "target"
        || name.starts_with('.')
        || name.starts_with('#')
        // Vim makes a file of this name to see whether it may.
        || name == "4913"
        || ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, ModifyKind};

    use super::*;

    fn sources(folder: &Path) -> Sources {
        std::fs::write(folder.join("Cargo.toml"), "").unwrap();
        let project = Project::open(folder).unwrap();
        Sources::watch(&project, |_| {}).unwrap()
    }

    fn modified(path: PathBuf) -> Event {
        Event::new(EventKind::Modify(ModifyKind::Any)).add_path(path)
    }

    #[test]
    fn what_builds_and_editors_write_is_no_change() {
        // The folder's own name begins with a dot, as temporary folders do; only what is in it counts.
        let folder = tempfile::tempdir().unwrap();
        let mut sources = sources(folder.path());
        let root = sources.folder.clone();
        for name in [
            "target/debug/liba.so",
            ".git/index",
            "src/.lib.rs.swp",
            "src/lib.rs~",
            "src/#lib.rs#",
            "src/.#lib.rs",
            "src/4913",
            "src/lib.rs___jb_tmp___",
        ] {
            assert_eq!(sources.observe(&modified(root.join(name))), None, "{name}");
        }
        for name in ["src/lib.rs", "Cargo.toml", "build.rs", "data/words.txt"] {
            assert_eq!(
                sources.observe(&modified(root.join(name))),
                Some(Change::Source),
                "{name}"
            );
        }
        assert_eq!(
            sources.observe(&modified(root.join("Cargo.lock"))),
            Some(Change::Lock)
        );
        assert_eq!(sources.observe(&modified("/elsewhere/lib.rs".into())), None);
    }

    #[test]
    fn reading_a_source_is_no_change_and_lost_events_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = sources(folder.path());
        let path = sources.folder.join("src/lib.rs");
        let read = Event::new(EventKind::Access(AccessKind::Open(AccessMode::Read))).add_path(path.clone());
        assert_eq!(sources.observe(&read), None);
        let written = Event::new(EventKind::Access(AccessKind::Close(AccessMode::Write))).add_path(path);
        assert_eq!(sources.observe(&written), Some(Change::Source));
        assert_eq!(sources.observe(&Event::new(EventKind::Any)), Some(Change::Source));
    }

    #[test]
    fn a_folder_that_is_made_later_is_watched_with_those_in_it_and_targets_are_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("target/debug")).unwrap();
        let mut sources = sources(folder.path());
        let root = sources.folder.clone();
        assert_eq!(sources.watched, HashSet::from([root.clone()]));
        std::fs::create_dir_all(root.join("src/deep")).unwrap();
        let made = Event::new(EventKind::Create(CreateKind::Folder)).add_path(root.join("src"));
        assert_eq!(sources.observe(&made), Some(Change::Source));
        assert_eq!(
            sources.watched,
            HashSet::from([root.clone(), root.join("src"), root.join("src/deep")])
        );
    }
}
