//! The mark of what is being loaded at the moment, which outlives the process.
//!
//! Invariant: while a [`Loading`] is there its revision is in the file, written in place and never waited for: what a
//! kill leaves of a file is what was last written to it. A mark that cannot be read names nobody.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use patchbay_database as database;
use patchbay_vocab::{PluginName, RevisionNumber};

use crate::StateError;

/// How many loads are marked at once; further ones go unmarked.
const SLOTS: usize = 16;
/// A name has 63 bytes at most, a number 20.
const SLOT_BYTES: usize = 128;

/// The file of marks.
#[derive(Debug)]
pub(crate) struct Marker(Arc<Slots>);

#[derive(Debug)]
struct Slots {
    file: File,
    taken: Mutex<[bool; SLOTS]>,
}

/// A load that goes on; dropping it ends the mark.
#[derive(Debug)]
pub struct Loading {
    slot: Option<usize>,
    slots: Arc<Slots>,
}

impl Marker {
    /// Opens the file beside the database, and reads what the last process was loading.
    pub(crate) fn open(database: &Path) -> Result<(Self, Vec<(PluginName, RevisionNumber)>), StateError> {
        let path = database::beside(database, ".loading");
        database::refuse_other_kinds(&path)?;
        let open = || -> io::Result<_> {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .mode(0o600)
                .open(&path)?;
            let mut left = Vec::new();
            file.by_ref()
                .take((SLOTS * SLOT_BYTES) as u64)
                .read_to_end(&mut left)?;
            Ok((file, left))
        };
        let (file, left) = open().map_err(|cause| StateError::Open {
            path: path.clone(),
            cause: cause.into(),
        })?;
        let slots = Slots {
            file,
            taken: Mutex::new([false; SLOTS]),
        };
        let left = left.chunks(SLOT_BYTES).filter_map(read).collect();
        Ok((Self(Arc::new(slots)), left))
    }

    /// Ends every mark that the last process left, once somebody was told of them.
    pub(crate) fn clear(&self) {
        self.0.write(0, &[0; SLOTS * SLOT_BYTES]);
    }

    pub(crate) fn mark(&self, plugin: &PluginName, number: RevisionNumber) -> Loading {
        let slots = Arc::clone(&self.0);
        let slot = slots.take();
        if let Some(slot) = slot {
            let mut text = format!("{plugin} {number}\n").into_bytes();
            text.resize(SLOT_BYTES, 0);
            slots.write(slot, &text);
        }
        Loading { slot, slots }
    }
}

impl Slots {
    fn take(&self) -> Option<usize> {
        let mut taken = self.taken.lock();
        let (slot, is_taken) = taken.iter_mut().enumerate().find(|(_, is_taken)| !**is_taken)?;
        *is_taken = true;
        Some(slot)
    }

    fn write(&self, slot: usize, text: &[u8]) {
        if let Err(error) = self.file.write_all_at(text, (slot * SLOT_BYTES) as u64) {
            tracing::warn!(error = %error, "what is being loaded cannot be marked");
        }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        self.slots.write(slot, &[0; SLOT_BYTES]);
        if let Some(is_taken) = self.slots.taken.lock().get_mut(slot) {
            *is_taken = false;
        }
    }
}

fn read(slot: &[u8]) -> Option<(PluginName, RevisionNumber)> {
    let text = std::str::from_utf8(slot).ok()?;
    let (line, rest) = text.split_once('\n')?;
    let (plugin, number) = line.split_once(' ')?;
    let is_whole = rest.bytes().all(|byte| byte == 0);
    is_whole.then_some(())?;
    Some((plugin.parse().ok()?, RevisionNumber(number.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(folder: &Path) -> Vec<(PluginName, RevisionNumber)> {
        let (marker, left) = Marker::open(&folder.join("state.db")).unwrap();
        marker.clear();
        left
    }

    fn name(text: &str) -> PluginName {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_being_loaded_is_named_once_and_what_was_loaded_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let longest = name(&"a".repeat(63));
        {
            let (marker, none) = Marker::open(&folder.path().join("state.db")).unwrap();
            assert!(none.is_empty());
            std::mem::forget(marker.mark(&longest, RevisionNumber(u64::MAX)));
            drop(marker.mark(&name("loaded"), RevisionNumber(1)));
            std::mem::forget(marker.mark(&name("second"), RevisionNumber(2)));
        }
        let found = left(folder.path());
        assert_eq!(
            found,
            [
                (longest, RevisionNumber(u64::MAX)),
                (name("second"), RevisionNumber(2))
            ]
        );
        assert!(left(folder.path()).is_empty());
    }

    #[test]
    fn a_host_that_does_not_come_to_start_leaves_the_marks_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        std::mem::forget(
            Marker::open(&path)
                .unwrap()
                .0
                .mark(&name("culprit"), RevisionNumber(1)),
        );
        for _ in 0..2 {
            let (_, found) = Marker::open(&path).unwrap();
            assert_eq!(found, [(name("culprit"), RevisionNumber(1))]);
        }
    }

    #[test]
    fn more_loads_than_there_are_marks_for_go_on_unmarked() {
        let folder = tempfile::tempdir().unwrap();
        let (marker, _) = Marker::open(&folder.path().join("state.db")).unwrap();
        let loads: Vec<_> = (0..20)
            .map(|n| marker.mark(&name("many"), RevisionNumber(n)))
            .collect();
        assert_eq!(left(folder.path()).len(), SLOTS);
        drop(loads);
        let again = marker.mark(&name("again"), RevisionNumber(1));
        assert_eq!(left(folder.path()), [(name("again"), RevisionNumber(1))]);
        drop(again);
    }

    #[test]
    fn a_mark_that_is_no_mark_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db.loading");
        for content in [
            &b"plugin"[..],
            b"plugin 1\nx",
            b"Plugin 1\n",
            b"plugin -1\n",
            &[0xff; 5000],
        ] {
            std::fs::write(&file, content).unwrap();
            assert!(left(folder.path()).is_empty(), "{content:?}");
        }
    }
}
