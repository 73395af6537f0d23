//! What was live when the last process ended is live again, before anything else happens.
//!
//! Invariant: a revision that cannot be mapped any more keeps nobody else from serving: the one that was live before it
//! takes its place, and what is desired stays as it was. It is live again when its content comes in.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use patchbay_registry::{Change, Force, Standing};
use patchbay_vocab::{Digest, Explain, Explained, PluginName, RevisionNumber};

use crate::admit::mount_again;
use crate::lifecycle::Lifecycle;

/// A plugin that is to serve as it did.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The plugin.
    pub plugin: PluginName,
    /// What should be live.
    pub desired: Option<RevisionNumber>,
    /// What to make live, and what to try in its place, in this order; nothing when nothing should be live.
    pub live: Vec<RevisionNumber>,
    /// What is to be loaded beside it.
    pub beside: Vec<RevisionNumber>,
}

/// How a plugin came back.
#[derive(Clone, Debug)]
pub struct Reinstated {
    /// The plugin.
    pub plugin: PluginName,
    /// What is live now.
    pub live: Option<RevisionNumber>,
    /// Whether that is what was wanted first.
    pub is_desired: bool,
    /// What could not be loaded, and why.
    pub failed: Vec<(RevisionNumber, Explained)>,
}

impl Lifecycle {
    /// Maps what these plugins want, on as many threads as there are processors, and routes to all of it in one store.
    /// To be done before [`Lifecycle::watch`].
    pub fn reinstate(&self, wanted: &[Wanted]) -> Vec<Reinstated> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(wanted.len()));
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(wanted.len()) {
                scope.spawn(|| {
                    while let Some(one) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let loaded = self.load_wanted(one);
                        if let Ok(mut done) = done.lock() {
                            done.push(loaded);
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_default();
        done.sort_by(|one, other| one.plugin.cmp(&other.plugin));
        let routes: Vec<_> = done
            .iter()
            .filter_map(|one| {
                let standing = match one.is_desired {
                    true => Standing::Desired,
                    false => Standing::Instead,
                };
                Some((one.plugin.clone(), one.live?, standing))
            })
            .collect();
        let live = self.registry().reinstate(&routes);
        for one in &mut done {
            if one.live.is_some() && !live.iter().any(|(plugin, _)| *plugin == one.plugin) {
                one.live = None;
            }
        }
        done
    }

    fn load_wanted(&self, wanted: &Wanted) -> Reinstated {
        let mut failed = Vec::new();
        let mut load = |number: RevisionNumber| match mount_again(self, &wanted.plugin, number) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(plugin = %wanted.plugin, revision = %number, error = %error.chain(), "what was live cannot be loaded");
                failed.push((number, error.explained()));
                false
            }
        };
        let live = wanted.live.iter().copied().find(|number| load(*number));
        for number in &wanted.beside {
            load(*number);
        }
        // What was not tried, since somebody suspects it, is not waited for.
        if let Some(desired) = wanted.desired
            && failed.iter().any(|(number, _)| *number == desired)
        {
            self.missing().lock().insert(wanted.plugin.clone(), desired);
        }
        Reinstated {
            plugin: wanted.plugin.clone(),
            live,
            is_desired: live.is_some() && live == wanted.desired,
            failed,
        }
    }
}

impl Lifecycle {
    /// A content came in that is known: what should be live, and could not be loaded, is live when this is it.
    pub(crate) fn came_again(&self, digest: Digest) {
        let missing = self.missing().lock().clone();
        for (plugin, number) in missing {
            let status = self.registry().plugin(&plugin);
            let mut revisions = status.into_iter().flat_map(|status| status.revisions);
            if !revisions.any(|known| known.number == number && known.digest == digest) {
                continue;
            }
            self.missing().lock().remove(&plugin);
            let change = Change::by("watcher", "its file is there again");
            match self.go_live(&plugin, number, Force::No, &change, None) {
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%plugin, revision = %number, error = %error.chain(), "what should be live cannot be");
                }
            }
        }
    }
}
