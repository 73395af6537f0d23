//! From a linked file to a live revision.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use patchbay::{
    ControlError, Digest, EventView, Explained, Order, Patchbay, PluginName, RevisionNumber, Selector,
};
use patchbay_author::DevError;
use patchbay_wire::DevEventView;

use super::session::micros;

/// Contents that are kept for going back to; older ones would fill the disk of whoever works all day.
const KEPT: usize = 16;

/// The host's plugin directory and store, which nobody else writes to.
#[derive(Debug)]
pub(super) struct Inbox {
    plugins: PathBuf,
    artifacts: PathBuf,
    serial: u64,
    handed: Vec<Digest>,
}

/// What was handed over, and since when.
#[derive(Debug)]
pub(super) struct Handed {
    path: PathBuf,
    digest: Digest,
    since: SystemTime,
    linked: bool,
    took: Duration,
}

/// What became of a linked file.
#[derive(Debug)]
pub(super) enum Taken {
    /// The same content is live.
    Live,
    /// The same content was live before.
    Known(Handed, PluginName, RevisionNumber),
    /// The host will look at it.
    New(Handed),
}

impl Inbox {
    pub(super) fn of(private: &Path) -> Self {
        Self {
            plugins: private.join("inbox"),
            artifacts: private.join("store/artifacts"),
            serial: 0,
            handed: Vec::new(),
        }
    }

    /// Puts a linked file into the inbox, unless the host knows its content.
    pub(super) fn hand_over(
        &mut self,
        host: &Patchbay,
        artifact: &Path,
        took: Duration,
        began: SystemTime,
    ) -> Result<Taken, DevError> {
        let seen = SystemTime::now();
        let failed = |cause| DevError::HandOver {
            path: artifact.to_owned(),
            cause,
        };
        // The linker's last write; a file from before the build was not written by it.
        let written = fs::metadata(artifact)
            .and_then(|found| found.modified())
            .map_err(failed)?;
        let linked = written >= began;
        let bytes = fs::read(artifact).map_err(failed)?;
        let handed = Handed {
            path: self.plugins.join(format!("build-{}.so", self.serial)),
            digest: Digest::of(&bytes),
            since: if linked { written } else { seen },
            linked,
            took,
        };
        for plugin in host.plugins() {
            let known = plugin
                .revisions
                .iter()
                .find(|known| known.digest == handed.digest);
            if let Some(known) = known {
                return Ok(if plugin.live_revision == Some(known.revision) {
                    Taken::Live
                } else {
                    Taken::Known(handed, plugin.name, known.revision)
                });
            }
        }
        // The last one has been taken in or refused; what is refused again is told again.
        let last = self
            .plugins
            .join(format!("build-{}.so", self.serial.wrapping_sub(1)));
        match fs::remove_file(last) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let part = self.plugins.join(".part");
        fs::write(&part, &bytes).map_err(failed)?;
        fs::rename(&part, &handed.path).map_err(failed)?;
        self.serial += 1;
        self.forget_old(handed.digest);
        Ok(Taken::New(handed))
    }

    fn forget_old(&mut self, newest: Digest) {
        self.handed.retain(|digest| *digest != newest);
        self.handed.push(newest);
        while self.handed.len() > KEPT {
            let old = self.handed.remove(0);
            // It may have been refused, and not be there.
            let _ = fs::remove_file(self.artifacts.join(format!("{old}.so")));
        }
    }
}

impl Handed {
    /// What an event means for this file: its revision, why it was refused, or nothing.
    pub(super) fn outcome(
        &self,
        host: &Patchbay,
        event: &EventView,
    ) -> Option<Result<(PluginName, RevisionNumber), Explained>> {
        match (&*event.kind, &event.plugin, event.revision) {
            ("revision.registered", Some(name), Some(number)) => {
                let plugin = host.plugin(name).ok()?;
                let mut revisions = plugin.revisions.iter();
                revisions
                    .any(|known| known.revision == number && known.digest == self.digest)
                    .then(|| Ok((name.clone(), number)))
            }
            ("file.rejected", ..) => {
                let own = self.path.file_name()?;
                let rejected = host.rejected().into_iter();
                let mut rejected = rejected.filter(|one| Path::new(&one.path).file_name() == Some(own));
                rejected.next().map(|rejected| {
                    Err(Explained {
                        code: rejected.code,
                        message: rejected.message,
                        hint: rejected.hint,
                    })
                })
            }
            _ => None,
        }
    }

    /// Makes its revision live.
    pub(super) fn promote(
        &self,
        host: &Patchbay,
        plugin: &PluginName,
        revision: RevisionNumber,
    ) -> Result<DevEventView, ControlError> {
        let order = Order::by("dev", "a source was saved");
        let swap = host.promote(plugin, &Selector::Revision(revision), order)?;
        let live = SystemTime::now().duration_since(self.since).unwrap_or_default();
        let version = swap
            .to
            .map(|to| to.version)
            .ok_or_else(|| ControlError::UnknownPlugin(plugin.clone()))?;
        Ok(DevEventView::Live {
            plugin: plugin.clone(),
            version,
            revision,
            linked: self.linked,
            build_micros: micros(self.took),
            live_micros: micros(live),
        })
    }
}
