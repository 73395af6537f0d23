//! Following rollouts to their end.
//!
//! Invariant: every change is printed once, in order; a host that restarts meanwhile is waited for, but not for ever.

use std::time::Duration;

use patchbay_wire::{EvidenceView, RolloutView};

use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::render;
use crate::streams::{Format, Streams};

/// How often in a row a host may not answer: with a second between, a minute, in which any host has started again.
const MOST_MISSED: u32 = 60;

/// A rollout that is followed.
#[derive(Debug)]
pub(crate) struct Watch {
    id: String,
    /// What is known of it and not printed yet.
    fresh: Option<RolloutView>,
    /// What was printed last.
    shown: Option<RolloutView>,
}

impl Watch {
    /// One of which nothing but its id is known.
    pub(crate) const fn named(id: String) -> Self {
        Self {
            id,
            fresh: None,
            shown: None,
        }
    }

    /// One that was just answered with.
    pub(crate) fn of(view: RolloutView) -> Self {
        Self {
            id: view.id.clone(),
            fresh: Some(view),
            shown: None,
        }
    }

    fn is_finished(&self) -> bool {
        self.shown.as_ref().is_some_and(|view| view.finished)
    }

    /// Prints what changed since the last look.
    fn show(&mut self, view: RolloutView, format: Format, streams: &mut Streams<'_>) -> Exit {
        let exit = match &self.shown {
            Some(shown) if !differs(shown, &view) => Exit::Success,
            shown => match format {
                Format::Json => streams.json_line(&view),
                Format::Human => {
                    let seen = shown.as_ref().map_or(&[][..], |shown| &shown.evidence);
                    streams.answer(&render::rollout_change(&view, since(seen, &view.evidence)))
                }
            },
        };
        self.shown = Some(view);
        exit
    }
}

/// Whether the rollout brought its version live.
pub(crate) fn went_live(view: &RolloutView) -> bool {
    view.phase == "promoted"
}

/// A second.
pub(crate) fn second() {
    std::thread::sleep(Duration::from_secs(1));
}

/// Prints every change of the rollouts until all have ended; `pause` is called between two looks.
pub(crate) fn follow(
    mut watched: Vec<Watch>,
    client: &Client,
    format: Format,
    streams: &mut Streams<'_>,
    pause: &mut dyn FnMut(),
) -> Exit {
    let mut missed = 0;
    loop {
        for watch in watched.iter_mut().filter(|watch| !watch.is_finished()) {
            let found = match watch.fresh.take() {
                Some(view) => Ok(view),
                None => client.get(&format!("rollouts/{}", watch.id)),
            };
            let exit = match found {
                Ok(view) => {
                    missed = 0;
                    watch.show(view, format, streams)
                }
                Err(error) if missed < MOST_MISSED && may_come_back(&error) => {
                    missed += 1;
                    if missed == 1 {
                        streams.note(&format!("{error}; waiting for it"));
                    }
                    // The others are on the same host.
                    break;
                }
                Err(error) => return streams.problem(&error.problem(), format, error.exit()),
            };
            if exit != Exit::Success || streams.is_closed() {
                return exit;
            }
        }
        if watched.iter().all(Watch::is_finished) {
            break;
        }
        pause();
    }
    let live = watched
        .iter()
        .all(|watch| watch.shown.as_ref().is_some_and(went_live));
    if live { Exit::Success } else { Exit::No }
}

/// Whether a host that answers like this may answer in a moment: it restarts, or has too much to do.
fn may_come_back(error: &CliError) -> bool {
    matches!(
        error,
        CliError::NobodyListens { .. }
            | CliError::Broken { .. }
            | CliError::Slow { .. }
            | CliError::Refused {
                status: 429 | 503,
                ..
            }
    )
}

/// Whether there is something new to see. The message alone is none: it may count seconds.
fn differs(shown: &RolloutView, view: &RolloutView) -> bool {
    (&shown.phase, shown.step, shown.finished, shown.changed_at)
        != (&view.phase, view.step, view.finished, view.changed_at)
        || shown.weight.to_bits() != view.weight.to_bits()
        || shown.evidence.last() != view.evidence.last()
}

/// The evidence after what was seen, which a host may have cut at its beginning.
fn since<'a>(seen: &[EvidenceView], all: &'a [EvidenceView]) -> &'a [EvidenceView] {
    let Some(last) = seen.last() else { return all };
    let known = all.iter().rposition(|one| one == last).map_or(0, |at| at + 1);
    all.get(known..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
